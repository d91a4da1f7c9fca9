package dev.belay.explore;

import dev.belay.model.Level;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code belay explore}: docs/explorer.md. */
@Command(
        name = "belay explore",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Searches Belay's decisions for an order of events that breaks them: first all orders up to a depth,",
            "then random ones from seeds, in virtual time. Prints a trace that can be replayed, and ends with",
            "status 1, when a law does not hold. docs/explorer.md tells more."
        })
public final class ExploreCommand implements Callable<Integer> {
    /** The levels that are built. */
    static final class LevelWord implements ITypeConverter<Level> {
        @Override
        public Level convert(String word) {
            return Stream.of(Level.RESTART, Level.SYSTEM)
                    .filter(level -> level.name().equalsIgnoreCase(word))
                    .findFirst()
                    .orElseThrow(() ->
                            new TypeConversionException(
                                    "expected restart or system, but got '%s'".formatted(word)));
        }
    }

    @Option(
            names = "--seed",
            paramLabel = "N",
            description =
                    "First seed of the random runs, or the only one with --runs 1. Default: 1.")
    private long seed = 1;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Random steps in all. Default: ${DEFAULT-VALUE}.")
    private long steps = 500_000;

    @Option(
            names = "--runs",
            paramLabel = "N",
            description = "At most so many random runs. Default: as many as the steps allow.")
    private long runs = Long.MAX_VALUE;

    @Option(
            names = "--length",
            paramLabel = "N",
            description = "Steps of a random run before it is healed. Default: ${DEFAULT-VALUE}.")
    private int length = 1500;

    @Option(
            names = "--servers",
            paramLabel = "K",
            description = "Servers of the random runs, 2 to 8. Default: ${DEFAULT-VALUE}.")
    private int servers = 3;

    @Option(
            names = "--vms",
            paramLabel = "K",
            description = "VMs of the random runs, 1 to 8. Default: ${DEFAULT-VALUE}.")
    private int vms = 2;

    @Option(
            names = "--depth",
            paramLabel = "N",
            description =
                    "Depth of the search of all orders, with 2 servers and 1 VM; 0: none. Default: ${DEFAULT-VALUE}.")
    private int depth = 5;

    @Option(
            names = "--faults",
            paramLabel = "N",
            description = "Faults on one path of that search. Default: ${DEFAULT-VALUE}.")
    private int faults = 2;

    @Option(
            names = "--states",
            paramLabel = "N",
            description = "That search ends after so many states. Default: ${DEFAULT-VALUE}.")
    private long states = 1_000_000;

    @Option(
            names = "--level",
            paramLabel = "LEVEL",
            converter = LevelWord.class,
            description =
                    "Level of the VMs: restart, or system for VMs on two servers in lockstep. Default: ${DEFAULT-VALUE}.")
    private Level level = Level.RESTART;

    @Option(
            names = "--from",
            paramLabel = "WHERE",
            description =
                    "Where all orders begin at level system: ${COMPLETION-CANDIDATES}. Default: one after the other.")
    private List<Beginning> from = new ArrayList<>();

    @Option(names = "--shared", description = "The VMs' disks are shared by the servers.")
    private boolean shared;

    @Option(names = "--no-agents", description = "The servers have no fence agent.")
    private boolean noAgents;

    @Option(
            names = "--off",
            paramLabel = "RULE",
            description = "A rule that does not hold: ${COMPLETION-CANDIDATES}. May be repeated.")
    private List<Rule> off = new ArrayList<>();

    @Option(
            names = "--each-rule",
            description =
                    "Switches off one rule after the other, and shows the shortened trace of what breaks then.")
    private boolean eachRule;

    @Option(
            names = "--replay",
            paramLabel = "TRACE",
            description = "Runs this trace again, or the one in this file, and tells what happens.")
    private String replay = "";

    @SuppressWarnings("NullAway.Init") // by picocli
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    private long shown;

