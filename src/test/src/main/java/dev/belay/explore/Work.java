package dev.belay.explore;

import dev.belay.decision.ReplicaInput;
import dev.belay.model.RunRight;

/** What a server's hypervisor is about, or what its shell has to hear yet. */
sealed interface Work {
    /** Whether it may fail in two ways, one of which leaves something of it. */
    default boolean mayLeaveSomething() {
        return this instanceof Launch || this instanceof Prepare || this instanceof Raise;
    }

    record Adopt() implements Work {}

    record Launch(RunRight right) implements Work {}

    record End(RunRight right, boolean clearing) implements Work {}

    record Clean() implements Work {}

    /** Start one that waits for its primary. */
    record Prepare(RunRight right, RunRight primary) implements Work {}

    /** Say that the second one's server sees it in lockstep, as soon as it does. */
    record Await(RunRight right, RunRight primary) implements Work {}

    /**
     * Into lockstep with its second, in several steps.
     *
     * @param begun the first is done
     */
    record Raise(RunRight right, RunRight second, boolean begun) implements Work {}

    /** Go on alone; a second one that takes over needs two steps. */
    record Leave(RunRight right, RunRight loser) implements Work {}

    /** Undo the raise that an earlier process of the node left. */
    record Undo(RunRight right) implements Work {}

    /** On its way to the replica's core. */
    record News(ReplicaInput input) implements Work {}
}
