package dev.belay.http;

import dev.belay.cluster.JournalFeed;
import dev.belay.cluster.JournalFeed.Entry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.sse.ServerSentEvent;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Source;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client of the event stream. It reads the feed only when the client has taken what came
 * before, so a slow client costs one batch of memory and no more. Nothing is handed over from the
 * writer: a wake-up only says that reading is worth while, so none can be lost.
 */
final class EventFollower {
    private static final Logger log = LoggerFactory.getLogger(EventFollower.class);
    private static final int BATCH = 100;

    /** Reads again even without a wake-up. */
    private static final Duration LONGEST_SLEEP = Duration.ofSeconds(5);

    private final JournalFeed feed;
    private final AtomicReference<CompletableFuture<Boolean>> wakeUp =
            new AtomicReference<>(new CompletableFuture<>());

    private EventFollower(JournalFeed feed) {
        this.feed = feed;
    }

    static Source<ServerSentEvent, NotUsed> source(
            JournalFeed feed, long from, Duration heartbeat) {
        return Source.lazySource(() -> live(feed, from))
                .mapMaterializedValue(_ -> NotUsed.getInstance())
                .keepAlive(heartbeat, ServerSentEvent::heartbeat);
    }

    private static Source<ServerSentEvent, NotUsed> live(JournalFeed feed, long from) {
        var follower = new EventFollower(feed);
        var stop = feed.onAppend(() -> follower.wakeUp.get().complete(true));
        return Source.unfoldAsync(from, follower::next)
                .mapConcat(entries -> entries)
                .map(entry -> sse(entry))
                .watchTermination((materialized, end) -> {
                    end.whenComplete((_, _) -> stop.run());
                    return materialized;
                });
    }

    /**
     * The entries from {@code from} on. Empty after a sleep: each step ends, so that a quiet stream
     * holds no growing chain of futures.
     */
    private CompletionStage<Optional<Pair<Long, List<Entry>>>> next(long from) {
        // Armed before the read: what is appended after the read wakes us up.
        var armed = new CompletableFuture<Boolean>();
        wakeUp.set(armed);
        return feed.read(from, BATCH)
                .thenCompose(entries ->
                        entries.isEmpty()
                                ? armed.completeOnTimeout(
                                                false,
                                                LONGEST_SLEEP.toMillis(),
                                                TimeUnit.MILLISECONDS)
                                        .thenApply(_ -> entries)
                                : CompletableFuture.completedFuture(entries))
                .handle((entries, thrown) -> {
                    if (thrown != null) {
                        // Ends the stream; the client comes back with the last id it has.
                        log.warn("reading the journal from {} failed", from, thrown);
                        return Optional.empty();
                    }
                    var next = entries.isEmpty() ? from : entries.getLast().offset() + 1;
                    return Optional.of(Pair.create(next, entries));
                });
    }

    private static ServerSentEvent sse(Entry entry) {
        return ServerSentEvent.create(
                Json.text(EventView.of(entry)),
                Optional.empty(),
                Optional.of(Long.toString(entry.offset())),
                OptionalInt.empty());
    }
}
