package dev.belay.decision;

import dev.belay.model.LeaseTerms;
import java.time.Instant;

/** What happened to the cluster as a whole, as stored for ever. */
public sealed interface ClusterEvent {
    Instant at();

    /**
     * @param number counts from 1
     */
    record ClusterDisarmed(Instant at, long number, Disarming disarm) implements ClusterEvent {}

    /** All servers that are admitted from here on have these. */
    record LeaseTermsSet(Instant at, LeaseTerms terms) implements ClusterEvent {}

    record ClusterArmed(Instant at, String why) implements ClusterEvent {}
}
