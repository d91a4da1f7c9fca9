package dev.belay.http;

import dev.belay.http.Problem.Code;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.ParsingErrorHandler;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.model.ErrorInfo;
import org.apache.pekko.http.scaladsl.model.StatusCode;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;

/** Answers what is not HTTP at all, before there is a request. Made by Pekko, by its name. */
public final class MalformedRequests extends ParsingErrorHandler {
    @Override
    public HttpResponse handle(
            StatusCode status, ErrorInfo error, LoggingAdapter log, ServerSettings settings) {
        // Garbage is the sender's matter: it must not fill this node's log.
        log.debug("Malformed request: {}", error.summary());
        var problem =
                new Problem(
                        status.intValue() == 413 ? Code.BODY_TOO_LARGE : Code.MALFORMED_REQUEST,
                        "Expected an HTTP/1.1 request, but: " + error.summary() + ".",
                        "Correct the request; docs/api.md has an example for each.");
        return Answers.problem(problem, "");
    }
}
