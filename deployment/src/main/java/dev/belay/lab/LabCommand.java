package dev.belay.lab;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code belay lab …}: a thin shell around {@link Lab}. Exit codes: 0 done, 1 failed, 2 usage. */
@Command(
        name = "lab",
        mixinStandardHelpOptions = true,
        description = {
            "A real cluster on this machine, to try things out and to break them.",
            "Every node is a JVM of its own in a network namespace of its own. Needs root."
        },
        subcommands = {
            LifeCommands.Up.class,
            LifeCommands.StatusOf.class,
            LifeCommands.ListAll.class,
            FaultCommands.Kill.class,
            FaultCommands.Crash.class,
            FaultCommands.Pause.class,
            FaultCommands.Resume.class,
            FaultCommands.Cut.class,
            FaultCommands.Heal.class,
            FaultCommands.Flap.class,
            FaultCommands.Clock.class,
            LifeCommands.Start.class,
            LabVmCommand.class,
            LifeCommands.Logs.class,
            LifeCommands.Down.class
        })
public final class LabCommand implements Runnable {
    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "what should the lab do?");
    }

    /**
     * Makes a command line print {@link LabException}s as one message and exit with 1, with 2 when
     * what was asked for cannot be. For the command line that this command is a part of.
     */
    public static CommandLine plainErrors(CommandLine line) {
        return line.setExecutionExceptionHandler((problem, command, _) -> {
            if (!(problem instanceof LabException)) {
                throw problem;
            }
            command.getErr().println("belay: " + problem.getMessage());
            command.getErr().flush();
            return problem instanceof LabUsageException ? ExitCode.USAGE : ExitCode.SOFTWARE;
        });
    }
}
