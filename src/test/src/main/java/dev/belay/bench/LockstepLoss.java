package dev.belay.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.lab.LabException;
import dev.belay.lab.SteadyClient;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Function;

/**
 * What clients notice when one of the two servers of a VM at level SYSTEM is lost. A run that fails
 * is told, and the next one begins in a new lab; what the others measured stays.
 */
final class LockstepLoss {
    private static final Duration SETTLING = Duration.ofSeconds(2);
    private static final int MORE_REPLIES = 20;

    /** So many failed runs in a row are not bad luck. */
    private static final int GIVE_UP = 3;

    private static final int LEADER_TRIES = 6;
    private static final double MORE_WHEN_LEADING = 1200;
    private static final double AGAIN = 6000;
    private static final double STALL = 400;

    private static final String OPENED = "opened the output";
    private static final String DECIDED = "stored that and told";

    private final Benchmark.Plan plan;
    private final LockstepFault fault;
    private final boolean led;
    private final List<Run> runs = new ArrayList<>();
    private List<Double> fsyncs = List.of();
    private int failed;
    private long replies;
    private long wrong;
    private DiskLines.Outcome disk = DiskLines.Outcome.NONE;
    private long unchecked;

    /**
     * One loss, in ms.
     *
     * @param decided absent when the VM's arbiter was lost as well
     */
    private record Run(
            double own,
            double fresh,
            double held,
            double again,
            double stall,
            OptionalDouble decided) {}

    private LockstepLoss(Benchmark.Plan plan, LockstepFault fault, boolean led) {
        this.plan = plan;
        this.fault = fault;
        this.led = led;
    }

    /** The journal is led from elsewhere, as Belay sees to. */
    static Benchmark.Measurement of(LockstepFault fault) {
        return plan -> new LockstepLoss(plan, fault, false).figures();
    }

    /** The server that is lost led the journal. */
    static Benchmark.Measurement ofTheLeader(LockstepFault fault) {
        return plan -> new LockstepLoss(plan, fault, true).figures();
    }

    private List<Figure> figures() {
        measure();
        if (runs.isEmpty()) {
            throw new LabException("no run succeeded");
        }
        var what = fault.words() + (led ? ", it led the journal" : "");
        var bars = led ? fault.bars().plus(MORE_WHEN_LEADING) : fault.bars();
        return List.of(
                figure(what + " -> other's output open", Run::own, bars.own())
                        .withP99(bars.ownP99()),
                figure("... a fresh connection is answered", Run::fresh, bars.fresh()),
                figure("... longest wait on a connection held open", Run::held, bars.held()),
                figure(
                        fault.losesTheServer()
                                ? "... its server ready again -> in lockstep again"
                                : "... output open -> in lockstep again",
                        Run::again,
                        AGAIN),
                figure("... longest wait on it meanwhile", Run::stall, STALL),
                count("replies wrong, lost or twice, of " + replies, "replies", wrong),
                count(
                        "acknowledged disk lines lost, of "
                                + disk.acknowledged()
                                + (unchecked == 0 ? "" : " (not checked: " + unchecked + ")"),
                        "lines",
                        disk.lost()),
                count(
                        "disk lines that are there twice, of " + disk.acknowledged(),
                        "lines",
                        disk.repeated()),
                Figure.of(
                        "... the arbiter: first sign taken up -> stored, order sent",
                        "ms",
                        runs.stream()
                                .flatMapToDouble(run -> run.decided().stream())
                                .boxed()
                                .toList(),
                        2 * Figure.median(fsyncs) + 5),
                Figure.of("... beside it: a bare fsync on this disk", "ms", fsyncs),
                count("runs that failed, of " + (runs.size() + failed), "runs", failed));
    }

    private Figure figure(String what, Function<Run, Double> value, double bar) {
        return Figure.of(what, "ms", runs.stream().map(value).toList(), bar);
    }

    /** Of what there shall be none. */
    private static Figure count(String what, String unit, long count) {
        return Figure.of("... " + what, unit, List.of((double) count), 0);
    }

    private void measure() {
        int inARow = 0;
        while (runs.size() + failed < plan.runs() && inARow < GIVE_UP) {
            inARow = inOneLab() ? 0 : inARow + 1;
        }
        if (inARow == GIVE_UP) {
            plan.progress().say(GIVE_UP + " labs in a row gave nothing; no more runs are tried");
        }
    }

    /** Runs until one fails. Says whether any succeeded. */
    private boolean inOneLab() {
        int before = runs.size();
        try (var stage = PairStage.set("SYSTEM", plan.progress())) {
            stage.awaitLockstep();
            if (fsyncs.isEmpty()) {
                fsyncs = JournalBench.fsyncs(stage.lab().folder());
            }
            var lines = new DiskLines(stage.address());
            try (lines) {
                loseOverAndOver(stage, lines);
            } finally {
                check(lines, stage);
            }
        } catch (RuntimeException e) {
            // Also what nobody thought of: an hour of figures shall not go with it.
            failed++;
            plan.progress().say("%s FAILED: %s".formatted(number(), e));
        }
        return runs.size() > before;
    }

