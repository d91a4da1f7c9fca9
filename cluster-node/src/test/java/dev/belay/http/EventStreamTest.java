package dev.belay.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.VmEvent;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EventStreamTest {
    private final TestNode node = new TestNode();

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void everyEventComesOnceAndInOrderWhileMoreAreWritten() throws Exception {
        write(250);
        try (var client = new Client("/api/v1/events/stream?from=1", "")) {
            client.await(100);
            write(250);
            client.await(500);

            assertThat(client.ids).isEqualTo(LongStream.rangeClosed(1, 500).boxed().toList());
        }
    }

    @Test
    void aClientThatComesBackMissesNothingAndSeesNothingTwice() throws Exception {
        write(10);
        List<Long> seen;
        try (var client = new Client("/api/v1/events/stream?from=1", "")) {
            client.await(10);
            seen = new ArrayList<>(client.ids);
        }
        write(10);
        // As a browser does: the old address, and the last id that it has seen.
        try (var client = new Client("/api/v1/events/stream?from=1", "" + seen.getLast())) {
            client.await(10);
            write(5);
            client.await(15);
            seen.addAll(client.ids);
        }

        assertThat(seen).isEqualTo(LongStream.rangeClosed(1, 25).boxed().toList());
    }

    @Test
    void withoutAPlaceToStartOnlyNewEventsCome() throws Exception {
        write(3);
        try (var client = new Client("/api/v1/events/stream", "")) {
            Awaitility.await().until(() -> client.heartbeats() > 0);
            write(1);
            client.await(1);

            assertThat(client.ids).containsExactly(4L);
        }
    }

    @Test
    void aQuietStreamBeatsAndALeftOneIsForgotten() throws Exception {
        try (var client = new Client("/api/v1/events/stream", "")) {
            Awaitility.await().until(() -> client.heartbeats() >= 2);
            assertThat(node.admin.feed.listeners).hasSize(1);
        }

        Awaitility.await().until(() -> node.admin.feed.listeners.isEmpty());
    }

    @Test
    void manyClientsSeeTheSameAndASlowOneHoldsUpNobody() throws Exception {
        var slow =
                node.client.send(
                        HttpRequest.newBuilder(node.uri().resolve("/api/v1/events/stream?from=1"))
                                .build(),
                        HttpResponse.BodyHandlers.ofInputStream());
        var clients = new ArrayList<Client>();
        for (int i = 0; i < 20; i++) {
            clients.add(new Client("/api/v1/events/stream?from=1", ""));
        }
        write(2000);
        for (var client : clients) {
            client.await(2000);
            assertThat(client.ids).isEqualTo(LongStream.rangeClosed(1, 2000).boxed().toList());
            client.close();
        }
        slow.body().close();
    }

    private void write(int events) {
        for (int i = 0; i < events; i++) {
            node.admin.feed.append("vm|web", new VmEvent.VmStopped(FakeAdmin.START));
        }
    }

    /** Reads a stream until it is closed. */
    private final class Client implements AutoCloseable {
        final List<Long> ids = Collections.synchronizedList(new ArrayList<>());
        private final List<String> lines = Collections.synchronizedList(new ArrayList<>());
        private final java.io.InputStream body;
        private final CompletableFuture<Void> reading;

        Client(String path, String lastEventId) throws Exception {
            var request = HttpRequest.newBuilder(node.uri().resolve(path));
            if (!lastEventId.isEmpty()) {
                request.header("Last-Event-ID", lastEventId);
            }
            var response =
                    node.client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.headers().firstValue("Content-Type").orElse(""))
                    .startsWith("text/event-stream");
            body = response.body();
            reading =
                    CompletableFuture.runAsync(this::read, task -> Thread.ofVirtual().start(task));
        }

        private void read() {
            try (var reader =
                    new java.io.BufferedReader(
                            new java.io.InputStreamReader(
                                    body, java.nio.charset.StandardCharsets.UTF_8))) {
                for (var line = reader.readLine(); line != null; line = reader.readLine()) {
                    lines.add(line);
                    if (line.startsWith("id:")) {
                        ids.add(Long.parseLong(line.substring(3).strip()));
                    }
                }
            } catch (java.io.IOException e) {
                // Closed by the test.
            }
        }

        void await(int count) {
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> ids.size() >= count);
        }

        long heartbeats() {
            return List.copyOf(lines).stream().filter(line -> line.equals("data:")).count();
        }

        @Override
        public void close() throws Exception {
            body.close();
            reading.get();
        }
    }
}
