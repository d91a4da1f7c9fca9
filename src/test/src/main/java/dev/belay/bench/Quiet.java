package dev.belay.bench;

import dev.belay.lab.Lab;
import dev.belay.lab.LabException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What happens when nothing fails: at rest, under load, at the start. */
final class Quiet {
    private static final Duration SAMPLE = Duration.ofSeconds(60);
    private static final Duration BEFORE_REST = Duration.ofSeconds(15);
    private static final double TICKS_PER_SECOND = 100;
    private static final int HOGS = 2;
    private static final Duration REPORT = Duration.ofSeconds(30);

    private Quiet() {}

    static List<Figure> rest(Benchmark.Plan plan) {
        var memory = new ArrayList<Double>();
        var share = new ArrayList<Double>();
        try (var stage = Stage.set(Stage.options(), plan.progress())) {
            stage.createVm();
            stage.settle();
            Stage.sleep(BEFORE_REST);
            var jvms = jvms(stage.lab());
            var before = jvms.stream().map(Quiet::cpuSeconds).toList();
            plan.progress().say("measuring the nodes at rest for " + SAMPLE.toSeconds() + " s");
            var began = System.nanoTime();
            Stage.sleep(SAMPLE);
            var seconds = (System.nanoTime() - began) / 1e9;
            for (int i = 0; i < jvms.size(); i++) {
                share.add(100 * (cpuSeconds(jvms.get(i)) - before.get(i)) / seconds);
                memory.add(residentMib(jvms.get(i)));
            }
        }
        return List.of(
                Figure.of("a node at rest: memory (RSS), one value a node", "MiB", memory, 200),
                Figure.of("a node at rest: share of a core, one value a node", "%", share, 2));
    }

    private static List<Long> jvms(Lab lab) {
        return lab.status().nodes().stream().map(node -> node.jvm().orElseThrow()).toList();
    }

    private static double cpuSeconds(long pid) {
        var stat = read("/proc/" + pid + "/stat");
        // The program's name, in brackets, may hold blanks; user time is field 14, system time 15.
        var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
    }

    private static double residentMib(long pid) {
        return read("/proc/" + pid + "/status")
                        .lines()
                        .filter(line -> line.startsWith("VmRSS:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                        .findFirst()
                        .orElseThrow()
                / 1024.0;
    }

    private static String read(String file) {
        try {
            return Files.readString(Path.of(file));
        } catch (IOException e) {
            throw new LabException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** Somebody else keeps both cores busy; no server may be taken for dead. */
    static List<Figure> load(Benchmark.Plan plan) {
        try (var stage = Stage.set(Stage.options(), plan.progress())) {
            stage.createVm();
            stage.settle();
            var qemu = stage.qemu();
            var from = lastOffset(stage.lab());
            var hogs = new ArrayList<Process>();
            try {
                for (int i = 0; i < HOGS; i++) {
                    hogs.add(hog(plan.load()));
                }
                var until = System.nanoTime() + plan.load().toNanos();
                while (System.nanoTime() < until) {
                    Stage.sleep(REPORT);
                    plan.progress()
                            .say(
                                    "%d cores are busy; fenced so far: %d"
                                            .formatted(HOGS, fencings(stage.lab(), from)));
                }
            } finally {
                hogs.forEach(Process::destroyForcibly);
            }
            stage.settle();
            return List.of(
                    Figure.of(
                            "servers fenced while %d cores were busy for %d min"
                                    .formatted(HOGS, plan.load().toMinutes()),
                            "servers",
                            List.of((double) fencings(stage.lab(), from)),
                            0),
                    Figure.of(
                            "... VMs disturbed meanwhile",
                            "VMs",
                            List.of(stage.qemu().equals(qemu) ? 0.0 : 1.0),
                            0));
        }
    }

    /**
     * A busy loop in a session of its own, which ends by itself even if nobody is left to do it.
     */
    private static Process hog(Duration time) {
        try {
            return new ProcessBuilder(
                            "setsid",
                            "bash",
                            "-c",
                            "end=$((SECONDS + $0)); while [ $SECONDS -lt $end ]; do :; done",
                            Long.toString(time.toSeconds() + REPORT.toSeconds()))
                    .start();
        } catch (IOException e) {
            throw new LabException("cannot keep a core busy: " + e.getMessage(), e);
        }
    }

    private static long lastOffset(Lab lab) {
        long next = 1;
        while (true) {
            var page = lab.get("/api/v1/events?max=1000&from=" + next).orElseThrow();
            if (page.path("events").isEmpty()) {
                return next;
            }
            next = page.path("next").asLong();
        }
    }

    private static int fencings(Lab lab, long from) {
        var found = 0;
        long next = from;
        while (true) {
            var page = lab.get("/api/v1/events?max=1000&from=" + next).orElseThrow();
            if (page.path("events").isEmpty()) {
                return found;
            }
            for (var event : page.path("events")) {
                var type = event.path("event").path("type").asText();
                found += type.equals("ServerFenced") ? 1 : 0;
            }
            next = page.path("next").asLong();
        }
    }

    static List<Figure> start(Benchmark.Plan plan) {
        var times = new ArrayList<Double>();
        for (int run = 1; run <= plan.runs(); run++) {
            var began = System.nanoTime();
            try (var _ = Lab.up(Stage.options())) {
                times.add((System.nanoTime() - began) / 1e6);
            }
            plan.progress().say("lab up: %.0f ms".formatted(times.getLast()));
        }
        return List.of(Figure.of("lab up: three nodes joined, journal ready", "ms", times, 8000));
    }
}
