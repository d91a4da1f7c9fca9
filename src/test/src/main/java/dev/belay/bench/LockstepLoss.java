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

    private static final String OPENED = "opened the output";
    private static final String DECIDED = "stored that and told";

    private final Benchmark.Plan plan;
    private final Fault fault;
    private final List<Run> runs = new ArrayList<>();
    private List<Double> fsyncs = List.of();
    private int failed;
    private long replies;
    private long wrong;

    /** Makes the primary's server lose its half, and says when. */
    private interface Fault {
        Instant happen(PairStage stage, String primary);
    }

    /** What is wanted of the medians, in ms. */
    private record Bars(double own, double fresh, double held, double again) {}

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

    private LockstepLoss(Benchmark.Plan plan, Fault fault) {
        this.plan = plan;
        this.fault = fault;
    }

    /** The primary's QEMU process is killed. */
    static List<Figure> qemu(Benchmark.Plan plan) {
        return new LockstepLoss(plan, LockstepLoss::killQemu)
                .figures("primary's QEMU killed", new Bars(60, 100, 260, 6000));
    }

    private static Instant killQemu(PairStage stage, String primary) {
        var pid = stage.pid(primary);
        var at = Instant.now();
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        return at;
    }

    /** The power of the primary's server is cut, silently. */
    static List<Figure> powerCut(Benchmark.Plan plan) {
        return new LockstepLoss(plan, (stage, primary) -> stage.lab().kill(primary))
                .figures("power of the primary's server cut", new Bars(1000, 1000, 1000, 60_000));
    }

    private List<Figure> figures(String what, Bars bars) {
        measure();
        if (runs.isEmpty()) {
            throw new LabException("no run succeeded");
        }
        return List.of(
                figure(what + " -> the other one's output open", Run::own, bars.own()),
                figure("... a fresh connection is answered", Run::fresh, bars.fresh()),
                figure("... longest wait on a connection held open", Run::held, bars.held()),
                figure(
                        "... in lockstep again (its server's boot included)",
                        Run::again,
                        bars.again()),
                figure("... longest wait on it meanwhile", Run::stall, 400),
                Figure.of(
                        "... replies wrong, lost or twice, of %d".formatted(replies),
                        "replies",
                        List.of((double) wrong),
                        0),
                Figure.of(
                        "... the arbiter: first sign taken up -> stored, order sent",
                        "ms",
                        runs.stream()
                                .flatMapToDouble(run -> run.decided().stream())
                                .boxed()
                                .toList(),
                        2 * Figure.median(fsyncs) + 5),
                Figure.of("... beside it: a bare fsync on this disk", "ms", fsyncs),
                Figure.of(
                        "... runs that failed, of %d".formatted(runs.size() + failed),
                        "runs",
                        List.of((double) failed),
                        0));
    }

    private Figure figure(String what, Function<Run, Double> value, double bar) {
        return Figure.of(what, "ms", runs.stream().map(value).toList(), bar);
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
            try (var client = new SteadyClient(stage.address())) {
                try {
                    while (runs.size() + failed < plan.runs()) {
                        runs.add(lose(stage, client));
                    }
                } finally {
                    var seen = client.seen();
                    replies += seen.replies();
                    wrong += seen.wrong() + (seen.broken().isPresent() ? 1 : 0);
                }
            }
        } catch (RuntimeException e) {
            // Also what nobody thought of: an hour of figures shall not go with it.
            failed++;
            plan.progress().say("%s FAILED: %s".formatted(number(), e));
        }
        return runs.size() > before;
    }

    private String number() {
        return "run %d of %d".formatted(runs.size() + failed, plan.runs());
    }

    private Run lose(PairStage stage, SteadyClient client) {
        do {
            stage.awaitLockstep();
            Stage.sleep(SETTLING);
        } while (!stage.isInLockstep());
        var primary = stage.primary();
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
        client.forget();
        stage.lab().start(primary);
        stage.lab().awaitReady(PairStage.PATIENCE);
        var back = System.nanoTime();
        stage.awaitLockstep();
        var again = (System.nanoTime() - back) / 1e6;
        var seen = client.seen();
        if (!seen.isFlawless()) {
            throw new LabException("the client noticed it: " + seen);
        }
        var run =
                new Run(
                        Duration.between(at, at(step(report, OPENED))).toNanos() / 1e6,
                        fresh,
                        held,
                        again,
                        seen.longest().toNanos() / 1e6,
                        decided(report));
        tell(primary, run, at, report);
        return run;
    }

    private void tell(String primary, Run run, Instant at, JsonNode report) {
        plan.progress()
                .say(
                        "run %d of %d: %s lost: output open after %.0f ms, fresh answer %.0f ms, longest wait %.0f ms; again in lockstep %.0f ms after its server was back, longest wait meanwhile %.0f ms"
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
