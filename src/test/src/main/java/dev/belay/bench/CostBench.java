package dev.belay.bench;

import dev.belay.lab.Elapsed;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code belay bench cost}. */
@Command(
        name = "cost",
        mixinStandardHelpOptions = true,
        description = {
            "Measures what level SYSTEM costs the clients of a guest, on a lab of two servers and a witness:",
            "the same VM, in lockstep and then at level RESTART, with replies that both copies give alike",
            "and with replies in which they differ, for several delays between checkpoints.",
            "Takes less than four minutes; run it on a machine that does nothing else."
        })
final class CostBench implements Callable<Integer> {
    private static final String GOVERNED = "governed";
    private static final int MOST_MILLIS = 60_000;

    @Option(
            names = "--runs",
            paramLabel = "N",
            defaultValue = "1",
            description = "How often each delay is measured (default: ${DEFAULT-VALUE}).")
    private int runs;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "3",
            description = "How long each measurement takes (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(
            names = "--every",
            paramLabel = "DELAY",
            split = ",",
            defaultValue = "governed,20,100,500,2000",
            description =
                    "Delays between checkpoints in ms, and 'governed' for what Belay sets by itself (default: ${DEFAULT-VALUE}).")
    private List<String> every = List.of();

    @Option(names = "--json", description = "Print the figures as JSON, with every value.")
    private boolean json;

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        if (runs < 1 || seconds < 1) {
            throw refused("--runs and --seconds take a number from 1 on");
        }
        var figures =
                Cost.measure(
                        new Cost.Plan(
                                runs,
                                Duration.ofSeconds(seconds),
                                every.stream().map(this::pace).toList(),
                                new Elapsed(System.err)));
        var out = spec.commandLine().getOut();
        out.println(json ? figures.json() : figures.table());
        out.flush();
        return figures.failed() > 0 ? 1 : 0;
    }

    private Cost.Pace pace(String word) {
        if (word.equals(GOVERNED)) {
            return new Cost.Pace(Optional.empty());
        }
        int millis = word.matches("\\d{1,5}") ? Integer.parseInt(word) : 0;
        if (millis < 1 || millis > MOST_MILLIS) {
            throw refused(
                    "--every takes '%s' and numbers from 1 to %d, not '%s'"
                            .formatted(GOVERNED, MOST_MILLIS, word));
        }
        return new Cost.Pace(Optional.of(Duration.ofMillis(millis)));
    }

    private ParameterException refused(String why) {
        return new ParameterException(spec.commandLine(), why);
    }
}
