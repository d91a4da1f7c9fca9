package dev.belay.decision;

import dev.belay.decision.VmInput.Cause;
import dev.belay.model.RunRight;
import dev.belay.model.VmSpec;

/** What one VM's replica on a server is told: orders of the entity, answers of the hypervisor. */
public sealed interface ReplicaInput {
    RunRight right();

    /**
     * @param leaseLive whether the server holds a live lease for its incarnation now
     */
    record Start(RunRight right, VmSpec spec, boolean leaseLive) implements ReplicaInput {}

    record Stop(RunRight right, boolean kill) implements ReplicaInput {}

    /**
     * @param listed whether the hypervisor has it among those that run now
     */
    record Confirm(RunRight right, boolean listed) implements ReplicaInput {}

    /** What the hypervisor found when the process came up. */
    record Found(RunRight right, boolean running, String detail) implements ReplicaInput {}

    /**
     * The start is done and its guest's CPUs run.
     *
     * @param tookMs milliseconds
     */
    record Started(RunRight right, long tookMs, String detail) implements ReplicaInput {}

    /** The start is done and the replica has ended since. */
    record StartedAndEnded(RunRight right, String detail) implements ReplicaInput {}

    /** The start failed or was not answered in time; something of it may run. */
    record StartFailed(RunRight right, String why, boolean elsewhere) implements ReplicaInput {}

    /** Nothing with an epoch up to this one runs: the hypervisor has ended it all. */
    record StopDone(RunRight right) implements ReplicaInput {}

    /** Something with an epoch up to this one may still run. */
    record StopFailed(RunRight right, String why) implements ReplicaInput {}

    /** Its process is gone. */
    record Gone(RunRight right, Cause cause, String detail) implements ReplicaInput {}

    /** It lives and is of no use any more: the guest panicked, or a disk failed. */
    record InTrouble(RunRight right, VmInput news) implements ReplicaInput {}
}
