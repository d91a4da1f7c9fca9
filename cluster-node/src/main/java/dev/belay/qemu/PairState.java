package dev.belay.qemu;

import dev.belay.model.PairAddress;
import dev.belay.model.RunRight;
import dev.belay.replica.DurableFile;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;

/**
 * What a replica is to its pair, kept beside its manifest so that a later process of the node knows
 * it. No such file: it is alone.
 *
 * @param at where the secondary waits
 * @param stored the journal says that the two are in lockstep (safety.md 14)
 * @param keptUntil when an earlier process ended to start anew, it left this one alive until then,
 *     in nanoseconds of CLOCK_BOOTTIME; the other one's node may have done the same
 */
record PairState(Stage stage, RunRight partner, PairAddress at, boolean stored, long keptUntil) {

    /** Before lockstep. */
    PairState(Stage stage, RunRight partner, PairAddress at) {
        this(stage, partner, at, false, 0);
    }

    enum Stage {
        /** The primary is on its way into lockstep; its guest runs as before. */
        RAISING(false),
        /** The secondary waits for its primary, or is being filled; it is worth nothing yet. */
        PREPARED(true),
        /** The primary runs the guest in lockstep with its secondary. */
        LEADING(false),
        /** The secondary follows; it can take over. */
        FOLLOWING(true);

        private final boolean secondary;

        Stage(boolean secondary) {
            this.secondary = secondary;
        }
    }

    boolean isSecondary() {
        return stage.secondary;
    }

    boolean isLockstep() {
        return stage == Stage.LEADING || stage == Stage.FOLLOWING;
    }

    PairState to(Stage next) {
        return new PairState(next, partner, at, stored, keptUntil);
    }

    PairState toStored() {
        return new PairState(stage, partner, at, true, keptUntil);
    }

    PairState keptUntil(long deadline) {
        return new PairState(stage, partner, at, stored, deadline);
    }

    /** On the disk when this returns. */
    void write(ReplicaFiles files) throws IOException {
        DurableFile.write(files.pair(), Manifest.JSON.writeValueAsString(this));
    }

    static Optional<PairState> read(ReplicaFiles files) throws IOException {
        return Files.exists(files.pair())
                ? Optional.of(Manifest.JSON.readValue(files.pair().toFile(), PairState.class))
                : Optional.empty();
    }

    static void forget(ReplicaFiles files) throws IOException {
        Files.deleteIfExists(files.pair());
    }
}
