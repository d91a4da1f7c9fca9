package dev.belay.bench;

import dev.belay.lab.LabOptions;
import java.time.Duration;
import java.util.List;

/**
 * One thing that is measured.
 *
 * @param name for the command line
 */
record Benchmark(String name, String what, Measurement measurement) {
    /** Measures, and gives the figures with what is wanted of them. */
    @FunctionalInterface
    interface Measurement {
        List<Figure> take(Plan plan);
    }

    /**
     * How much is measured.
     *
     * @param runs how often each fault happens
     * @param load how long the machine is kept busy
     */
    record Plan(int runs, Duration load, LabOptions.Progress progress) {}
}