    @Override
    public Integer call() {
        if (!replay.isEmpty()) {
            return replay();
        }
        if (servers < 2 || servers > Setup.MOST || vms < 1 || vms > Setup.MOST) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    "Expected 2 to 8 servers and 1 to 8 VMs, but got %d and %d"
                            .formatted(servers, vms));
        }
        if (level == Level.SYSTEM && shared) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    "Expected no shared disks at level system: each server has its own copy there");
        }
        var out = spec.commandLine().getOut();
        if (eachRule) {
            return eachRule();
        }
        off.forEach(rule -> out.printf("off: %s (safety.md %s)%n", rule, rule.number()));
        return (depth == 0 || searchAll()) && (steps == 0 || searchRandom()) ? 0 : 1;
    }

    /** The table of docs/explorer.md. */
    private int eachRule() {
        for (var rule : Hunt.rules(level)) {
            var setup = Hunt.setup(EnumSet.of(rule));
            var found = Hunt.random(setup, seed, length, taken -> taken < steps);
            say(
                    found.map(it ->
                                    "%s (%s): %d steps; seed %d, after %,d steps: %s%n    %s"
                                            .formatted(
                                                    rule,
                                                    rule.number(),
                                                    it.trace().steps().size(),
                                                    it.seed(),
                                                    it.steps(),
                                                    it.law(),
                                                    it.trace()))
                            .orElse(
                                    "%s (%s): nothing in %,d steps"
                                            .formatted(rule, rule.number(), steps)));
        }
        return 0;
    }

    private void say(String line) {
        spec.commandLine().getOut().println(line);
        spec.commandLine().getOut().flush();
    }

    private boolean searchAll() {
        if (level == Level.RESTART) {
            return searchAll(Beginning.RUNNING);
        }
        var all = from.isEmpty() ? Beginning.OF_PAIRS : from;
        return all.stream().allMatch(this::searchAll);
    }

    private boolean searchAll(Beginning beginning) {
        var setup = Setup.of(2, 1, level, Setup.parse(off)).with(!noAgents, shared).coarse();
        var search = new BreadthFirst(depth, states, this::say);
        long began = System.nanoTime();
        var result = search.run(setup, beginning, faults);
        say(
                "all orders of 2 servers, a witness and a VM %s, up to depth %d with %d faults: %,d states, %,d steps, %,d states a second%s"
                        .formatted(
                                beginning.words(),
                                result.depth(),
                                faults,
                                result.states(),
                                result.steps(),
                                perSecond(result.states(), began),
                                result.complete() || result.violation().isPresent()
                                        ? ""
                                        : ", ended by --states"));
        result.violation()
                .ifPresent(
                        violation -> tell(new Trace(setup, false, violation.steps()), violation));
        return result.violation().isEmpty();
    }

    private static long perSecond(long count, long began) {
        return count * 1_000_000_000L / Math.max(1, System.nanoTime() - began);
    }

    private boolean searchRandom() {
        var setup = Setup.of(servers, vms, level, Setup.parse(off)).with(!noAgents, shared);
        long began = System.nanoTime();
        long taken = 0;
        long run = 0;
        while (taken < steps && run < runs) {
            var walk = new RandomWalk(setup, seed + run);
            var violation = walk.run(length);
            taken += walk.taken();
            if (violation.isPresent()) {
                say("seed %d".formatted(seed + run));
                tell(new Trace(setup, true, violation.get().steps()), violation.get());
                return false;
            }
            run++;
            long now = System.nanoTime();
            if (now - shown > 2_000_000_000L) {
                shown = now;
                say(
                        "random: %,d runs, %,d of %,d steps, %,d steps a second"
                                .formatted(run, taken, steps, perSecond(taken, began)));
            }
        }
        say(
                "random runs of %d servers and %d VMs at level %s from seed %d: %,d runs, %,d steps, %,d steps a second; every law held"
                        .formatted(servers, vms, level, seed, run, taken, perSecond(taken, began)));
        return true;
    }

    private void tell(Trace trace, RandomWalk.Violation violation) {
        say("BROKEN after " + violation.steps().size() + " steps: " + violation.law());
        var shown = trace;
        if (!violation.healed()) {
            shown = trace.shortened(violation.law());
            say("shortened to " + shown.steps().size() + " steps:");
        }
        shown.replay(60, this::say);
        say("replay with: ./belay explore --replay '" + shown + "'");
    }

    private int replay() {
        try {
            var file = Path.of(replay.contains(";") ? "." : replay);
            var text = Files.isRegularFile(file) ? Files.readString(file) : replay;
            var broken = Trace.parse(text).replay(Integer.MAX_VALUE, this::say);
            say(broken.map(law -> "BROKEN: " + law).orElse("every law held"));
            return broken.isPresent() ? 1 : 0;
        } catch (IOException | IllegalArgumentException e) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    public static void main(String[] words) {
        System.exit(
                new CommandLine(new ExploreCommand())
                        .setCaseInsensitiveEnumValuesAllowed(true)
                        .execute(words));
    }
}
