package dev.belay.cli;

import dev.belay.cli.CliCommands.Environment;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code belay server …}. */
@Command(
        name = "server",
        description = "Show the cluster's servers and witnesses",
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
            session.print(
                    answer,
                    () ->
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
                                    "vms",
                                    "api"));
        });
    }

    @Command(
            description = "Show one node with all that is known of it",
            mixinStandardHelpOptions = true)
    int show(@Parameters(paramLabel = "<name>", description = "The node's name") String name) {
        return target.run(session -> {
            var answer =
                    session.client()
                            .get(
                                    "/servers/"
                                            + URLEncoder.encode(name, StandardCharsets.UTF_8)
                                                    .replace("+", "%20"));
            session.print(answer, () -> Table.printFields(session.out(), answer.body()));
        });
    }
}
