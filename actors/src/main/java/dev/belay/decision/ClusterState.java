package dev.belay.decision;

import java.util.Optional;

/** What holds for the cluster as a whole. */
public sealed interface ClusterState {
    ClusterState NEW = new Armed(0);

    /** How often it was disarmed, so that each time is known by its number. */
    long number();

    Optional<Disarming> disarming();

    /** Belay moves VMs by itself. */
    record Armed(long number) implements ClusterState {
        @Override
        public Optional<Disarming> disarming() {
            return Optional.empty();
        }
    }

    /** Belay moves no VM and fences no server by itself, for a while. */
    record Disarmed(long number, Disarming why) implements ClusterState {
        @Override
        public Optional<Disarming> disarming() {
            return Optional.of(why);
        }
    }
}
