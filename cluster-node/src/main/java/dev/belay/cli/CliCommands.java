package dev.belay.cli;

import java.util.List;
import java.util.Optional;

/** The commands that talk to a cluster, to be added to the launcher's own. */
public final class CliCommands {
    private CliCommands() {}

    /** {@code vm}, {@code server}, {@code disarm} and so on, as picocli takes them. */
    public static List<Object> all() {
        return all(name -> Optional.ofNullable(System.getenv(name)));
    }

    static List<Object> all(Environment environment) {
        return List.of(
                new VmCommand(environment),
                new ServerCommand(environment),
                new ArmCommands.Disarm(environment),
                new ArmCommands.Arm(environment),
                new EventsCommand(environment));
    }

    /** The process's environment variables. */
    interface Environment {
        Optional<String> get(String name);
    }
}
