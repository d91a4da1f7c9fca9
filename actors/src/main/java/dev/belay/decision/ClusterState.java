package dev.belay.decision;

import dev.belay.model.LeaseTerms;
import java.util.Optional;

/** What holds for the cluster as a whole. */
public sealed interface ClusterState {
    ClusterState NEW = new Armed(0, Optional.empty());

    /** How often it was disarmed, so that each time is known by its number. */
    long number();

    /** Empty until the first server asks to be admitted. */
    Optional<LeaseTerms> terms();

    Optional<Disarming> disarming();

    ClusterState with(LeaseTerms terms);

    /** Belay moves VMs by itself. */
    record Armed(long number, Optional<LeaseTerms> terms) implements ClusterState {
        @Override
        public Optional<Disarming> disarming() {
            return Optional.empty();
        }

        @Override
        public Armed with(LeaseTerms changed) {
            return new Armed(number, Optional.of(changed));
        }
    }

    /** Belay moves no VM and fences no server by itself, for a while. */
    record Disarmed(long number, Disarming why, Optional<LeaseTerms> terms)
            implements ClusterState {
        @Override
        public Optional<Disarming> disarming() {
            return Optional.of(why);
        }

        @Override
        public Disarmed with(LeaseTerms changed) {
            return new Disarmed(number, why, Optional.of(changed));
        }
    }
}
