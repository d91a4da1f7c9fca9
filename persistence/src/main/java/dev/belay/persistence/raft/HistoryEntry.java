package dev.belay.persistence.raft;

/** One event in the global order, still serialized. */
record HistoryEntry(long offset, String persistenceId, StoredEvent event) {}
