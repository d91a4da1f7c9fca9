package dev.belay.system;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.belay.lab.Lab;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Plain requests to a node, for what the lab's own client would not send. */
final class Api {
    private static final ObjectMapper JSON = new ObjectMapper();

    record Answer(int status, JsonNode body) {
        String detail() {
            return body.path("detail").asText() + " " + body.path("errors");
        }
    }

    private Api() {}

    static Answer call(Lab lab, String method, String path, String json) {
        return call(lab.apis().getFirst(), method, path, json);
    }

    static Answer call(URI api, String method, String path, String json) {
        // A client of its own: a pooled connection would outlive the node that is cut from power.
        try (var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
            var request =
                    HttpRequest.newBuilder(api.resolve(path))
                            .timeout(Duration.ofSeconds(20))
                            .header("Content-Type", "application/json")
                            .method(
                                    method,
                                    json.isEmpty()
                                            ? BodyPublishers.noBody()
                                            : BodyPublishers.ofString(json))
                            .build();
            HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
            return new Answer(
                    response.statusCode(),
                    response.body().isEmpty() ? JSON.nullNode() : JSON.readTree(response.body()));
        } catch (IOException e) {
            throw new IllegalStateException(method + " " + path + " failed: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
