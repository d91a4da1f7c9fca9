package dev.belay.decision;

import dev.belay.model.Epoch;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import java.util.Optional;

/**
 * One VM on one server.
 *
 * @param floor no right with an epoch up to this one is begun here any more; on disk
 * @param standing where the newest right stands here
 */
public record ReplicaState(VmName vm, Epoch floor, Standing standing) {
    /** When the node's process comes up, before the hypervisor said what it found. */
    public static ReplicaState of(VmName vm, Epoch floor) {
        return new ReplicaState(vm, floor, new Nothing());
    }

    ReplicaState standing(Standing next) {
        return new ReplicaState(vm, floor, next);
    }

    ReplicaState refusing(Epoch upTo) {
        return upTo.isAfter(floor) ? new ReplicaState(vm, upTo, standing) : this;
    }

    public sealed interface Standing {}

    /** Nothing of the VM is known here. */
    public record Nothing() implements Standing {}

    /** The hypervisor starts it. {@code then}: a stop that came meanwhile. */
    public record InStart(RunRight right, Optional<ReplicaInput.Stop> then) implements Standing {}

    /** {@code trouble}: told again whenever the entity asks. */
    public record Runs(RunRight right, String detail, Optional<VmInput> trouble)
            implements Standing {}

    /** The hypervisor ends it; not {@code inHand}: it could not, and the next order tries again. */
    public record InStop(RunRight right, boolean kill, boolean inHand) implements Standing {}

    /**
     * A start failed and may have left something running: that is ended first, then {@code news} is
     * told (safety.md 6). Not {@code inHand}: it could not be, and the next order tries again.
     */
    public record ClearingUp(RunRight right, VmInput.ReplicaStartFailed news, boolean inHand)
            implements Standing {}

    /** {@code news}: how it ended, told again whenever the entity asks. */
    public record Ended(RunRight right, VmInput news) implements Standing {}
}
