package dev.belay.explore;

import dev.belay.decision.ReplicaState;
import dev.belay.model.RunRight;
import java.util.Optional;

/**
 * What a QEMU is to one on another server, and what the file beside its manifest says of that: how
 * far it really is only QEMU knows.
 */
sealed interface Part {
    record Alone() implements Part {}

    /** The second one is being filled; its guest runs as before. */
    record Raises(RunRight second) implements Part {}

    /** In lockstep, but not called so yet: for its server the raise still goes on. */
    record Joins(RunRight second) implements Part {}

    record Leads(RunRight second) implements Part {}

    /** It has neither memory nor disks yet. */
    record Waits(RunRight first) implements Part {}

    /** In lockstep, but its server has not seen that yet: its disk counts as half a copy. */
    record Filled(RunRight first) implements Part {}

    record Follows(RunRight first) implements Part {}

    /** It has taken over, and its newest bytes are above its disk still. */
    record Takes(RunRight first) implements Part {}

    Part ALONE = new Alone();

    /** The other one, when there is one. */
    default Optional<RunRight> partner() {
        return switch (this) {
            case Alone _ -> Optional.empty();
            case Raises(var second) -> Optional.of(second);
            case Joins(var second) -> Optional.of(second);
            case Leads(var second) -> Optional.of(second);
            case Waits(var first) -> Optional.of(first);
            case Filled(var first) -> Optional.of(first);
            case Follows(var first) -> Optional.of(first);
            case Takes(var first) -> Optional.of(first);
        };
    }

    /** Nothing it says is let out before the other one has said it, too. */
    default boolean isFirst() {
        return this instanceof Joins || this instanceof Leads;
    }

    default boolean isSecond() {
        return this instanceof Filled || this instanceof Follows;
    }

    /** Its server calls it a half of a pair in lockstep. */
    default boolean isKnownInLockstep() {
        return this instanceof Leads || this instanceof Follows;
    }

    /** What the file says to a new process of the node. */
    default ReplicaState.Bond bond() {
        return switch (this) {
            case Alone _ -> new ReplicaState.Alone();
            case Raises(var second) -> new ReplicaState.Raising(second, false);
            case Joins(var second) -> new ReplicaState.Raising(second, false);
            case Leads(var second) -> new ReplicaState.Raising(second, false);
            case Waits(var first) -> new ReplicaState.Follows(first, Optional.empty());
            case Filled(var first) -> new ReplicaState.Follows(first, Optional.empty());
            case Follows(var first) -> new ReplicaState.Follows(first, Optional.empty());
            case Takes(var first) -> new ReplicaState.Follows(first, Optional.empty());
        };
    }
}
