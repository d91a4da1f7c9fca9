package dev.belay.node;

import dev.belay.cluster.JournalFeed;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The journal's feed before there is an actor system to read events with: it answers as soon as
 * there is.
 */
final class LateFeed implements JournalFeed {
    private final CompletableFuture<JournalFeed> feed = new CompletableFuture<>();

    void is(JournalFeed known) {
        feed.complete(known);
    }

    @Override
    public CompletionStage<List<Entry>> read(long from, int max) {
        return feed.thenCompose(known -> known.read(from, max));
    }

    @Override
    public long newestOffset() {
        return feed.isDone() ? feed.join().newestOffset() : 0;
    }

    @Override
    public Runnable onAppend(Runnable listener) {
        return feed.join().onAppend(listener);
    }
}
