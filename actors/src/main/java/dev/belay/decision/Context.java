package dev.belay.decision;

import java.time.Instant;

/**
 * What a decision is made in.
 *
 * @param at wall time, stored for people and never computed with
 * @param where the deciding node
 */
public record Context(Instant at, String where, ClusterView view) {}
