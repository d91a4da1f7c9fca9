package dev.belay.qemu;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How VMs in lockstep run.
 *
 * @param checkpointDelay how long the two guests run between checkpoints that nothing else asked
 *     for. Each pauses the guest for tens of milliseconds, so shorter costs more; but one that is
 *     stuck because its second fell silent goes on at the next, so longer stalls longer
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
        Duration look,
        Duration hung,
        Duration join,
        Duration stall,
        Optional<Path> proofs) {
    public static final PairSettings DEFAULT =
            new PairSettings(
                    Duration.ofMillis(400),
                    Duration.ofMillis(40),
                    Duration.ofMillis(1500),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(15),
                    Optional.empty());

    /** For a pair that proves a QEMU. */
    static final PairSettings TRIAL = with(Duration.ofMillis(100), Optional.empty());

    /** The rest as usual. */
    public static PairSettings with(Duration checkpointDelay, Optional<Path> proofs) {
        return new PairSettings(
                checkpointDelay,
                DEFAULT.look(),
                DEFAULT.hung(),
                DEFAULT.join(),
                DEFAULT.stall(),
                proofs);
    }
}