    private void loseOverAndOver(PairStage stage, DiskLines lines) {
        try (var client = new SteadyClient(stage.address())) {
            try {
                while (runs.size() + failed < plan.runs()) {
                    runs.add(lose(stage, client, lines));
                }
            } finally {
                var seen = client.seen();
                replies += seen.replies();
                wrong += seen.wrong() + (seen.broken().isPresent() ? 1 : 0);
            }
        }
    }

    /** The guest knows what it wrote; only one that starts anew knows what its disk holds. */
    private void check(DiskLines lines, PairStage stage) {
        try {
            stage.restartGuest();
            var found = lines.check();
            plan.progress().say("on the guest's disk: " + found);
            disk = disk.plus(found);
        } catch (LabException e) {
            unchecked += lines.acknowledged();
            plan.progress().say("the guest's disk could not be checked: " + e.getMessage());
        }
    }

    private String number() {
        return "run %d of %d".formatted(runs.size() + failed, plan.runs());
    }

    /** In lockstep for a while, and the journal led from where it shall be. */
    private String primaryOf(PairStage stage) {
        for (int tries = 0; tries < LEADER_TRIES; tries++) {
            stage.awaitLockstep();
            if (led) {
                stage.letPrimaryLead();
            } else {
                PairStage.await(
                        "the journal to be led from elsewhere", () -> !stage.primaryLeads());
            }
            Stage.sleep(SETTLING);
            if (stage.isInLockstep() && stage.primaryLeads() == led) {
                return stage.primary();
            }
        }
        throw new LabException(
                "the VM was not in lockstep, with the journal led from %s, for two seconds"
                        .formatted(led ? "its server" : "elsewhere"));
    }

    private Run lose(PairStage stage, SteadyClient client, DiskLines lines) {
        var primary = primaryOf(stage);
        var failovers = stage.vm().path("failovers").asInt();
        client.forget();
        var before = client.seen().replies();
        var at = fault.happen(stage, primary);
        var began = System.nanoTime() - Duration.between(at, Instant.now()).toNanos();
        double fresh;
        try (var probes = new Probes(stage.address(), began)) {
            PairStage.await("a fresh answer", () -> probes.first().isPresent());
            fresh = probes.first().orElseThrow() / 1e6;
        }
        PairStage.await("replies", () -> client.seen().replies() > before + MORE_REPLIES);
        var held = client.seen().longest().toNanos() / 1e6;
        PairStage.await(
                "its report",
                () ->
                        stage.vm().path("failovers").asInt() > failovers
                                && stage.report().path("to").isTextual());
        var report = stage.report();
        var opened = at(step(report, OPENED));
        client.forget();
        var back = opened;
        if (fault.losesTheServer()) {
            fault.mend(stage.lab(), primary);
            stage.lab().awaitReady(PairStage.PATIENCE);
            back = Instant.now();
        }
        stage.awaitLockstepOn(report.path("to").asText());
        var again = millis(back, Instant.now());
        var seen = client.seen();
        if (!seen.isFlawless()) {
            throw new LabException("the client noticed it: " + seen);
        }
        if (lines.broken().isPresent()) {
            throw new LabException(
                    "the client that writes to the disk noticed it: " + lines.broken().get());
        }
        var stall = seen.longest().toNanos() / 1e6;
        var run = new Run(millis(at, opened), fresh, held, again, stall, decided(report));
        tell(primary, run, at, report);
        return run;
    }

    private static double millis(Instant from, Instant to) {
        return Duration.between(from, to).toNanos() / 1e6;
    }

    private void tell(String primary, Run run, Instant at, JsonNode report) {
        plan.progress()
                .say(
                        "run %d of %d: %s lost: output open after %.0f ms, fresh answer %.0f ms, longest wait %.0f ms; again in lockstep after %.0f ms, longest wait meanwhile %.0f ms"
                                .formatted(
                                        runs.size() + failed + 1,
                                        plan.runs(),
                                        primary,
                                        run.own(),
                                        run.fresh(),
                                        run.held(),
                                        run.again(),
                                        run.stall()));
        for (var step : report.path("steps")) {
            plan.progress()
                    .say(
                            "    %+6d ms  %-8s %s%s"
                                    .formatted(
                                            Duration.between(at, at(step)).toMillis(),
                                            step.path("where").asText(),
                                            step.path("what").asText(),
                                            step.path("tookMs").isNumber()
                                                    ? " (" + step.path("tookMs") + " ms)"
                                                    : ""));
        }
    }

    private static Instant at(JsonNode step) {
        if (step.isMissingNode()) {
            throw new LabException("the report does not say when the output was opened");
        }
        return Instant.parse(step.path("at").asText());
    }

    private static OptionalDouble decided(JsonNode report) {
        var took = step(report, DECIDED).path("tookMs");
        return took.isNumber() ? OptionalDouble.of(took.asDouble()) : OptionalDouble.empty();
    }

    /** The first that begins so; missing when none does. */
    private static JsonNode step(JsonNode report, String beginning) {
        for (var step : report.path("steps")) {
            if (step.path("what").asText().startsWith(beginning)) {
                return step;
            }
        }
        return report.path("steps").path(-1);
    }
}
