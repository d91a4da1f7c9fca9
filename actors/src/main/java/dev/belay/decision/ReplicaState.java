package dev.belay.decision;

import dev.belay.model.Epoch;
import dev.belay.model.PairAddress;
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

    public boolean runs(RunRight right) {
        return standing() instanceof Runs runs && runs.right().equals(right);
    }

    /** One of two that listens to the other: it runs, and no raise of it is in hand. */
    public Optional<Bonded> bond() {
        return standing() instanceof Runs runs
                        && !(runs.bond() instanceof Raising raising && raising.inHand())
                ? ReplicaErrands.partner(runs.bond())
                        .map(partner ->
                                new Bonded(
                                        runs.right(), partner, !(runs.bond() instanceof Follows)))
                : Optional.empty();
    }

    /**
     * @param leads the one that is heard; the other one does not know from when on they run in
     *     lockstep until it hears from it
     */
    public record Bonded(RunRight own, RunRight partner, boolean leads) {}

    public sealed interface Standing {}

    /** Nothing of the VM is known here. */
    public record Nothing() implements Standing {}

    /** The hypervisor starts it. {@code then}: a stop that came meanwhile. */
    public record InStart(RunRight right, Optional<ReplicaInput.Stop> then) implements Standing {}

    /**
     * @param trouble told again whenever the entity asks
     */
    public record Runs(RunRight right, String detail, Optional<VmInput> trouble, Bond bond)
            implements Standing {
        public Runs(RunRight right, String detail, Optional<VmInput> trouble) {
            this(right, detail, trouble, new Alone());
        }

        Runs with(Bond next) {
            return new Runs(right, detail, trouble, next);
        }

        Runs with(Optional<VmInput> news) {
            return new Runs(right, detail, news, bond);
        }
    }

    /** What a replica that runs is to one on another server. */
    public sealed interface Bond {}

    public record Alone() implements Bond {}

    /**
     * Brings its secondary into lockstep. Not {@code inHand}: it was found so when the process came
     * up, and how far it is the hypervisor knows.
     */
    public record Raising(RunRight secondary, boolean inHand) implements Bond {}

    /** Runs in lockstep, and is the one that is heard. */
    public record Leads(RunRight secondary) implements Bond {}

    /**
     * Waits for its primary, or runs in lockstep with it; never heard.
     *
     * @param at where it waits; empty when the process came up since
     */
    public record Follows(RunRight primary, Optional<PairAddress> at) implements Bond {}

    /**
     * The pair is over and this one goes on alone. Not {@code inHand}: it could not yet, and the
     * next order tries again.
     */
    public record Parting(RunRight loser, int tries, boolean inHand) implements Bond {}

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
