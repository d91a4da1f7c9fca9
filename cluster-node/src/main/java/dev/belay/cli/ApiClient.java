package dev.belay.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Asks the nodes in turn until one answers. A change is never sent to a second node unless the
 * first one certainly did not get it: it could be carried out twice.
 */
final class ApiClient implements AutoCloseable {
    static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Duration CONNECT = Duration.ofSeconds(3);

    /** Longer than the longest answer that the API allows itself. */
    private static final Duration ANSWER = Duration.ofSeconds(40);

    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(CONNECT)
                    .build();
    private final List<URI> nodes;

    ApiClient(List<URI> nodes) {
        this.nodes = List.copyOf(nodes);
    }

    /**
     * @param text as it came
     * @param body the same, read
     * @param current false: only what the node last knew; it may be cut off from those that decide
     */
    record Answer(int status, String text, JsonNode body, boolean current) {}

    Answer get(String path) throws InterruptedException {
        var answer = answer(send("GET", path, Optional.empty(), ANSWER, BodyHandlers.ofString()));
        return good(answer);
    }

    /** Empty when there is no such thing. */
    Optional<Answer> find(String path) throws InterruptedException {
        var answer = answer(send("GET", path, Optional.empty(), ANSWER, BodyHandlers.ofString()));
        return answer.status() == 404 ? Optional.empty() : Optional.of(good(answer));
    }

    Answer change(String method, String path) throws InterruptedException {
        return good(answer(send(method, path, Optional.empty(), ANSWER, BodyHandlers.ofString())));
    }

    Answer post(String path, Content content) throws InterruptedException {
        return good(
                answer(send("POST", path, Optional.of(content), ANSWER, BodyHandlers.ofString())));
    }

    /** What is sent. */
    record Content(String type, byte[] bytes) {}

    /** An endless answer; the caller closes it. */
    InputStream stream(String path) throws IOException, InterruptedException {
        var response = send("GET", path, Optional.empty(), ANSWER, BodyHandlers.ofInputStream());
        if (response.statusCode() != 200) {
            try (var body = response.body()) {
                good(
                        answer(
                                response.statusCode(),
                                new String(body.readAllBytes(), StandardCharsets.UTF_8),
                                true));
            }
        }
        return response.body();
    }

    private <T> HttpResponse<T> send(
            String method,
            String path,
            Optional<Content> content,
            Duration time,
            BodyHandler<T> handler)
            throws InterruptedException {
        var tried = new ArrayList<String>();
        var last = Optional.<HttpResponse<T>>empty();
        for (var node : nodes) {
            try {
                var response = http.send(request(node, method, path, content, time), handler);
                // A node without a quorum cannot answer, or only with what it last knew; another
                // one may. Only questions are asked again.
                boolean knows = response.statusCode() != 503 && isCurrent(response);
                if (knows || !method.equals("GET")) {
                    return response;
                }
                last = last.filter(earlier -> !isCurrent(earlier)).or(() -> Optional.of(response));
            } catch (IOException e) {
                boolean sent =
                        !(e instanceof ConnectException
                                || e instanceof HttpConnectTimeoutException);
                if (sent && !method.equals("GET")) {
                    throw new CliException(
                            "Node %s got the request, but the answer never came (%s). It may or may not have been carried out."
                                    .formatted(node, reason(e)),
                            "Look before you repeat it: belay vm list");
                }
                tried.add("%s (%s)".formatted(node, reason(e)));
            }
        }
        return last.orElseThrow(() ->
                new CliException(
                        "No node answers. Tried: " + String.join(", ", tried),
                        "Start a node, or name one that runs with --api <url>, the variable BELAY_API or --lab <name>."));
    }

    private static HttpRequest request(
            URI node, String method, String path, Optional<Content> content, Duration time) {
        var base = node.toString().replaceAll("/+$", "");
        var publisher =
                content.map(c -> BodyPublishers.ofByteArray(c.bytes()))
                        .orElseGet(BodyPublishers::noBody);
        var request =
                HttpRequest.newBuilder(URI.create(base + "/api/v1" + path))
                        .timeout(time)
                        .method(method, publisher);
        content.ifPresent(c -> request.header("Content-Type", c.type()));
        return request.build();
    }

    private static Answer answer(HttpResponse<String> response) {
        return answer(response.statusCode(), response.body(), isCurrent(response));
    }

    private static boolean isCurrent(HttpResponse<?> response) {
        return response.headers().firstValue("Belay-Current").filter("false"::equals).isEmpty();
    }

    private static Answer answer(int status, String text, boolean current) {
        try {
            return new Answer(status, text, MAPPER.readTree(text), current);
        } catch (JsonProcessingException e) {
            throw new CliException(
                    "Expected JSON from a Belay node, but got something else (status %d)."
                            .formatted(status),
                    "Check the address: does another program listen there?");
        }
    }

    private static Answer good(Answer answer) {
        if (answer.status() < 400) {
            return answer;
        }
        var detail = answer.body().path("detail").asText();
        throw new CliException(
                detail.isEmpty()
                        ? "The node answered with status " + answer.status() + "."
                        : detail,
                answer.body().path("hint").asText());
    }

    private static String reason(IOException e) {
        if (e instanceof HttpConnectTimeoutException) {
            return "no answer within " + CONNECT.toSeconds() + " s";
        }
        var message = e.getMessage();
        return e instanceof ConnectException
                ? "connection refused"
                : message == null ? e.getClass().getSimpleName() : message;
    }

    @Override
    public void close() {
        // At once: an event stream never ends by itself.
        http.shutdownNow();
    }
}
