package dev.belay.decision;

import dev.belay.model.LeaseTerms;
import java.time.Duration;

/** What the cluster's entity is told. */
public sealed interface ClusterInput {
    /** An operator's wish. */
    sealed interface Request extends ClusterInput {}

    /**
     * Disarm automatic moves for {@code length}; while they are stopped: for so long from now on.
     */
    record Disarm(Duration length, String by, String reason) implements Request {}

    /** Move VMs again. */
    record Arm() implements Request {}

    /**
     * A server asks to be admitted with these. The first ones are the cluster's.
     *
     * @param change an operator wants them to be the cluster's from now on
     */
    record OfferTerms(LeaseTerms terms, boolean change) implements ClusterInput {}

    /** The time of the disarming of this number is over, on the waiter's own clock. */
    record TimeOver(long number) implements ClusterInput {}
}
