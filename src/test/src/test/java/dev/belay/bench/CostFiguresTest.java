package dev.belay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.bench.CostFigures.Checkpoints;
import dev.belay.bench.CostFigures.Row;
import dev.belay.bench.CostFigures.Sample;
import dev.belay.bench.Requests.Output;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the measurements of both levels become, side by side. */
class CostFiguresTest {
    @Test
    void bothLevelsStandInOneRowWithTheirRatio() {
        var row =
                new Row(
                        Output.DIVERGING,
                        "100 ms",
                        sample(2, 400),
                        sample(50, 100),
                        new Checkpoints(4, 40, 30, 2000, 400));
        assertThat(lines(row))
                .last()
                .asString()
                .matches(
                        "diverging +100 ms +2.00 : 50.0 \\(25.0x\\) ms +2.00 : 50.0 \\(25.0x\\) ms"
                                + " +400 : 100 \\(0.25x\\) +10.0 +50.0 ms +30 of 40");
    }

    @Test
    void runsOfTheSamePaceAreOneRowAndOthersAreNot() {
        var once = row(new Checkpoints(4, 40, 30, 2000, 100));
        var again = row(new Checkpoints(4, 0, 0, 0, 100));
        var other =
                new Row(
                        Output.DIVERGING,
                        "100 ms",
                        sample(2, 3),
                        sample(2, 3),
                        again.checkpoints());
        var figures = new CostFigures(List.of(once, other, again), 0);
        assertThat(figures.rows()).hasSize(2);
        var both = figures.rows().getFirst();
        assertThat(both.checkpoints().perSecond()).isEqualTo(5);
        assertThat(both.checkpoints().pauseMillis()).isEqualTo(50);
        assertThat(both.pair().latencies()).hasSize(40);
        assertThat(both.pair().perSecond()).hasSize(2);
    }

    @Test
    void earlyCheckpointsAreNotCountedWhereTheyCannotBeTold() {
        assertThat(lines(row(new Checkpoints(4, 40, 30, 2000, 100))))
                .last()
                .asString()
                .matches(".* ms +-");
    }

    @Test
    void withoutACheckpointThereIsNoPause() {
        assertThat(new Checkpoints(4, 0, 0, 0, 2000).pauseMillis()).isZero();
    }

    @Test
    void programsGetEveryValue() {
        assertThat(new CostFigures(List.of(row(new Checkpoints(1, 1, 0, 5, 100))), 0).json())
                .contains("identical output, checkpoints 100 ms, RESTART: a reply")
                .contains("\"n\" : 20");
    }

    private static Row row(Checkpoints checkpoints) {
        return new Row(Output.IDENTICAL, "100 ms", sample(2, 400), sample(4, 100), checkpoints);
    }

    private static Sample sample(double latency, double perSecond) {
        return new Sample(Collections.nCopies(20, latency), List.of(perSecond));
    }

    private static List<String> lines(Row row) {
        return new CostFigures(List.of(row), 0).table().lines().toList();
    }
}
