package dev.belay.qemu;

import dev.belay.decision.CheckpointPace;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How VMs in lockstep run.
 *
 * @param checkpointDelay what a pair begins with: how long it is from one checkpoint to the next
 *     when nothing else asks for one. Each pauses the guest for tens of milliseconds, so shorter
 *     costs more; but one that is stuck because its second fell silent goes on at the next, so
 *     longer stalls longer
 * @param bounds what it may become
 * @param latencyBudget how long what a guest says shall be held back at most for the next
 *     checkpoint, when its VM does not say
 * @param look how often each half looks whether its connections to the other stand
 * @param hung how long QEMU may leave even an out-of-band command unanswered. Generous: a loaded
 *     server must not look like a dead one
 * @param join how long the guest may be paused at the end of a raise before that is given up
 * @param stall how long a raise may make no progress before it is given up
 * @param proofs where it is kept that a QEMU was seen to run VMs in lockstep; empty: every QEMU is
 *     trusted to
 */
public record PairSettings(
        Duration checkpointDelay,
        CheckpointPace.Bounds bounds,
        Duration latencyBudget,
        Duration look,
        Duration hung,
        Duration join,
        Duration stall,
        Optional<Path> proofs) {
    public static final PairSettings DEFAULT =
            new PairSettings(
                    Duration.ofMillis(400),
                    new CheckpointPace.Bounds(Duration.ofMillis(100), Duration.ofSeconds(1)),
                    Duration.ofMillis(400),
                    Duration.ofMillis(40),
                    Duration.ofMillis(1500),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(15),
                    Optional.empty());

    /** For a pair that proves a QEMU. */
    static final PairSettings TRIAL =
            with(
                    Duration.ofMillis(100),
                    DEFAULT.bounds(),
                    DEFAULT.latencyBudget(),
                    Optional.empty());

    /** The rest as usual. */
    public static PairSettings with(
            Duration checkpointDelay,
            CheckpointPace.Bounds bounds,
            Duration latencyBudget,
            Optional<Path> proofs) {
        return new PairSettings(
                checkpointDelay,
                bounds,
                latencyBudget,
                DEFAULT.look(),
                DEFAULT.hung(),
                DEFAULT.join(),
                DEFAULT.stall(),
                proofs);
    }
}
