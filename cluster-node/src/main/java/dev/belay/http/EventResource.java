package dev.belay.http;

import dev.belay.cluster.JournalFeed;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.http.javadsl.marshalling.sse.EventStreamMarshalling;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.server.AllDirectives;
import org.apache.pekko.http.javadsl.server.Route;

/** {@code /events}: the journal's global order, in pages and as a stream. */
final class EventResource extends AllDirectives {
    private static final int MOST = 1000;
    private static final int USUAL = 100;

    private final JournalFeed feed;
    private final Limits limits;

    EventResource(JournalFeed feed, Limits limits) {
        this.feed = feed;
        this.limits = limits;
    }

    /**
     * @param next where to go on reading
     */
    private record Page(List<EventView> events, long next) {}

    CompletionStage<HttpResponse> page(HttpRequest request) {
        var query = Query.of(request, "from", "max");
        var from = query.number("from", 1, Long.MAX_VALUE - 1).orElse(1);
        var max = (int) query.number("max", 1, MOST).orElse(USUAL);
        return feed.read(from, max)
                .toCompletableFuture()
                .copy()
                .orTimeout(limits.patience().toMillis(), TimeUnit.MILLISECONDS)
                .thenApply(entries -> {
                    var next = entries.isEmpty() ? from : entries.getLast().offset() + 1;
                    return Answers.json(
                            200, new Page(entries.stream().map(EventView::of).toList(), next));
                });
    }

    Route stream(HttpRequest request) {
        var query = Query.of(request, "from");
        // A browser that reconnects repeats the query and adds the header: the header is newer.
        var from =
                lastEventId(request)
                        .orElseGet(() ->
                                query.number("from", 1, Long.MAX_VALUE - 1)
                                        .orElseGet(() -> feed.newestOffset() + 1));
        return completeOK(
                EventFollower.source(feed, from, limits.heartbeat()),
                EventStreamMarshalling.toEventStream());
    }

    private static OptionalLong lastEventId(HttpRequest request) {
        return request.getHeader("Last-Event-ID")
                .map(HttpHeader::value)
                .map(id ->
                        OptionalLong.of(
                                Query.number("Last-Event-ID", id, 0, Long.MAX_VALUE - 2) + 1))
                .orElse(OptionalLong.empty());
    }
}
