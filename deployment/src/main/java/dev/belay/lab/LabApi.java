package dev.belay.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The little of a node's HTTP API that the lab itself needs. */
final class LabApi {
    private static final Duration CONNECT = Duration.ofMillis(500);
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration CHANGE = Duration.ofSeconds(10);
    private static final int SHOWN = 160;
    private static final HttpClient HTTP =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(CONNECT)
                    .build();

    private LabApi() {}

    /** Empty: the node has joined and its journal is ready. Else why it is not, in few words. */
    static Optional<String> whyNotReady(URI api) {
        try {
            var answer = send(request(api, "/api/v1/health/ready", LOOK).GET().build());
            return answer.statusCode() == 200 ? Optional.empty() : Optional.of(why(answer));
        } catch (ConnectException e) {
            return Optional.of("does not answer yet");
        } catch (HttpTimeoutException e) {
            return Optional.of("does not answer");
        } catch (IOException e) {
            return Optional.of("does not answer properly: " + e.getMessage());
        }
    }

    private static String why(HttpResponse<String> answer) {
        var why = body(answer).path("why").asText("");
        return why.isEmpty()
                ? "answers %d: %s".formatted(answer.statusCode(), problem(answer))
                : "is not ready: " + why;
    }

    /** What a node says that is not cut off; else whatever one says. Absent: "not found". */
    static Optional<JsonNode> get(List<URI> apis, String path) {
        var answer = any(apis, path, LOOK, Method.GET, "");
        return answer.statusCode() == 404
                ? Optional.empty()
                : Optional.of(parsed(accepted(answer)));
    }

    /** Hands the same request to one node after the other until one takes it up. */
    static JsonNode post(List<URI> apis, String path, JsonNode body) {
        return parsed(accepted(any(apis, path, CHANGE, Method.POST, body.toString())));
    }

    /** Like {@link #post}; what is not there counts as deleted. */
    static void delete(List<URI> apis, String path) {
        var answer = any(apis, path, CHANGE, Method.DELETE, "");
        if (answer.statusCode() != 404) {
            accepted(answer);
        }
    }

    private enum Method {
        GET,
        POST,
        DELETE
    }

    private static HttpResponse<String> any(
            List<URI> apis, String path, Duration patience, Method method, String body) {
        var failures = new ArrayList<String>();
        var old = Optional.<HttpResponse<String>>empty();
        for (var api : apis) {
            try {
                var answer =
                        send(
                                request(api, path, patience)
                                        .header("Content-Type", "application/json")
                                        .method(
                                                method.name(),
                                                HttpRequest.BodyPublishers.ofString(body))
                                        .build());
                if (answer.statusCode() == 503) {
                    failures.add(api + ": " + shortened(answer));
                } else if (isCurrent(answer)) {
                    return answer;
                } else {
                    old = old.or(() -> Optional.of(answer));
                }
            } catch (ConnectException e) {
                failures.add(api + ": does not answer");
            } catch (IOException e) {
                failures.add(api + ": " + e.getMessage());
                if (method != Method.GET) {
                    // It may have been taken up: another try could do it twice.
                    break;
                }
            }
        }
        return old.orElseThrow(() ->
                new LabException("no node took " + path + ":\n  " + String.join("\n  ", failures)));
    }

    /** Not what a node that is cut off last knew. */
    private static boolean isCurrent(HttpResponse<String> answer) {
        return answer.headers().firstValue("Belay-Current").filter("false"::equals).isEmpty();
    }

    private static HttpRequest.Builder request(URI api, String path, Duration patience) {
        return HttpRequest.newBuilder(api.resolve(path)).timeout(patience);
    }

    private static HttpResponse<String> send(HttpRequest request) throws IOException {
        try {
            return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted", e);
        }
    }

    private static HttpResponse<String> accepted(HttpResponse<String> answer) {
        if (answer.statusCode() / 100 == 2) {
            return answer;
        }
        throw new LabException(
                answer.request().method()
                        + " "
                        + answer.uri()
                        + " was refused ("
                        + answer.statusCode()
                        + "): "
                        + problem(answer));
    }

    /** What an RFC 9457 problem says, or the body as it is. */
    private static String problem(HttpResponse<String> answer) {
        var body = body(answer);
        var title = body.path("title").asText("");
        var detail = body.path("detail").asText("");
        var text = title + (title.isEmpty() || detail.isEmpty() ? "" : ": ") + detail;
        return text.isEmpty() ? shortened(answer) : text;
    }

    /** Missing when it is no JSON. */
    private static JsonNode body(HttpResponse<String> answer) {
        try {
            return LabStore.JSON.readTree(answer.body());
        } catch (JsonProcessingException e) {
            return MissingNode.getInstance();
        }
    }

    private static String shortened(HttpResponse<String> answer) {
        var text = answer.body().strip().replaceAll("\\s+", " ");
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    }

    private static JsonNode parsed(HttpResponse<String> answer) {
        try {
            return LabStore.JSON.readTree(answer.body());
        } catch (JsonProcessingException e) {
            throw new LabException(
                    answer.uri() + " did not answer with JSON: " + shortened(answer), e);
        }
    }
}
