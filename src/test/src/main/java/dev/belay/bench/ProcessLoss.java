package dev.belay.bench;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** What a VM notices when one process dies. */
final class ProcessLoss {
    /** Longer than any lease lasts: what is undisturbed then has been renewed. */
    private static final Duration LEASE_AND_MORE = Duration.ofMillis(4500);

    private ProcessLoss() {}

    static List<Figure> qemu(Benchmark.Plan plan) {
        var times = new ArrayList<Double>();
        try (var stage = Stage.set(Stage.options(), plan.progress())) {
            for (int run = 1; run <= plan.runs(); run++) {
                // A new one each time: one whose QEMU dies again and again is kept back.
                stage.createVm();
                stage.settle();
                var old = stage.qemu();
                var at = Instant.now();
                ProcessHandle.of(old.pid()).orElseThrow().destroyForcibly();
                times.add(stage.untilAnother(old, at));
                var now = stage.qemu().node();
                plan.progress()
                        .say(
                                "QEMU killed on %s, started on %s after %.0f ms"
                                        .formatted(old.node(), now, times.getLast()));
                stage.settle();
                stage.deleteVm();
            }
        }
        return List.of(Figure.of("QEMU killed -> started again", "ms", times, 150));
    }

    static List<Figure> node(Benchmark.Plan plan) {
        var disturbed = 0;
        var ready = new ArrayList<Double>();
        var runs = 2 * plan.runs();
        try (var stage = Stage.set(Stage.options(), plan.progress())) {
            stage.createVm();
            for (int run = 1; run <= runs; run++) {
                stage.settle();
                var qemu = stage.qemu();
                var epoch = stage.epoch();
                var at = System.nanoTime();
                stage.lab().crash(qemu.node());
                stage.lab().awaitReady(qemu.node(), Duration.ofSeconds(60));
                ready.add((System.nanoTime() - at) / 1e6);
                var left = LEASE_AND_MORE.minusNanos(System.nanoTime() - at);
                Stage.sleep(left.isNegative() ? Duration.ZERO : left);
                var same =
                        stage.lab().qemus(Stage.VM).equals(List.of(qemu)) && stage.epoch() == epoch;
                disturbed += same ? 0 : 1;
                plan.progress()
                        .say(
                                "node process of %s killed: ready after %.0f ms, VM %s"
                                        .formatted(
                                                qemu.node(),
                                                ready.getLast(),
                                                same ? "undisturbed" : "DISTURBED"));
            }
        }
        return List.of(
                Figure.of("node process killed -> ready again", "ms", ready),
                Figure.of(
                        "... VMs disturbed in %d crashes".formatted(runs),
                        "VMs",
                        List.of((double) disturbed),
                        0));
    }
}
