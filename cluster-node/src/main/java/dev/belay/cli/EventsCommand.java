package dev.belay.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.belay.cli.CliCommands.Environment;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code belay events}: the journal, from any place on. */
@Command(
        name = "events",
        description = "Show what happened in the cluster, and follow what happens",
        mixinStandardHelpOptions = true)
final class EventsCommand implements Callable<Integer> {
    private static final int PAGE = 500;
    private static final Duration PAUSE = Duration.ofSeconds(1);

    @Mixin private final Target target;

    @Option(
            names = "--from",
            paramLabel = "<offset>",
            defaultValue = "1",
            description = "Begin with this one; default: ${DEFAULT-VALUE}")
    private long from;

    @Option(
            names = "--follow",
            description =
                    "Go on with new ones until interrupted; with --json one event in each line")
    private boolean follow;

    EventsCommand(Environment environment) {
        target = new Target(environment);
    }

    @Override
    public Integer call() {
        return target.run(follow ? this::follow : this::pages);
    }

    private void pages(Session session) throws InterruptedException {
        long next = from;
        while (true) {
            var answer = session.client().get("/events?from=%d&max=%d".formatted(next, PAGE));
            var events = answer.body().path("events");
            // The first page is printed even when it is empty: it is what was asked for.
            if (!events.isEmpty() || next == from) {
                session.print(answer, () -> events.forEach(event -> print(session, event)));
            }
            next = answer.body().path("next").asLong(next);
            if (events.size() < PAGE) {
                return;
            }
        }
    }

    /** Goes on where it was after a lost connection, at any node; ends when no node answers. */
    private void follow(Session session) throws InterruptedException {
        long next = from;
        while (true) {
            try (var lines =
                    new BufferedReader(
                            new InputStreamReader(
                                    session.client().stream("/events/stream?from=" + next),
                                    StandardCharsets.UTF_8))) {
                for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                    var after = take(session, line);
                    next = after.isPresent() ? after.getAsLong() : next;
                }
            } catch (IOException e) {
                session.err()
                        .println(
                                "belay: the stream broke off (%s); going on from %d"
                                        .formatted(e.getMessage(), next));
                session.err().flush();
            }
            Thread.sleep(PAUSE);
        }
    }

    /** One line of the stream; where to go on when it held an event. */
    private static OptionalLong take(Session session, String line) throws JsonProcessingException {
        if (!line.startsWith("data:") || line.length() <= "data:".length()) {
            return OptionalLong.empty();
        }
        var text = line.substring("data:".length()).strip();
        var event = ApiClient.MAPPER.readTree(text);
        if (session.json()) {
            session.out().println(text);
        } else {
            print(session, event);
        }
        session.out().flush();
        return OptionalLong.of(event.path("offset").asLong() + 1);
    }

    private static void print(Session session, JsonNode event) {
        var fields = event.path("event").deepCopy();
        if (fields instanceof ObjectNode object) {
            object.remove("type");
            object.remove("at");
        }
        session.out()
                .println(
                        "%6d  %s  %s %s  %s  %s"
                                .formatted(
                                        event.path("offset").asLong(),
                                        Table.text(event.path("at")),
                                        event.path("kind").asText(),
                                        event.path("name").asText(),
                                        event.path("event").path("type").asText(),
                                        fields.isEmpty() ? "" : Table.text(fields))
                                .stripTrailing());
    }
}
