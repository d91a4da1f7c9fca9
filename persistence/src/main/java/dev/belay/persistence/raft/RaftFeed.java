package dev.belay.persistence.raft;

import dev.belay.cluster.JournalFeed;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.persistence.PersistentRepr;
import org.apache.pekko.serialization.Serialization;

/** The global order with the events as objects. */
final class RaftFeed implements JournalFeed {
    private static final int PAGE_BYTES = 1 << 20;

    private final RaftJournal journal;
    private final Serialization serialization;

    RaftFeed(RaftJournal journal, Serialization serialization) {
        this.journal = journal;
        this.serialization = serialization;
    }

    @Override
    public CompletionStage<List<Entry>> read(long from, int max) {
        return journal.history(new Query.History(from, max, PAGE_BYTES))
                .thenApply(entries -> entries.stream().map(this::entry).toList());
    }

    private Entry entry(HistoryEntry entry) {
        var event = serialization.deserialize(entry.event().bytes(), PersistentRepr.class).get();
        return new Entry(
                entry.offset(), entry.persistenceId(), entry.event().sequenceNr(), event.payload());
    }

    @Override
    public long newestOffset() {
        return journal.newestOffset();
    }

    @Override
    public Runnable onAppend(Runnable listener) {
        return journal.onAppend(listener);
    }
}
