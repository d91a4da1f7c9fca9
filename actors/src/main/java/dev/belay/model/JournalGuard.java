package dev.belay.model;

/**
 * What an event claims about servers, checked by the journal's replicated state machine in the same
 * step that stores the event (safety.md 3): a check across persistence ids that no single entity
 * can make.
 */
public sealed interface JournalGuard {
    /** Refused unless {@code incarnation} is the server's newest admitted one and is not fenced. */
    record Grants(ServerName server, Incarnation incarnation) implements JournalGuard {}

    /**
     * The server's newest incarnation from here on, not fenced. Refused unless it is newer than the
     * last.
     */
    record Admits(ServerName server, Incarnation incarnation) implements JournalGuard {}

    /** No right and no lease for this incarnation or an older one from here on. Never refused. */
    record Fences(ServerName server, Incarnation incarnation) implements JournalGuard {}
}
