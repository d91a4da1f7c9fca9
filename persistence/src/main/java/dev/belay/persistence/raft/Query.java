package dev.belay.persistence.raft;

/** A question to the journal; changes nothing. */
sealed interface Query {
    /** At most {@code max} events, and no more after about {@code maxBytes}. */
    record Events(String persistenceId, long from, long to, int max, int maxBytes)
            implements Query {}

    record Highest(String persistenceId) implements Query {}

    record LoadSnapshot(String persistenceId, SnapshotRange range) implements Query {}

    record Renew(String server, long incarnation) implements Query {}

    record History(long from, int max, int maxBytes) implements Query {}

    record Status() implements Query {}

    /** How a voter stands. */
    record Standing(String voter) implements Query {}
}
