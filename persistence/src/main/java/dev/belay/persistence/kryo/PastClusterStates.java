package dev.belay.persistence.kryo;

import dev.belay.decision.ClusterState;
import dev.belay.decision.Disarming;
import java.util.Optional;

/**
 * Snapshots of the cluster from before it had lease terms: the next server that asks gives them.
 */
final class PastClusterStates {
    private PastClusterStates() {}

    record Armed(long number) {}

    record Disarmed(long number, Disarming why) {}

    static void register(KryoTypes.Registry registry) {
        registry.upcast(
                "cluster.state.Armed/1",
                Armed.class,
                s -> new ClusterState.Armed(s.number(), Optional.empty()));
        registry.upcast(
                "cluster.state.Disarmed/1",
                Disarmed.class,
                s -> new ClusterState.Disarmed(s.number(), s.why(), Optional.empty()));
    }
}
