package dev.belay.decision;

import dev.belay.decision.VmInput.Cause;
import dev.belay.decision.VmInput.Timing;
import dev.belay.model.PairAddress;
import dev.belay.model.RunRight;
import dev.belay.model.VmSpec;
import java.util.List;
import java.util.Optional;

/** What one VM's replica on a server is told: orders of the entity, answers of the hypervisor. */
public sealed interface ReplicaInput {
    RunRight right();

    /**
     * @param leaseLive whether the server holds a live lease for its incarnation now
     * @param primary whose second it shall be; empty: it runs by itself
     */
    record Start(RunRight right, VmSpec spec, boolean leaseLive, Optional<RunRight> primary)
            implements ReplicaInput {
        public Start(RunRight right, VmSpec spec, boolean leaseLive) {
            this(right, spec, leaseLive, Optional.empty());
        }
    }

    /** Into lockstep with its second. */
    record RaisePair(RunRight right, RunRight secondary, PairAddress at) implements ReplicaInput {}

    /** Go on alone: {@code loser} is not to be heard of any more. */
    record GoSolo(RunRight right, RunRight loser) implements ReplicaInput {}

    record Stop(RunRight right, boolean kill) implements ReplicaInput {}

    /**
     * @param listed whether the hypervisor has it among those that run now
     * @param lockstep with whom it is in lockstep, as the journal says
     */
    record Confirm(RunRight right, boolean listed, Optional<RunRight> lockstep)
            implements ReplicaInput {
        public Confirm(RunRight right, boolean listed) {
            this(right, listed, Optional.empty());
        }
    }

    /** What the hypervisor found when the process came up. */
    record Found(RunRight right, boolean running, String detail, ReplicaState.Bond bond)
            implements ReplicaInput {
        public Found(RunRight right, boolean running, String detail) {
            this(right, running, detail, new ReplicaState.Alone());
        }
    }

    /**
     * The start is done and its guest's CPUs run.
     *
     * @param tookMs milliseconds
     */
    record Started(RunRight right, long tookMs, String detail) implements ReplicaInput {}

    /** It waits for its primary there. */
    record Prepared(RunRight right, RunRight primary, PairAddress at) implements ReplicaInput {}

    /** Does its hypervisor see it in lockstep with that primary? */
    record AwaitLockstep(RunRight right, RunRight primary) implements ReplicaInput {}

    /** It does, and its disks are whole. */
    record InLockstep(RunRight right, RunRight primary) implements ReplicaInput {}

    record RaiseStep(RunRight right, RunRight secondary, RaiseStage stage, int percent)
            implements ReplicaInput {}

    /** Both are in lockstep. */
    record Raised(RunRight right, RunRight secondary, List<Timing> timings)
            implements ReplicaInput {
        public Raised {
            timings = List.copyOf(timings);
        }
    }

    /**
     * It could not be raised.
     *
     * @param undone it is an ordinary running replica again; otherwise its guest may stand still
     */
    record RaiseBroke(RunRight right, RunRight secondary, String why, boolean undone)
            implements ReplicaInput {}

    /** It is alone, an ordinary running replica. */
    record Parted(RunRight right, RunRight loser, List<Timing> timings) implements ReplicaInput {
        public Parted {
            timings = List.copyOf(timings);
        }
    }

    record PartFailed(RunRight right, RunRight loser, String why) implements ReplicaInput {}

    /** The start is done and the replica has ended since. */
    record StartedAndEnded(RunRight right, String detail) implements ReplicaInput {}

    /**
     * The start failed or was not answered in time; something of it may run.
     *
     * @param neverRan known for sure: the guest's CPUs were never continued and never will be
     */
    record StartFailed(RunRight right, String why, boolean elsewhere, boolean neverRan)
            implements ReplicaInput {}

    /** Nothing with an epoch up to this one runs: the hypervisor has ended it all. */
    record StopDone(RunRight right) implements ReplicaInput {}

    /** Something with an epoch up to this one may still run. */
    record StopFailed(RunRight right, String why) implements ReplicaInput {}

    /** Its process is gone. */
    record Gone(RunRight right, Cause cause, String detail) implements ReplicaInput {}

    /** It lives and something is wrong: the guest panicked, a disk failed, its partner is gone. */
    record InTrouble(RunRight right, VmInput news) implements ReplicaInput {}
}
