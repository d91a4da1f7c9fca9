package dev.belay.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.lab.Lab;
import dev.belay.lab.LabException;
import dev.belay.lab.SteadyClient;
import dev.belay.lab.TestVm;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** What clients notice when one of the two servers of a VM at level SYSTEM is lost. */
final class LockstepLoss implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Duration LOOK = Duration.ofMillis(20);
    private static final Duration SETTLING = Duration.ofSeconds(2);

    private final Lab lab;
    private final Benchmark.Plan plan;
    private final String address;
    private final SteadyClient client;
    private final List<Double> own = new ArrayList<>();
    private final List<Double> fresh = new ArrayList<>();
    private final List<Double> held = new ArrayList<>();
    private final List<Double> again = new ArrayList<>();
    private final List<Double> stall = new ArrayList<>();

    private LockstepLoss(Benchmark.Plan plan) {
        this.plan = plan;
        plan.progress().say("bringing up a lab, and a VM on two servers");
        lab = Lab.up(Stage.options());
        address =
                lab.vm(
                                TestVm.of(Stage.VM)
                                        .withLevel("SYSTEM")
                                        .withDisk(TestVm.Disk.MIRRORED)
                                        .withAwait(PATIENCE))
                        .address();
        awaitLockstep();
        client = new SteadyClient(address);
    }

    @Override
    public void close() {
        client.close();
        lab.down();
    }

    /** The primary's QEMU process is killed. */
    static List<Figure> qemu(Benchmark.Plan plan) {
        try (var stage = new LockstepLoss(plan)) {
            for (int run = 1; run <= plan.runs(); run++) {
                stage.lose(primary -> {
                    var pid =
                            stage.lab.qemus(Stage.VM).stream()
                                    .filter(qemu -> qemu.node().equals(primary))
                                    .findFirst()
                                    .orElseThrow()
                                    .pid();
                    var at = Instant.now();
                    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
                    return at;
                });
            }
            return stage.figures("primary's QEMU killed", 60, 100, 260, 6000);
        }
    }

    /** The power of the primary's server is cut, silently. */
    static List<Figure> powerCut(Benchmark.Plan plan) {
        try (var stage = new LockstepLoss(plan)) {
            for (int run = 1; run <= plan.runs(); run++) {
                stage.lose(stage.lab::kill);
            }
            return stage.figures("power of the primary's server cut", 1000, 1000, 1000, 60_000);
        }
    }

    private List<Figure> figures(
            String what, double ownBar, double freshBar, double heldBar, double againBar) {
        var seen = client.seen();
        return List.of(
                Figure.of(what + " -> the other one's output open", "ms", own, ownBar),
                Figure.of("... a fresh connection is answered", "ms", fresh, freshBar),
                Figure.of("... longest wait on a connection held open", "ms", held, heldBar),
                Figure.of(
                        "... in lockstep again (its server's boot included)",
                        "ms",
                        again,
                        againBar),
                Figure.of("... longest wait on it meanwhile", "ms", stall, 400),
                Figure.of(
                        "... replies wrong, lost or twice, of %d".formatted(seen.replies()),
                        "replies",
                        List.of((double) seen.wrong() + (seen.broken().isPresent() ? 1 : 0)),
                        0));
    }

    private interface Fault {
        /** Returns when it happened. */
        Instant happen(String primary);
    }

    private void lose(Fault fault) {
        do {
            awaitLockstep();
            Stage.sleep(SETTLING);
        } while (!isInLockstep());
        var primary = vm().path("primary").asText();
        var failovers = vm().path("failovers").asInt();
        client.forget();
        var before = client.seen().replies();
        var at = fault.happen(primary);
        var began = System.nanoTime() - Duration.between(at, Instant.now()).toNanos();
        try (var probes = new Probes(address, began)) {
            await("a fresh answer", () -> probes.first().isPresent());
            fresh.add(probes.first().orElseThrow() / 1e6);
        }
        await("replies", () -> client.seen().replies() > before + 20);
        held.add(client.seen().longest().toNanos() / 1e6);
        await("its report", () -> vm().path("failovers").asInt() > failovers && isTold());
        own.add(Duration.between(at, opened()).toNanos() / 1e6);
        var failover = report().path("steps");
        client.forget();
        lab.start(primary);
        lab.awaitReady(PATIENCE);
        var back = System.nanoTime();
        awaitLockstep();
        again.add((System.nanoTime() - back) / 1e6);
        stall.add(client.seen().longest().toNanos() / 1e6);
        plan.progress()
                .say(
                        "%s lost: output open after %.0f ms, fresh answer %.0f ms, longest wait %.0f ms; again in lockstep %.0f ms after its server was back, longest wait meanwhile %.0f ms"
                                .formatted(
                                        primary,
                                        own.getLast(),
                                        fresh.getLast(),
                                        held.getLast(),
                                        again.getLast(),
                                        stall.getLast()));
        for (var step : failover) {
            plan.progress()
                    .say(
                            "    %+6d ms  %-8s %s%s"
                                    .formatted(
                                            Duration.between(
                                                            at,
                                                            Instant.parse(step.path("at").asText()))
                                                    .toMillis(),
                                            step.path("where").asText(),
                                            step.path("what").asText(),
                                            step.path("tookMs").isNumber()
                                                    ? " (" + step.path("tookMs") + " ms)"
                                                    : ""));
        }
        var seen = client.seen();
        if (!seen.isFlawless()) {
            throw new LabException("the client noticed it: " + seen);
        }
    }

    private boolean isTold() {
        return report().path("to").isTextual();
    }

    /** By the report: when the survivor's guest was heard again. */
    private Instant opened() {
        return at("opened the output");
    }

    private Instant at(String beginning) {
        for (var step : report().path("steps")) {
            if (step.path("what").asText().startsWith(beginning)) {
                return Instant.parse(step.path("at").asText());
            }
        }
        throw new LabException(
                "No step of the report begins with '%s': %s".formatted(beginning, report()));
    }

    private JsonNode report() {
        var all = lab.get("/api/v1/vms/" + Stage.VM + "/failovers").orElseThrow();
        return all.get(all.size() - 1);
    }

    private JsonNode vm() {
        return lab.get("/api/v1/vms/" + Stage.VM).orElseThrow();
    }

    private boolean isInLockstep() {
        return vm().path("state").asText().equals("Lockstep");
    }

    private void awaitLockstep() {
        await("lockstep", this::isInLockstep);
    }

    private static void await(String what, BooleanSupplier done) {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                if (done.getAsBoolean()) {
                    return;
                }
            } catch (LabException e) {
                // No node takes questions at the moment; that is what is waited out.
            }
            if (System.nanoTime() > deadline) {
                throw new LabException(
                        "waited for " + what + " for " + PATIENCE.toSeconds() + " s, in vain");
            }
            Stage.sleep(LOOK);
        }
    }
}
