package dev.belay.bench;

import dev.belay.lab.EchoClient;
import dev.belay.lab.Fence;
import dev.belay.lab.Lab;
import dev.belay.lab.TestVm;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** How long a VM is away when its server is lost. */
final class ServerLoss {
    private static final double MORE_WHEN_LEADING = 1200;

    private ServerLoss() {}

    /** All at once, or with a kernel left behind that says so. */
    private enum Way {
        POWER_CUT("power of its server cut") {
            @Override
            Instant lose(Lab lab, String server) {
                return lab.kill(server);
            }
        },
        PROCESSES("all processes of its server killed") {
            @Override
            Instant lose(Lab lab, String server) {
                return lab.killProcesses(server);
            }
        };

        private final String words;

        Way(String words) {
            this.words = words;
        }

        abstract Instant lose(Lab lab, String server);
    }

    static List<Figure> powerCut(Benchmark.Plan plan) {
        return measure(plan, Way.POWER_CUT, Fence.OFF, 6000);
    }

    static List<Figure> powerCutFenced(Benchmark.Plan plan) {
        return measure(plan, Way.POWER_CUT, Fence.WORKS, 2000);
    }

    static List<Figure> processes(Benchmark.Plan plan) {
        return measure(plan, Way.PROCESSES, Fence.OFF, 5000);
    }

    static List<Figure> processesFenced(Benchmark.Plan plan) {
        return measure(plan, Way.PROCESSES, Fence.WORKS, 1000);
    }

    private static List<Figure> measure(Benchmark.Plan plan, Way way, Fence fence, double bar) {
        var what = way.words + (fence == Fence.OFF ? ", no fence agent" : ", fence agent");
        var led = new ArrayList<Double>();
        var followed = new ArrayList<Double>();
        try (var stage = Stage.set(Stage.options().withFence(fence), plan.progress())) {
            stage.createVm();
            for (int run = 1; run <= plan.runs(); run++) {
                lose(stage, plan, way, what, followed, led);
            }
            while (led.size() < plan.runs()) {
                stage.letLead(stage.qemu().node());
                lose(stage, plan, way, what, followed, led);
            }
        }
        var plain = Figure.of(what + " -> QEMU started", "ms", followed, bar);
        return List.of(
                plain,
                Figure.of(
                        what + ", it led the journal",
                        "ms",
                        led,
                        (followed.isEmpty() ? bar : plain.median()) + MORE_WHEN_LEADING));
    }

    private static void lose(
            Stage stage,
            Benchmark.Plan plan,
            Way way,
            String what,
            List<Double> followed,
            List<Double> led) {
        stage.settle();
        var old = stage.qemu();
        var victim = old.node();
        var leads = stage.leader().equals(victim);
        var took = stage.untilAnother(old, way.lose(stage.lab(), victim));
        (leads ? led : followed).add(took);
        plan.progress()
                .say(
                        String.format(
                                Locale.ROOT,
                                "%s: %s%s, %.0f ms",
                                what,
                                victim,
                                leads ? " (led the journal)" : "",
                                took));
        // The agent may have cut its power meanwhile: then it is off, else only its processes are.
        stage.lab().start(victim);
    }

    /** As a user of the guest sees it: boot and all. */
    static List<Figure> client(Benchmark.Plan plan) {
        var silences = new ArrayList<Double>();
        try (var stage = Stage.set(Stage.options(), plan.progress())) {
            var guest = stage.lab().vm(TestVm.of(Stage.VM));
            for (int run = 1; run <= plan.runs(); run++) {
                stage.settle();
                try (var client = new EchoClient(guest.address())) {
                    client.start();
                    stage.await("a reply", () -> client.seen().replies() > 0);
                    var victim = stage.qemu().node();
                    client.mark(stage.lab().kill(victim));
                    stage.await("a reply", () -> client.seen().firstAfterMark().isPresent());
                    var seen = client.seen();
                    var silence =
                            Duration.between(
                                    seen.lastBeforeSilence().orElseThrow(),
                                    seen.firstAfterMark().orElseThrow());
                    silences.add(silence.toNanos() / 1e6);
                    plan.progress().say("a client heard nothing for " + silence.toMillis() + " ms");
                    stage.lab().start(victim);
                }
            }
        }
        return List.of(
                Figure.of(
                        "power cut, as a client of the guest sees it (boot included)",
                        "ms",
                        silences));
    }
}
