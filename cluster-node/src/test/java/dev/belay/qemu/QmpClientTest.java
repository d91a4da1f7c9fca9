package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class QmpClientTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String GREETING =
            "{\"received\":{\"QMP\":{\"version\":{},\"capabilities\":[\"oob\"]}}}";
    private static final String NEGOTIATION =
            "{\"sent\":{\"execute\":\"qmp_capabilities\",\"id\":1,\"arguments\":{\"enable\":[\"oob\"]}}}";
    private static final String AGREEMENT = "{\"received\":{\"return\":{},\"id\":1}}";
    private static final String QUERY = "{\"sent\":{\"execute\":\"query-status\",\"id\":2}}";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path dir;

    private final Heard heard = new Heard();

    private static final class Heard implements QmpListener {
        private final List<String> events = new CopyOnWriteArrayList<>();
        private final BlockingQueue<String> closings = new LinkedBlockingQueue<>();

        @Override
        public void onEvent(String name, JsonNode data) {
            events.add(name);
        }

        @Override
        public void onClose(String why) {
            closings.add(why);
        }
    }

    private ScriptedQmpServer serve(String... script) throws IOException {
        return new ScriptedQmpServer(dir.resolve("qmp"), List.of(script));
    }

    private QmpClient connect() {
        return Waiting.reply(QmpClient.connect(dir.resolve("qmp"), LONG, heard, QmpTap.NONE));
    }

    /** Real dialogues: QEMU 11.1.3 and its storage daemon. */
    @ParameterizedTest
    @ValueSource(strings = {"start", "panic", "poweroff", "storage", "storage-locked"})
    void aRecordedDialogueIsUnderstood(String name) throws Exception {
        var script = dialogue(name);
        try (var server = new ScriptedQmpServer(dir.resolve("qmp"), script);
                var client = connect()) {
            var replies = new ArrayList<CompletableFuture<JsonNode>>();
            var expectedEvents = new ArrayList<String>();
            for (var line : script) {
                var step = new ObjectMapper().readTree(line);
                if (step.path("received").has("event")) {
                    expectedEvents.add(step.at("/received/event").asText());
                }
                if (step.at("/sent/execute").isTextual()
                        && !step.at("/sent/execute").asText().equals("qmp_capabilities")) {
                    var arguments =
                            step.at("/sent/arguments") instanceof ObjectNode given
                                    ? given
                                    : QmpClient.arguments();
                    replies.add(
                            client.execute(step.at("/sent/execute").asText(), arguments, LONG)
                                    .toCompletableFuture());
                    // Some were refused, as recorded.
                    replies.getLast().handle((_, _) -> true).get(20, TimeUnit.SECONDS);
                }
            }
            server.played().get(20, TimeUnit.SECONDS);
            assertThat(heard.closings.poll(20, TimeUnit.SECONDS)).isNotNull();
            assertThat(heard.events).isEqualTo(expectedEvents);
        }
    }

    private static List<String> dialogue(String name) throws IOException {
        try (var stream = QmpClientTest.class.getResourceAsStream("/qmp/" + name + ".jsonl")) {
            assertThat(stream).isNotNull();
            return new String(stream.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        }
    }

    @Test
    void aRefusalCarriesClassAndDescription() throws Exception {
        try (var _ =
                        serve(
                                GREETING,
                                NEGOTIATION,
                                AGREEMENT,
                                QUERY,
                                "{\"received\":{\"id\":2,\"error\":{\"class\":\"GenericError\",\"desc\":\"no such thing\"}}}",
                                "{\"silence\":true}");
                var client = connect()) {
            assertThatThrownBy(() -> Waiting.reply(client.execute("query-status", LONG)))
                    .isInstanceOfSatisfying(
                            QmpException.class,
                            e -> {
                                assertThat(e.kind()).isEqualTo(QmpException.Kind.REFUSED);
                                assertThat(e.errorClass()).isEqualTo("GenericError");
                                assertThat(e.description()).isEqualTo("no such thing");
                            });
        }
    }

    @Test
    void aLostConnectionFailsWhatWaitsAndIsToldOnce() throws Exception {
        try (var _ = serve(GREETING, NEGOTIATION, AGREEMENT, QUERY);
                var client = connect()) {
            assertThatThrownBy(() -> Waiting.reply(client.execute("query-status", LONG)))
                    .isInstanceOfSatisfying(
                            QmpException.class,
                            e -> assertThat(e.kind()).isEqualTo(QmpException.Kind.LOST));
            assertThat(heard.closings.poll(20, TimeUnit.SECONDS)).isEqualTo("end of file");
            client.close();
            assertThat(heard.closings).isEmpty();
            assertThatThrownBy(() -> Waiting.reply(client.execute("query-status", LONG)))
                    .hasMessageContaining("disconnected");
        }
    }

    @Test
    void aCommandWithoutReplyTimesOutAndTheConnectionLives() throws Exception {
        try (var _ =
                        serve(
                                GREETING,
                                NEGOTIATION,
                                AGREEMENT,
                                QUERY,
                                "{\"sent\":{\"execute\":\"cont\",\"id\":3}}",
                                "{\"received\":{\"return\":{\"late\":true},\"id\":2}}",
                                "{\"received\":{\"return\":{},\"id\":3}}",
                                "{\"silence\":true}");
                var client = connect()) {
            assertThatThrownBy(() ->
                            Waiting.reply(client.execute("query-status", Duration.ofMillis(50))))
                    .isInstanceOfSatisfying(
                            QmpException.class,
                            e -> assertThat(e.kind()).isEqualTo(QmpException.Kind.TIMED_OUT));
            Waiting.reply(client.execute("cont", LONG));
            assertThat(client.isOpen()).isTrue();
        }
    }

    @Test
    void anOutOfBandCommandIsMarkedSo() throws Exception {
        try (var server =
                        serve(
                                GREETING,
                                NEGOTIATION,
                                AGREEMENT,
                                "{\"sent\":{\"exec-oob\":\"query-yank\",\"id\":2}}",
                                "{\"received\":{\"return\":[],\"id\":2}}");
                var client = connect()) {
            Waiting.reply(client.executeOutOfBand("query-yank", QmpClient.arguments(), LONG));
            server.played().get(20, TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"garbage\\n", "[1,2]\\n", "{\\\"neither\\\":1}\\n"})
    void garbageClosesTheConnection(String garbage) throws Exception {
        try (var _ =
                        serve(
                                GREETING,
                                NEGOTIATION,
                                AGREEMENT,
                                "{\"raw\":\"" + garbage + "\"}",
                                "{\"silence\":true}");
                var client = connect()) {
            assertThat(heard.closings.poll(20, TimeUnit.SECONDS)).contains("protocol error");
            assertThat(client.isOpen()).isFalse();
        }
    }

    @Test
    void aLineWithoutEndIsNotCollectedForEver() throws Exception {
        var line = "x".repeat(QmpLines.LONGEST + 20_000);
        try (var _ = serve(GREETING, NEGOTIATION, AGREEMENT, "{\"raw\":\"" + line + "\"}");
                var _ = connect()) {
            assertThat(heard.closings.poll(30, TimeUnit.SECONDS)).contains("one is longer");
        }
    }

    @Test
    void nobodyThereIsAnErrorAfterPatience() {
        assertThatThrownBy(() ->
                        Waiting.reply(
                                QmpClient.connect(
                                        dir.resolve("none"),
                                        Duration.ofMillis(100),
                                        heard,
                                        QmpTap.NONE)))
                .isInstanceOf(QmpException.class)
                .hasMessageContaining("nobody answers");
    }

    @Test
    void aServerThatNeverGreetsIsGivenUp() throws Exception {
        try (var _ = serve("{\"silence\":true}")) {
            assertThatThrownBy(() ->
                            Waiting.reply(
                                    QmpClient.connect(
                                            dir.resolve("qmp"),
                                            Duration.ofMillis(200),
                                            heard,
                                            QmpTap.NONE)))
                    .isInstanceOf(QmpException.class)
                    .hasMessageContaining("hangs");
        }
    }

    @Test
    void aDialogueIsRecordedAsItIsReplayed() throws Exception {
        var file = dir.resolve("record.jsonl");
        var script =
                List.of(
                        GREETING,
                        NEGOTIATION,
                        AGREEMENT,
                        QUERY,
                        "{\"received\":{\"return\":{},\"id\":2}}");
        try (var server = new ScriptedQmpServer(dir.resolve("qmp"), script);
                var client =
                        Waiting.reply(
                                QmpClient.connect(
                                        dir.resolve("qmp"), LONG, heard, QmpTap.into(file)))) {
            Waiting.reply(client.execute("query-status", LONG));
            server.played().get(20, TimeUnit.SECONDS);
        }
        assertThat(Files.readAllLines(file)).isEqualTo(script);
    }
}
