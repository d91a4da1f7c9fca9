package dev.belay.persistence.raft;

import dev.belay.model.JournalGuard;
import java.util.List;
import java.util.UUID;

/** A change of the journal: it goes through the Raft log and is applied by each voter alike. */
sealed interface Command {
    /**
     * Stores events of one entity, all or none.
     *
     * @param writer the life of the entity that writes, for diagnosis
     * @param listed whether the events get a place in the global order. The writer says so, not the
     *     state machine: voters of different versions must agree.
     */
    record Append(
            String persistenceId,
            String writer,
            boolean listed,
            List<StoredEvent> events,
            List<JournalGuard> guards)
            implements Command {}

    /** Forgets the entity's events up to here, in replay and in the global order. */
    record DeleteTo(String persistenceId, long sequenceNr) implements Command {}

    @SuppressWarnings("ArrayRecordComponent")
    record SaveSnapshot(String persistenceId, long sequenceNr, long timestamp, byte[] bytes)
            implements Command {}

    record DeleteSnapshots(String persistenceId, SnapshotRange range) implements Command {}

    record Booted(String node, UUID run) implements Command {}

    /**
     * @param all granted only if every voter booted anew, not just a majority of them
     */
    record Found(String node, UUID run, boolean all) implements Command {}

    record Joined(String node, UUID run) implements Command {}

    /** A voter says that from now on what it acknowledges counts. */
    record TakesPart(String voter) implements Command {}

    /** A voter that lost its data may begin anew: what it acknowledged is counted no longer. */
    record Readmits(String voter) implements Command {}
}
