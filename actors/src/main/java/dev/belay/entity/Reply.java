package dev.belay.entity;

import dev.belay.decision.Decision;

/** What whoever asked an entity for something hears. */
public sealed interface Reply<S> {
    /** Stored, or so already. */
    record Done<S>(S state) implements Reply<S> {}

    record Refused<S>(Decision.Reason reason, String message) implements Reply<S> {}
}
