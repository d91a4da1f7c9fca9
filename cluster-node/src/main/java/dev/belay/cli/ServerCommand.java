package dev.belay.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.cli.ApiClient.Answer;
import dev.belay.cli.CliCommands.Environment;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code belay server …}. */
@Command(
        name = "server",
        description = "Show the cluster's servers and witnesses, and tell what you know of them",
        mixinStandardHelpOptions = true)
final class ServerCommand {
    @Mixin private final Target target;

    ServerCommand(Environment environment) {
        target = new Target(environment);
    }

    @Command(description = "List all nodes", mixinStandardHelpOptions = true)
    int list() {
        return target.run(session -> {
            var answer = session.client().get("/servers");
            var notice =
                    session.json()
                            ? Optional.<String>empty()
                            : ArmCommands.notice(session.client().get("/disarm").body());
            session.print(
                    answer,
                    () -> {
                        notice.ifPresent(session.out()::println);
                        Table.print(
                                session.out(),
                                answer.body(),
                                "name",
                                "role",
                                "state",
                                "voter",
                                "incarnation",
                                "memoryMiB",
                                "reservedMiB",
                                "qemu",
                                "vms",
                                "secondaries",
                                "api");
                    });
        });
    }

    @Command(
            description = "Show one node with all that is known of it",
            mixinStandardHelpOptions = true)
    int show(@Parameters(paramLabel = "<name>", description = "The node's name") String name) {
        return target.run(session -> {
            var answer = session.client().get(path(name));
            session.print(answer, () -> Table.printFields(session.out(), answer.body()));
        });
    }

    @Command(
            description = "End a server's quarantine: it gets new VMs again",
            mixinStandardHelpOptions = true)
    int release(@Parameters(paramLabel = "<name>", description = "The server's name") String name) {
        return target.run(
                session -> tell(session, session.client().change("POST", path(name) + "/release")));
    }

    @Command(
            description = {
                "Empty a server before you work on it, and keep new VMs off it until you activate it.",
                "VMs at level SYSTEM go on on their other server and do not notice. What cannot move stays and is told."
            },
            mixinStandardHelpOptions = true)
    int maintenance(
            @Parameters(paramLabel = "<name>", description = "The server's name") String name,
            @Option(
                            names = "--restart-vms",
                            description =
                                    "Also shut down VMs that cannot move while they run, and start them elsewhere")
                    boolean restart,
            @Option(names = "--no-wait", description = "Do not wait until it is empty")
                    boolean noWait,
            @Option(
                            names = "--timeout",
                            paramLabel = "<seconds>",
                            defaultValue = "600",
                            converter = Seconds.class,
                            description = "Wait no longer than this; default: ${DEFAULT-VALUE}")
                    int timeout) {
        return target.run(session -> {
            var answer =
                    session.client()
                            .change(
                                    "POST",
                                    path(name)
                                            + "/maintenance"
                                            + (restart ? "?restartVms=true" : ""));
            tell(
                    session,
                    noWait
                            ? answer
                            : new EmptyingProgress(
                                            session,
                                            path(name),
                                            name,
                                            restart,
                                            Duration.ofSeconds(timeout))
                                    .untilEmpty());
        });
    }

    @Command(
            description = "End a server's maintenance: it gets VMs again",
            mixinStandardHelpOptions = true)
    int activate(
            @Parameters(paramLabel = "<name>", description = "The server's name") String name) {
        return target.run(session ->
                tell(session, session.client().change("POST", path(name) + "/activate")));
    }

    @Command(
            name = "confirm-off",
            description = {
                "Tell Belay that a server is off, so that its VMs start elsewhere when its lease is over.",
                "Look at the machine itself first: if it runs after all, its VMs are stopped there."
            },
            mixinStandardHelpOptions = true)
    int confirmOff(
            @Parameters(paramLabel = "<name>", description = "The server's name") String name,
            @Option(
                            names = "--yes-i-checked",
                            required = true,
                            description = "I have seen with my own eyes that it is off")
                    boolean checked) {
        return target.run(session -> {
            var body = ApiClient.MAPPER.createObjectNode().put("confirm", checked ? name : "");
            tell(
                    session,
                    session.client().post(path(name) + "/confirm-off", ArmCommands.json(body)));
        });
    }

    @Command(
            description = {
                "Let a node that lost its data folder begin with an empty one.",
                "Until it has what the others have, the journal does without it: all the others must be up."
            },
            mixinStandardHelpOptions = true)
    int readmit(@Parameters(paramLabel = "<name>", description = "The node's name") String name) {
        return target.run(session -> {
            tell(session, session.client().change("POST", path(name) + "/readmit"));
            if (!session.json()) {
                session.out().println("Now start it again; it catches up by itself.");
            }
        });
    }

    private static void tell(Session session, Answer answer) {
        var body = answer.body();
        session.print(
                answer,
                () ->
                        session.out()
                                .println(
                                        "%s: %s. %s"
                                                .formatted(
                                                        body.path("name").asText(),
                                                        body.path("state").asText(),
                                                        body.path("explanation").asText())));
        if (!session.json()) {
            warnings(body.path("maintenance")).forEach(session.out()::println);
        }
    }

    private static List<String> warnings(JsonNode maintenance) {
        return maintenance
                .path("unprotected")
                .valueStream()
                .map(vm ->
                        "WARNING: %s runs on one server only, because no other one takes its second copy now."
                                .formatted(vm.asText()))
                .toList();
    }

    private static String path(String name) {
        if (name.isBlank()) {
            throw new CliException(
                    "Expected a server's name, but got nothing.", "See: belay server list");
        }
        return "/servers/" + URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
