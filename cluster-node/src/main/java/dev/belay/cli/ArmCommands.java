package dev.belay.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import dev.belay.cli.ApiClient.Answer;
import dev.belay.cli.ApiClient.Content;
import dev.belay.cli.CliCommands.Environment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code belay disarm} and {@code belay arm}. */
final class ArmCommands {
    private ArmCommands() {}

    @Command(
            name = "disarm",
            description =
                    "Stop automatic moves for a while: no server is fenced, no VM starts on another server. Arms itself again",
            mixinStandardHelpOptions = true)
    static final class Disarm implements Callable<Integer> {
        @Mixin private final Target target;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Option(
                names = "--for",
                required = true,
                paramLabel = "<time>",
                description = "How long, like 90s, 30m or 2h; at most 24h")
        private String time = "";

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "<text>",
                description = "Why, for your colleagues")
        private String reason = "";

        Disarm(Environment environment) {
            target = new Target(environment);
        }

        @Override
        public Integer call() {
            var length = duration();
            return target.run(session -> {
                var body = ApiClient.MAPPER.createObjectNode();
                body.put("forSeconds", length.toSeconds());
                body.put("reason", reason);
                Optional.ofNullable(System.getProperty("user.name"))
                        .filter(name -> !name.isBlank())
                        .ifPresent(name -> body.put("by", name));
                tell(session, session.client().post("/disarm", json(body)));
            });
        }

        private Duration duration() {
            try {
                return ConfigFactory.empty()
                        .withValue("for", ConfigValueFactory.fromAnyRef(time))
                        .getDuration("for");
            } catch (ConfigException e) {
                throw new ParameterException(
                        spec.commandLine(),
                        "Expected --for to be a time like 90s, 30m or 2h, but got '%s'"
                                .formatted(time));
            }
        }
    }

    @Command(
            name = "arm",
            description = "Move VMs automatically again, before the time of a disarming is over",
            mixinStandardHelpOptions = true)
    static final class Arm implements Callable<Integer> {
        @Mixin private final Target target;

        Arm(Environment environment) {
            target = new Target(environment);
        }

        @Override
        public Integer call() {
            return target.run(session -> tell(session, session.client().change("POST", "/arm")));
        }
    }

    static Content json(JsonNode body) {
        return new Content("application/json", body.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static void tell(Session session, Answer answer) {
        session.print(
                answer,
                () ->
                        session.out()
                                .println(
                                        notice(answer.body())
                                                .orElse("Armed: Belay moves VMs by itself.")));
    }

    /** What everybody should see while the cluster is disarmed. */
    static Optional<String> notice(JsonNode disarm) {
        return disarm.path("disarmed").asBoolean()
                ? Optional.of(
                        "DISARMED until %s by %s: %s. No VM is moved by itself; end it with: belay arm"
                                .formatted(
                                        disarm.path("until").asText(),
                                        disarm.path("by").asText(),
                                        disarm.path("reason").asText()))
                : Optional.empty();
    }
}
