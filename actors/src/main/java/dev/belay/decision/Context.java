package dev.belay.decision;

import java.time.Instant;
import java.util.List;

/**
 * What a decision is made in.
 *
 * @param at wall time, stored for people and never computed with
 * @param where the deciding node
 * @param measured what the entity has timed of its own work, for the report of a failover
 */
public record Context(Instant at, String where, ClusterView view, List<Failover.Step> measured) {
    public Context {
        measured = List.copyOf(measured);
    }

    public Context(Instant at, String where, ClusterView view) {
        this(at, where, view, List.of());
    }
}
