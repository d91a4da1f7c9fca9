package dev.belay.http;

import java.util.List;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpCharsets;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.util.ByteString;

/** The two kinds of answer: JSON, and a problem. */
final class Answers {
    private static final ContentType PROBLEM_JSON =
            MediaTypes.applicationWithFixedCharset("problem+json", HttpCharsets.UTF_8)
                    .toContentType();

    private Answers() {}

    static HttpResponse json(int status, Object value, HttpHeader... headers) {
        return response(status, ContentTypes.APPLICATION_JSON, Json.text(value))
                .addHeaders(List.of(headers));
    }

    static HttpResponse text(String text) {
        return response(200, ContentTypes.TEXT_PLAIN_UTF8, text);
    }

    static HttpResponse problem(Problem problem, String instance, HttpHeader... headers) {
        return response(problem.code().status(), PROBLEM_JSON, Json.text(problem.json(instance)))
                .addHeaders(List.of(headers));
    }

    private static HttpResponse response(int status, ContentType type, String text) {
        return HttpResponse.create()
                .withStatus(status)
                .withEntity(HttpEntities.create(type, ByteString.fromString(text)));
    }
}
