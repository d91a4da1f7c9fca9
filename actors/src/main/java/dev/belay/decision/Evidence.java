package dev.belay.decision;

import java.time.Instant;

/**
 * Something that was seen, for the report.
 *
 * @param at wall time at {@code where}; told, never computed with
 * @param where the node that saw it
 */
public record Evidence(Instant at, String where, String what) {}
