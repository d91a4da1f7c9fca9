package dev.belay.decision;

import dev.belay.model.Epoch;
import dev.belay.model.PairAddress;
import dev.belay.model.RunRight;
import dev.belay.model.VmSpec;

/** Work that a replica's core hands out. */
public sealed interface ReplicaCommand {
    /** On disk before anything that follows: no epoch up to this one is begun here again. */
    record KeepFloor(Epoch floor) implements ReplicaCommand {}

    /** To the hypervisor; answered by Started, StartedAndEnded or StartFailed. */
    record Launch(RunRight right, VmSpec spec) implements ReplicaCommand {}

    /** To the hypervisor; answered by Prepared or StartFailed. */
    record Prepare(RunRight right, RunRight primary, VmSpec spec) implements ReplicaCommand {}

    /** To the hypervisor; answered by InLockstep as soon as that is so, and never if it is not. */
    record Await(RunRight right, RunRight primary) implements ReplicaCommand {}

    /** To the hypervisor; answered by RaiseStep, then Raised or RaiseBroke. */
    record Raise(RunRight right, RunRight secondary, PairAddress at) implements ReplicaCommand {}

    /** To the hypervisor; answered by Parted or PartFailed. */
    record Part(RunRight right, RunRight loser) implements ReplicaCommand {}

    /** To the hypervisor, which keeps it: the journal says that these two are in lockstep. */
    record NoteLockstep(RunRight right, RunRight partner) implements ReplicaCommand {}

    /** To the hypervisor: end this right and every older one. StopDone or StopFailed answer. */
    record End(RunRight right, boolean kill) implements ReplicaCommand {}

    /** To the VM's entity. */
    record Tell(VmInput news) implements ReplicaCommand {}
}
