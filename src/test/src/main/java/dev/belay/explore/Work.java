package dev.belay.explore;

import dev.belay.decision.ReplicaInput;
import dev.belay.model.RunRight;

/** What a server's hypervisor is about, or what its shell has to hear yet. */
sealed interface Work {
    record Adopt() implements Work {}

    record Launch(RunRight right) implements Work {}

    record End(RunRight right, boolean clearing) implements Work {}

    record Clean() implements Work {}

    /** On its way to the replica's core. */
    record News(ReplicaInput input) implements Work {}
}
