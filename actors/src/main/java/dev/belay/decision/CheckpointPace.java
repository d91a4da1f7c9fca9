package dev.belay.decision;

import java.time.Duration;
import java.util.Optional;

/**
 * How long it is from one checkpoint of a VM in lockstep to the next when nothing asks for one, as
 * plain values. Two things were measured: what only one of the two copies has said yet waits for
 * the next checkpoint, so at the worst for the whole delay; and each checkpoint pauses the guest.
 *
 * <p>So the delay is as short as it may be with the guest paused for no more than an eighth of the
 * time, and no longer than the VM's budget. Where pauses take more than half of the time even so,
 * it becomes longer than the budget, if that helps: a guest that changes its memory all the time is
 * paused for the longer, the longer it has run.
 *
 * @param tried the share of its time that the guest was paused before the delay exceeded the
 *     budget, while it is not known yet whether that helps
 * @param vain that share, when it did not help; while it is about that, it is not tried again
 */
public record CheckpointPace(Duration delay, Optional<Double> tried, Optional<Double> vain) {
    /** Fewer say nothing. */
    public static final int FEWEST = 4;

    private static final int USUAL_DELAY_IN_PAUSES = 8;
    private static final int LEAST_DELAY_IN_PAUSES = 2;

    /** What differs by less is left as it is. */
    private static final double MUCH = 0.2;

    /** A share that has not become smaller by this part is no smaller. */
    private static final double SAME = 0.9;

    private static final double ANOTHER = 1.3;

    /**
     * Some checkpoints with this delay.
     *
     * @param asked of them those that something asked for before their time
     * @param pause the typical one
     */
    public record Seen(int checkpoints, int asked, Duration pause) {}

    /** What the delay may be. */
    public record Bounds(Duration shortest, Duration longest) {
        public Bounds {
            if (shortest.compareTo(longest) > 0 || !shortest.isPositive()) {
                throw new IllegalArgumentException(
                        "Expected 0 < shortest <= longest, but got " + shortest + ", " + longest);
            }
        }

        private Duration within(Duration delay) {
            return min(delay.compareTo(shortest) < 0 ? shortest : delay, longest);
        }
    }

    /** At the beginning. */
    public static CheckpointPace of(Duration delay) {
        return new CheckpointPace(delay, Optional.empty(), Optional.empty());
    }

    public CheckpointPace next(Seen seen, Duration budget, Bounds bounds) {
        // Those that are asked for do not wait for the delay, so it makes no difference.
        if (seen.checkpoints() < FEWEST || 2 * seen.asked() > seen.checkpoints()) {
            return this;
        }
        var pause = seen.pause();
        var most = bounds.within(budget);
        var least = bounds.within(pause.multipliedBy(LEAST_DELAY_IN_PAUSES));
        var share = (double) pause.toNanos() / delay.toNanos();
        if (least.compareTo(most) <= 0) {
            return to(min(bounds.within(pause.multipliedBy(USUAL_DELAY_IN_PAUSES)), most));
        }
        if (delay.compareTo(most) > 0) {
            return tried.filter(before -> share > SAME * before).isPresent()
                    ? new CheckpointPace(most, Optional.empty(), tried)
                    : to(least);
        }
        if (isMuchLess(delay, most)) {
            return to(most);
        }
        return vain.filter(before -> share < ANOTHER * before).isPresent()
                ? new CheckpointPace(most, Optional.empty(), vain)
                : new CheckpointPace(least, Optional.of(share), Optional.empty());
    }

    private CheckpointPace to(Duration wanted) {
        boolean much = isMuchLess(wanted, delay) || isMuchLess(delay, wanted);
        return new CheckpointPace(much ? wanted : delay, Optional.empty(), Optional.empty());
    }

    private static boolean isMuchLess(Duration a, Duration b) {
        return a.toNanos() < (1 - MUCH) * b.toNanos();
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }
}
