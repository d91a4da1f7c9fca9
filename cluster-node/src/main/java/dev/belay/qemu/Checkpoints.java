package dev.belay.qemu;

import dev.belay.decision.CheckpointPace;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The checkpoints of a primary in lockstep, as QEMU tells them: the guest stops, and runs again.
 * Thread-safe.
 *
 * <p>As measured, QEMU counts the delay from one stop to the next, give or take some 30 ms. One
 * that comes before its time was asked for: by the comparison of what the two copies say, or by us.
 */
final class Checkpoints {
    private static final int KEPT = 64;
    private static final long JITTER_NANOS = 40_000_000;
    private static final double JITTER = 0.15;

    private record Checkpoint(long stopped, long resumed, boolean asked) {
        private long pause() {
            return resumed - stopped;
        }
    }

    /** The newest last. */
    private final Deque<Checkpoint> recent = new ArrayDeque<>();

    private long delayNanos;
    private long lastStop = -1;
    private long stop = -1;
    private boolean ours;
    private boolean asked;
    private long count;
    private long diverged;
    private long pausedNanos;

    Checkpoints(Duration delay) {
        this.delayNanos = delay.toNanos();
    }

    /** Setting the delay makes QEMU take a checkpoint at once. */
    synchronized void delayIs(Duration delay) {
        delayNanos = delay.toNanos();
        ours = true;
    }

    /** The next one is asked for by us, and says nothing about the guest. */
    synchronized void isAskedFor() {
        ours = true;
    }

    /** Found so; nothing is taken for that. */
    synchronized void delayWas(Duration delay) {
        delayNanos = delay.toNanos();
    }

    synchronized void onEvent(String name, long now) {
        if (name.equals("STOP")) {
            asked = lastStop >= 0 && now - lastStop < earliest() && !ours;
            ours = false;
            stop = now;
            lastStop = now;
        } else if (name.equals("RESUME") && stop >= 0) {
            recent.addLast(new Checkpoint(stop, now, asked));
            if (recent.size() > KEPT) {
                recent.removeFirst();
            }
            count++;
            diverged += asked ? 1 : 0;
            pausedNanos += now - stop;
            stop = -1;
        }
    }

    private double earliest() {
        return delayNanos - Math.max(JITTER_NANOS, JITTER * delayNanos);
    }

    synchronized long count() {
        return count;
    }

    synchronized long diverged() {
        return diverged;
    }

    synchronized long pausedMillis() {
        return pausedNanos / 1_000_000;
    }

    /** Those that ended after {@code since}. */
    synchronized CheckpointPace.Seen seenSince(long since) {
        var seen = recent.stream().filter(one -> one.resumed() > since).toList();
        return new CheckpointPace.Seen(
                seen.size(),
                (int) seen.stream().filter(Checkpoint::asked).count(),
                Duration.ofNanos(
                        seen.stream()
                                .mapToLong(Checkpoint::pause)
                                .sorted()
                                .skip(seen.size() / 2)
                                .findFirst()
                                .orElse(0)));
    }

    synchronized long longestMillisSince(long since) {
        return recent.stream()
                        .filter(one -> one.resumed() > since)
                        .mapToLong(Checkpoint::pause)
                        .max()
                        .orElse(0)
                / 1_000_000;
    }
}
