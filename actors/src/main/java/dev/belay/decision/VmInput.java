package dev.belay.decision;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.Level;
import dev.belay.model.PairAddress;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmSpec;
import java.util.List;

/**
 * What a VM's entity is told: a user's request or news. News name the right that they speak of, so
 * that late ones are known.
 */
public sealed interface VmInput {
    /** A user's wish. */
    sealed interface Request extends VmInput {}

    /**
     * @param start whether it shall run at once
     */
    record Create(VmSpec spec, boolean start) implements Request {}

    record Start() implements Request {}

    /**
     * @param kill without asking the guest
     */
    record Stop(boolean kill) implements Request {}

    /**
     * @param force also while it runs: kills it first
     */
    record Delete(boolean force) implements Request {}

    record Protect(Level level) implements Request {}

    /** A VM on two servers goes on at the second one; the first is ended. */
    record Switchover() implements Request {}

    /** The server keeps memory free for this epoch. */
    record Reserved(ServerName server, Incarnation incarnation, Epoch epoch) implements VmInput {}

    record ReservationRefused(ServerName server, Epoch epoch, String why) implements VmInput {}

    /** The guest's CPUs run. {@code timings}: what the server did and how long each took. */
    record ReplicaStarted(RunRight right, String detail, List<Timing> timings) implements VmInput {
        public ReplicaStarted {
            timings = List.copyOf(timings);
        }
    }

    /**
     * The server could not start it and runs nothing of this right.
     *
     * @param neverRan known for sure: its guest's CPUs were never continued, so what its disks hold
     *     is what they held before
     */
    record ReplicaStartFailed(RunRight right, String why, boolean elsewhere, boolean neverRan)
            implements VmInput {}

    /**
     * No process of this right runs, and none will: it ended, or was never started and will not be.
     */
    record ReplicaGone(RunRight right, Cause cause, String detail) implements VmInput {}

    /** The guest's kernel panicked; the replica is paused. */
    record GuestPanicked(RunRight right) implements VmInput {}

    /** A disk failed; the replica is paused and the guest has not seen the error. */
    record DiskFailed(RunRight right, String disk, String why) implements VmInput {}

    /**
     * News of a VM on two servers, or on its way there. They name both, so that late ones are
     * known.
     */
    sealed interface PairNews extends VmInput {}

    /** The second one waits for the first. */
    record SecondaryReady(RunRight secondary, PairAddress at) implements PairNews {}

    /**
     * @param percent of this stage
     */
    record RaiseAdvanced(RunRight primary, RunRight secondary, RaiseStage stage, int percent)
            implements PairNews {}

    /**
     * Both run in lockstep, as the first one sees it. From here on it goes on alone only when told
     * so, whatever happens to its server's process.
     */
    record PairRaised(RunRight primary, RunRight secondary, List<Timing> timings)
            implements PairNews {
        public PairRaised {
            timings = List.copyOf(timings);
        }
    }

    /**
     * So does the second one, which was asked after {@link PairRaised}: its server has seen it in
     * lockstep, and its disks count as whole there, whatever happens to that server's process.
     */
    record LockstepSeen(RunRight primary, RunRight secondary) implements PairNews {}

    /**
     * The first one is an ordinary running replica again, and was never in lockstep with this
     * second one.
     */
    record RaiseFailed(RunRight primary, RunRight secondary, String why) implements PairNews {}

    /**
     * The claimant does not hear its partner any more, or could not be raised with it; it is not an
     * ordinary running replica, and its output may be closed, until it is told to go on alone.
     */
    record PartnerLost(RunRight claimant, RunRight partner, String why) implements PairNews {}

    /** In lockstep: its QEMU lives and does not answer. */
    record ReplicaHung(RunRight right, String why) implements PairNews {}

    /**
     * Before the secondary goes on as planned, both have passed a checkpoint, or that was not to be
     * waited for any longer.
     *
     * @param asked for by a person; else the primary's server is to be empty
     */
    record HandOver(RunRight primary, RunRight secondary, boolean asked) implements PairNews {}

    /** The winner is an ordinary running replica, alone and heard. */
    record SoloDone(RunRight winner, RunRight loser, List<Timing> timings) implements PairNews {
        public SoloDone {
            timings = List.copyOf(timings);
        }
    }

    /** A server tells that it runs this replica; it may be one that nobody wants any more. */
    record ReplicaSeen(RunRight right) implements VmInput {}

    /** The journal refuses this incarnation from here on; what runs there may still run. */
    record ServerLost(ServerName server, Incarnation incarnation, List<Evidence> evidence)
            implements VmInput {
        public ServerLost {
            evidence = List.copyOf(evidence);
        }
    }

    /** Nothing of this incarnation or an older one runs any more. */
    record FenceProved(ServerName server, Incarnation incarnation, Proof proof)
            implements VmInput {}

    /**
     * The partner ended so long ago, on the waiter's own clock, that nobody lives by its word any
     * more (safety.md 14).
     */
    record Outlived(RunRight partner) implements VmInput {}

    /** The pause after this epoch's failure is over. */
    record BackOffOver(Epoch epoch) implements VmInput {}

    /** It has left room to VMs of higher priority for long enough. */
    record Insist(Epoch epoch) implements VmInput {}

    /** The second one of this epoch was asked long ago whether it is in lockstep. */
    record RaiseOverdue(Epoch secondary) implements VmInput {}

    /** This replica has run long enough to forget earlier failures. */
    record Settled(Epoch epoch) implements VmInput {}

    /** Look again: the servers may have changed. */
    record Tick() implements VmInput {}

    enum Cause {
        /** QEMU ended by itself or was killed. */
        DIED,
        /** The leash killed it because the lease ran out. */
        LEASE,
        /** The guest switched itself off. */
        POWERED_OFF,
        /** Belay stopped it, as ordered. */
        STOPPED
    }

    /**
     * @param tookMs milliseconds, measured where it was done
     */
    record Timing(String what, long tookMs) {}
}
