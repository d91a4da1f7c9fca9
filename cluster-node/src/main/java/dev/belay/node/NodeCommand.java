package dev.belay.node;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code belay node}: runs until it is told to stop. */
@Command(
        name = "node",
        mixinStandardHelpOptions = true,
        description = {
            "Runs this machine's node in the foreground: a server or a witness of a cluster.",
            "SIGTERM ends it; the VMs on this server run on, and are found again when it is back within the lease.",
            "Exit codes: 1 configuration or start failed, 3 the journal's peer had to stop (start it again),",
            "4 the data folder is empty but this voter took part before (see 'belay server readmit')."
        })
public final class NodeCommand implements Callable<Integer> {
    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            defaultValue = "/etc/belay/belay.conf",
            description =
                    "the node's configuration, default ${DEFAULT-VALUE}; all keys: docs/configuration.md")
    private Path config = Path.of("/etc/belay/belay.conf");

    @Override
    public Integer call() {
        return run(config);
    }

    /** Runs the node until it ends; the exit code. */
    public static int run(Path config) {
        try {
            RunningNode.start(NodeSettings.load(config)).awaitEnd();
            return 0;
        } catch (NodeSettings.BadConfiguration | RunningNode.CannotStart e) {
            System.err.println("belay node: " + e.getMessage());
            return 1;
        }
    }
}
