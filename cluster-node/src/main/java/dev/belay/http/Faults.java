package dev.belay.http;

import dev.belay.http.Problem.Code;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.http.scaladsl.model.EntityStreamException;
import org.apache.pekko.http.scaladsl.model.EntityStreamSizeException;
import org.apache.pekko.http.scaladsl.model.IllegalUriException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one table from what was thrown to what the caller sees. */
final class Faults {
    private static final Logger log = LoggerFactory.getLogger(Faults.class);

    private Faults() {}

    static Problem problem(Throwable thrown, String where) {
        return switch (cause(thrown)) {
            case ProblemException e -> e.problem();
            case IllegalUriException e -> malformed(e.info().summary());
            case EntityStreamSizeException _ -> Bodies.tooLarge();
            case EntityStreamException e -> malformed(e.info().summary());
            case TimeoutException e -> notAnswering(e);
            case Throwable e -> internal(e, where);
        };
    }

    /** For questions: nothing was to be changed. */
    static Problem notAnswering(Throwable thrown) {
        return new Problem(
                Code.NOT_ANSWERING,
                "Expected an answer from the cluster, but none came in time (%s). Nothing was changed."
                        .formatted(told(thrown)),
                "Repeat the request, here or at another node. If it keeps failing, see /api/v1/health/ready and whether a majority of the voting nodes is up.");
    }

    /** What a failure says about itself, in one line. */
    static String told(Throwable thrown) {
        var cause = cause(thrown);
        var message = cause.getMessage();
        if (cause instanceof TimeoutException) {
            return "time-out";
        }
        return message == null
                ? cause.getClass().getSimpleName()
                : message.lines().findFirst().orElse("");
    }

    private static Problem malformed(String what) {
        return new Problem(
                Code.MALFORMED_REQUEST,
                "Expected a valid HTTP request, but: " + what,
                "Correct the request; docs/api.md has an example for each.");
    }

    private static Problem internal(Throwable thrown, String where) {
        var reference = UUID.randomUUID().toString().substring(0, 8);
        log.error("{} failed, reference {}", where, reference, thrown);
        return new Problem(
                Code.INTERNAL,
                "Expected to answer, but something in Belay is broken (reference "
                        + reference
                        + ").",
                "Look for the reference in this node's log and report what stands there; see whether another node answers.");
    }

    private static Throwable cause(Throwable thrown) {
        var cause = thrown.getCause();
        return (thrown instanceof CompletionException || thrown instanceof ExecutionException)
                        && cause != null
                ? cause(cause)
                : thrown;
    }
}
