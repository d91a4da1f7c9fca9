package dev.belay.cluster;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * The journal's global order: every event of every entity, by offset. It feeds read models, history
 * and event streams.
 */
public interface JournalFeed {
    /**
     * One stored event.
     *
     * @param offset its place in the global order, from 1, without gaps for the events of Belay's
     *     entities
     * @param persistenceId like {@code vm|web} or {@code server|alpha}
     */
    record Entry(long offset, String persistenceId, long sequenceNr, Object event) {}

    /**
     * Up to {@code max} entries with {@code offset >= from}, oldest first; empty at the end. May
     * lag behind the newest write.
     */
    CompletionStage<List<Entry>> read(long from, int max);

    /** The newest offset that this node knows; 0 when the journal is empty. */
    long newestOffset();

    /**
     * Calls {@code listener} soon after new entries became readable here; any thread. Returns how
     * to stop that.
     */
    Runnable onAppend(Runnable listener);
}
