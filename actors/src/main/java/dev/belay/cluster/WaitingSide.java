package dev.belay.cluster;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long the nodes on a side of a partition without a majority wait, because a pair in lockstep
 * is there. For ever, while the journal has no quorum for them: then they decide nothing, and have
 * nothing to join. Once it has, those who were cut off or booted anew come back to them; if they
 * are not a majority some time after that, somebody stays away, and keeps those who came back from
 * joining. So this side goes as any other would, and joins anew.
 */
final class WaitingSide {
    /** Nodes that were cut off for long connect again after two minutes at most. */
    static final Duration TOGETHER_AGAIN = Duration.ofSeconds(150);

    /** Nobody looks while everybody is heard. */
    private static final Duration FORGOTTEN = Duration.ofSeconds(2);

    private @Nullable Duration looked;
    private @Nullable Duration quorumSince;

    /**
     * @param majority whether this side has one
     * @param holdsPair whether a pair in lockstep is there, with both its servers
     * @param hearsQuorum whether the journal has a quorum for this node
     * @param now on a clock that never jumps
     */
    boolean waits(boolean majority, boolean holdsPair, boolean hearsQuorum, Duration now) {
        if (majority || !hearsQuorum || isForgotten(now)) {
            quorumSince = null;
        }
        looked = now;
        if (quorumSince == null && !majority && hearsQuorum) {
            quorumSince = now;
        }
        boolean isOver =
                quorumSince != null && now.minus(quorumSince).compareTo(TOGETHER_AGAIN) > 0;
        return !majority && holdsPair && !isOver;
    }

    private boolean isForgotten(Duration now) {
        return looked == null || now.minus(looked).compareTo(FORGOTTEN) > 0;
    }
}
