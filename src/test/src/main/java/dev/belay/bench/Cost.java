package dev.belay.bench;

import dev.belay.bench.CostFigures.Checkpoints;
import dev.belay.bench.CostFigures.Row;
import dev.belay.bench.CostFigures.Sample;
import dev.belay.bench.Requests.Output;
import dev.belay.lab.LabException;
import dev.belay.lab.LabOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What level SYSTEM costs the clients of a guest: the same requests to the same guest within a
 * minute, on two servers, and after that on one.
 */
final class Cost {
    private static final Duration WARM_UP = Duration.ofSeconds(1);
    private static final Duration SETTLING = Duration.ofSeconds(1);

    /** Two looks of the governor. */
    private static final Duration GOVERNING = Duration.ofSeconds(11);

    /**
     * How often checkpoints are taken.
     *
     * @param every at least so often; empty: as Belay finds best
     */
    record Pace(Optional<Duration> every) {
        String words() {
            return every.map(delay -> delay.toMillis() + " ms").orElse("governed");
        }

        /** The delay has nowhere to go. */
        private String settings() {
            return every.map(delay ->
                            """

                            belay.lockstep {
                              checkpoint-delay = %1$d ms
                              checkpoint-delay-min = %1$d ms
                              checkpoint-delay-max = %1$d ms
                            }
                            """
                                    .formatted(delay.toMillis()))
                    .orElse("");
        }
    }

    /**
     * How much is measured.
     *
     * @param time of each of the eight measurements of a pace
     */
    record Plan(int runs, Duration time, List<Pace> paces, LabOptions.Progress progress) {}

    /** A node's file as it was, and the pace that it has now. */
    private record Paced(String file, Pace pace) {}

    private final Plan plan;
    private final List<Row> rows = new ArrayList<>();
    private int failed;

    private Cost(Plan plan) {
        this.plan = plan;
    }

    /** In the order of the plan; what failed is told, and does not cost the others. */
    static CostFigures measure(Plan plan) {
        var cost = new Cost(plan);
        var left = new ArrayList<Pace>();
        for (int run = 0; run < plan.runs(); run++) {
            left.addAll(plan.paces());
        }
        while (!left.isEmpty()) {
            cost.inOneLab(left);
        }
        return new CostFigures(cost.rows, cost.failed);
    }

    /** Until one fails, which is not tried again. */
    private void inOneLab(List<Pace> left) {
        try (var stage = PairStage.set("RESTART", plan.progress())) {
            var paced = new TreeMap<String, Paced>();
            for (var output : Output.values()) {
                sample(stage, output, WARM_UP);
            }
            while (!left.isEmpty()) {
                rows.addAll(rows(stage, left.getFirst(), paced));
                left.removeFirst();
            }
        } catch (IOException | RuntimeException e) {
            failed++;
            var pace = left.isEmpty() ? "the end" : left.removeFirst().words();
            plan.progress().say("%s FAILED: %s".formatted(pace, e));
        }
    }

    private List<Row> rows(PairStage stage, Pace pace, Map<String, Paced> paced)
            throws IOException {
        plan.progress().say("checkpoints: " + pace.words());
        set(stage, pace, paced);
        stage.raise();
        PairStage.await("what lockstep costs", () -> stage.vm().path("lockstep").isObject());
        Stage.sleep(SETTLING);
        if (pace.every().isEmpty()) {
            Requests.latencies(stage.address(), Output.IDENTICAL, GOVERNING);
        }
        var pairs = new EnumMap<Output, Sample>(Output.class);
        var checkpoints = new EnumMap<Output, Checkpoints>(Output.class);
        for (var output : Output.values()) {
            var before = Count.of(stage);
            pairs.put(output, sample(stage, output, plan.time()));
            checkpoints.put(output, Count.of(stage).since(before));
        }
        stage.lower();
        Stage.sleep(SETTLING);
        var taken = new ArrayList<Row>();
        for (var output : Output.values()) {
            var row =
                    new Row(
                            output,
                            pace.words(),
                            sample(stage, output, plan.time()),
                            required(pairs, output),
                            required(checkpoints, output));
            taken.add(row);
            plan.progress().say(row.words());
        }
        return taken;
    }

    private static <T> T required(Map<Output, T> all, Output output) {
        var one = all.get(output);
        if (one == null) {
            throw new LabException("nothing was measured of " + output);
        }
        return one;
    }

    private static Sample sample(PairStage stage, Output output, Duration time) {
        return new Sample(
                Requests.latencies(stage.address(), output, time),
                List.of(Requests.perSecond(stage.address(), output, time)));
    }

    /** The server that runs the VM gets the pace; its node reads it at a start. */
    private void set(PairStage stage, Pace pace, Map<String, Paced> paced) throws IOException {
        var server = stage.primary();
        var config = stage.lab().config(server);
        var now = paced.get(server);
        if (now == null) {
            now = new Paced(Files.readString(config), new Pace(Optional.empty()));
        }
        paced.put(server, new Paced(now.file(), pace));
        if (now.pace().equals(pace)) {
            return;
        }
        Files.writeString(config, now.file() + pace.settings());
        stage.lab().crash(server);
        stage.lab().awaitReady(PairStage.PATIENCE);
    }

    /** What the VM's first server has counted. */
    private record Count(long at, long checkpoints, long diverged, long pausedMillis, long delay) {
        static Count of(PairStage stage) {
            var figures = stage.vm().path("lockstep");
            if (!figures.isObject()) {
                throw new LabException("nobody says what lockstep costs: " + stage.vm());
            }
            return new Count(
                    System.nanoTime(),
                    figures.path("checkpoints").asLong(),
                    figures.path("diverged").asLong(),
                    figures.path("pausedMillis").asLong(),
                    figures.path("delayMillis").asLong());
        }

        Checkpoints since(Count before) {
            return new Checkpoints(
                    (at - before.at) / 1e9,
                    checkpoints - before.checkpoints,
                    diverged - before.diverged,
                    pausedMillis - before.pausedMillis,
                    delay);
        }
    }
}
