package dev.belay.http;

import dev.belay.http.Problem.Code;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.util.ByteString;

/**
 * Takes a request's body off the wire, whatever the request is, and keeps no more of it than is
 * allowed.
 */
final class Bodies {
    static final int MOST_BYTES = 64 * 1024;

    /** Read and thrown away, so that the caller gets an answer rather than a reset connection. */
    private static final long PATIENCE_BYTES = 4L * 1024 * 1024;

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private Bodies() {}

    static CompletionStage<HttpEntity.Strict> read(HttpRequest request, Materializer materializer) {
        if (request.entity() instanceof HttpEntity.Strict strict) {
            return CompletableFuture.completedFuture(kept(strict));
        }
        return request.entity()
                .withSizeLimit(PATIENCE_BYTES)
                .getDataBytes()
                .runFold(
                        ByteString.emptyByteString(),
                        (sum, more) -> sum.size() > MOST_BYTES ? sum : sum.concat(more),
                        materializer)
                .toCompletableFuture()
                .orTimeout(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionallyCompose(thrown ->
                        CompletableFuture.failedFuture(
                                thrown instanceof TimeoutException ? slow() : thrown))
                .thenApply(bytes ->
                        kept(HttpEntities.create(request.entity().getContentType(), bytes)));
    }

    static Problem tooLarge() {
        return new Problem(
                Code.BODY_TOO_LARGE,
                "Expected a body of at most %d bytes, but it is larger. Nothing was changed."
                        .formatted(MOST_BYTES),
                "Send one VM's specification; images and disks are named in it, not sent.");
    }

    private static HttpEntity.Strict kept(HttpEntity.Strict body) {
        if (body.getData().size() > MOST_BYTES) {
            throw new ProblemException(tooLarge());
        }
        return body;
    }

    private static ProblemException slow() {
        return new ProblemException(
                Code.SLOW_BODY,
                "Expected the whole body within %d s, but it did not come. Nothing was changed."
                        .formatted(PATIENCE.toSeconds()),
                "Send it again, on a better connection.");
    }
}
