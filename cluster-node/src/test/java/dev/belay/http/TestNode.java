package dev.belay.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** The real endpoint on a free port of the loopback, in front of a fake cluster. */
public final class TestNode implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    public final FakeAdmin admin = new FakeAdmin();
    final HttpClient client = HttpClient.newHttpClient();
    private final ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "http-test");
    private final HttpServer server;

    public TestNode() {
        server =
                HttpServer.start(
                                system,
                                "127.0.0.1",
                                0,
                                admin,
                                new Limits(Duration.ofMillis(500), Duration.ofMillis(200)))
                        .toCompletableFuture()
                        .join();
    }

    record Answer(int status, String type, JsonNode body, HttpResponse<String> raw) {}

    public URI uri() {
        return server.uri();
    }

    int port() {
        return server.address().getPort();
    }

    Answer get(String path) {
        return send("GET", path, "", "");
    }

    Answer post(String path) {
        return send("POST", path, "", "");
    }

    Answer send(String method, String path, String type, String body) {
        var request =
                HttpRequest.newBuilder(uri().resolve(path))
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .timeout(Duration.ofSeconds(20));
        if (!type.isEmpty()) {
            request.header("Content-Type", type);
        }
        try {
            var response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            var kind = response.headers().firstValue("Content-Type").orElse("");
            return new Answer(
                    response.statusCode(),
                    kind,
                    kind.contains("json") ? MAPPER.readTree(response.body()) : MAPPER.nullNode(),
                    response);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A specification that is right, for a VM of this name. */
    public static String spec(String name) {
        return """
        {"name": "%s", "memoryMiB": 128, "kernel": "/boot/vmlinuz", "initrd": "/boot/initrd",
         "nics": [{"bridge": "br0", "address": "192.0.2.7"}]}\
        """
                .formatted(name);
    }

    Answer create(String name) {
        return send("POST", "/api/v1/vms", "application/json", spec(name));
    }

    @Override
    public void close() {
        server.stop().toCompletableFuture().join();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
        client.close();
    }
}
