package dev.belay.qemu;

import dev.belay.decision.VmInput.Timing;
import java.util.ArrayList;
import java.util.List;

/** What was done and how long each took, measured here. */
final class Laps {
    private static final long NANOS_PER_MILLI = 1_000_000;
    private final List<Timing> timings = new ArrayList<>();
    private long since = System.nanoTime();

    void lap(String what) {
        var now = System.nanoTime();
        timings.add(new Timing(what, (now - since) / NANOS_PER_MILLI));
        since = now;
    }

    List<Timing> all() {
        return List.copyOf(timings);
    }
}
