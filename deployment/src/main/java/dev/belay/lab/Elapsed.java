package dev.belay.lab;

import java.io.PrintStream;
import java.util.Locale;

/** Progress for people: one line per fact, with the seconds since the command was given. */
public final class Elapsed implements LabOptions.Progress {
    private final PrintStream out;
    private final long began = System.nanoTime();

    public Elapsed(PrintStream out) {
        this.out = out;
    }

    @Override
    public synchronized void say(String line) {
        out.printf(Locale.ROOT, "%6.1f s  %s%n", seconds(), line);
        out.flush();
    }

    public double seconds() {
        return (System.nanoTime() - began) / 1e9;
    }
}
