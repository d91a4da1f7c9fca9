package dev.belay.bench;

import dev.belay.lab.Elapsed;
import dev.belay.lab.LabException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code belay bench failover}. */
@Command(
        name = "failover",
        mixinStandardHelpOptions = true,
        description = {
            "Measures failovers on a lab of two servers and a witness, and what Belay costs at rest.",
            "All of it takes an hour and a half; run it on a machine that does nothing else.",
            "Names for --only: server, server-fenced, processes, processes-fenced, client, qemu, node,",
            "lockstep, lockstep-processes, lockstep-server, lockstep-server-led, lockstep-cut,",
            "lockstep-pause, load, rest, start, journal."
        })
final class FailoverBench implements Callable<Integer> {
    private static final List<Benchmark> ALL =
            List.of(
                    new Benchmark("start", "lab up", Quiet::start),
                    new Benchmark("rest", "nodes at rest", Quiet::rest),
                    new Benchmark("qemu", "QEMU killed", ProcessLoss::qemu),
                    new Benchmark("node", "node process killed", ProcessLoss::node),
                    new Benchmark("server", "power cut", ServerLoss::powerCut),
                    new Benchmark("server-fenced", "power cut, agent", ServerLoss::powerCutFenced),
                    new Benchmark("processes", "all processes killed", ServerLoss::processes),
                    new Benchmark(
                            "processes-fenced",
                            "all processes killed, agent",
                            ServerLoss::processesFenced),
                    new Benchmark("client", "power cut, seen by a client", ServerLoss::client),
                    lockstep("lockstep", LockstepFault.QEMU),
                    lockstep("lockstep-processes", LockstepFault.PROCESSES),
                    lockstep("lockstep-server", LockstepFault.POWER_CUT),
                    new Benchmark(
                            "lockstep-server-led",
                            "in lockstep: power of the primary's server cut, it led the journal",
                            LockstepLoss.ofTheLeader(LockstepFault.POWER_CUT)),
                    lockstep("lockstep-cut", LockstepFault.CUT),
                    lockstep("lockstep-pause", LockstepFault.PAUSE),
                    new Benchmark("journal", "a journal write", JournalBench::figures),
                    new Benchmark("load", "two busy cores", Quiet::load));

    @Option(
            names = "--runs",
            paramLabel = "N",
            defaultValue = "10",
            description = "How often each fault happens (default: ${DEFAULT-VALUE}).")
    private int runs;

    @Option(
            names = "--minutes",
            paramLabel = "N",
            defaultValue = "10",
            description = "How long the cores are kept busy (default: ${DEFAULT-VALUE}).")
    private int minutes;

    @Option(
            names = "--only",
            paramLabel = "NAME",
            split = ",",
            description = "Measure only these, names separated by commas.")
    private List<String> only = List.of();

    @Option(names = "--json", description = "Print the figures as JSON, with every value.")
    private boolean json;

    @Spec private CommandSpec spec = CommandSpec.create();

    private static Benchmark lockstep(String name, LockstepFault fault) {
        return new Benchmark(name, "in lockstep: " + fault.words(), LockstepLoss.of(fault));
    }

    @Override
    public Integer call() {
        if (runs < 1 || minutes < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--runs and --minutes take a number from 1 on");
        }
        var chosen = chosen();
        var plan = new Benchmark.Plan(runs, Duration.ofMinutes(minutes), new Elapsed(System.err));
        var figures = new ArrayList<Figure>();
        var failed = false;
        for (var benchmark : chosen) {
            plan.progress().say("--- " + benchmark.name() + ": " + benchmark.what());
            try {
                figures.addAll(benchmark.measurement().take(plan));
            } catch (LabException e) {
                // The others may still tell something.
                failed = true;
                plan.progress().say(benchmark.name() + " FAILED: " + e.getMessage());
            }
        }
        var out = spec.commandLine().getOut();
        out.println(json ? Figures.json(figures) : Figures.table(figures));
        out.flush();
        return failed ? 1 : 0;
    }

    private List<Benchmark> chosen() {
        var names = ALL.stream().map(Benchmark::name).collect(Collectors.toSet());
        for (var name : only) {
            if (!names.contains(name)) {
                throw new ParameterException(
                        spec.commandLine(), "there is no '" + name + "' to measure");
            }
        }
        return ALL.stream()
                .filter(benchmark -> only.isEmpty() || only.contains(benchmark.name()))
                .toList();
    }
}
