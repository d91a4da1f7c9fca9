package dev.belay;

import dev.belay.cli.CliCommands;
import dev.belay.lab.Demo;
import dev.belay.lab.LabCommand;
import dev.belay.node.NodeCommand;
import java.nio.file.Path;
import java.util.Arrays;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Where the launcher enters: {@code belay <command> …}. */
@Command(
        name = "belay",
        mixinStandardHelpOptions = true,
        subcommands = {LabCommand.class, Demo.class, NodeCommand.class})
public final class Main {
    private Main() {}

    public static void main(String[] words) {
        // A node that died is awaited: it does not wait for the other commands to be put together.
        if (words.length > 0 && words[0].equals("node")) {
            // As a supervisor writes it, it needs no parser either.
            if (words.length == 3 && words[1].equals("--config")) {
                System.exit(NodeCommand.run(Path.of(words[2])));
            }
            System.exit(
                    versioned(new CommandLine(new NodeCommand()).setCommandName("belay node"))
                            .execute(Arrays.copyOfRange(words, 1, words.length)));
        }
        var line = new CommandLine(new Main()).setCaseInsensitiveEnumValuesAllowed(true);
        CliCommands.all().forEach(line::addSubcommand);
        System.exit(LabCommand.plainErrors(versioned(line)).execute(words));
    }

    /** Lets {@code --version} of every command tell which Belay this is. */
    private static CommandLine versioned(CommandLine line) {
        line.getCommandSpec()
                .version("belay " + Main.class.getPackage().getImplementationVersion());
        line.getSubcommands().values().forEach(Main::versioned);
        return line;
    }
}
