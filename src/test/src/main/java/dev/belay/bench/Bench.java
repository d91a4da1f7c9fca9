package dev.belay.bench;

import dev.belay.lab.LabCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code belay bench …}. */
@Command(
        name = "belay bench",
        mixinStandardHelpOptions = true,
        description = "Measures Belay on this machine. Needs root.",
        subcommands = {FailoverBench.class, CostBench.class})
public final class Bench implements Runnable {
    @Spec private CommandSpec spec = CommandSpec.create();

    private Bench() {}

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "what should be measured?");
    }

    public static void main(String[] words) {
        System.exit(LabCommand.plainErrors(new CommandLine(new Bench())).execute(words));
    }
}
