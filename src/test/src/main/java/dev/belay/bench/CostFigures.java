package dev.belay.bench;

import dev.belay.bench.Requests.Output;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What level SYSTEM costs, for people and for programs.
 *
 * @param failed how often a pace could not be measured
 */
record CostFigures(List<Row> rows, int failed) {
    private static final List<String> HEAD =
            List.of(
                    "OUTPUT",
                    "CHECKPOINTS",
                    "REPLY, MEDIAN",
                    "REPLY, P99",
                    "REPLIES/S",
                    "CHECKPOINTS/S",
                    "PAUSE",
                    "EARLY");

    /** In so many pauses, a delay is long enough for checkpoints that come early to show. */
    private static final int TOLD_APART = 3;

    /**
     * What clients saw.
     *
     * @param latencies in ms
     * @param perSecond one value for each run
     */
    record Sample(List<Double> latencies, List<Double> perSecond) {
        private Sample and(Sample more) {
            return new Sample(joined(latencies, more.latencies), joined(perSecond, more.perSecond));
        }
    }

    /**
     * What Belay counted meanwhile.
     *
     * @param diverged of them those that came early
     * @param delayMillis what it was at the end
     */
    record Checkpoints(
            double seconds, long count, long diverged, long pausedMillis, long delayMillis) {
        private Checkpoints and(Checkpoints more) {
            return new Checkpoints(
                    seconds + more.seconds,
                    count + more.count,
                    diverged + more.diverged,
                    pausedMillis + more.pausedMillis,
                    more.delayMillis);
        }

        double perSecond() {
            return count / seconds;
        }

        /** On average. */
        double pauseMillis() {
            return count == 0 ? 0 : (double) pausedMillis / count;
        }

        /** One that comes right after another has the pause of that between them. */
        private String early() {
            return delayMillis < TOLD_APART * pauseMillis()
                    ? "-"
                    : "%d of %d".formatted(diverged, count);
        }
    }

    /**
     * One pace and one kind of output.
     *
     * @param alone at level RESTART
     * @param pair at level SYSTEM
     */
    record Row(Output output, String pace, Sample alone, Sample pair, Checkpoints checkpoints) {
        private Row and(Row more) {
            return new Row(
                    output,
                    pace,
                    alone.and(more.alone),
                    pair.and(more.pair),
                    checkpoints.and(more.checkpoints));
        }

        private String name() {
            return output.name().toLowerCase(Locale.ROOT);
        }

        String words() {
            return String.join("  ", cells());
        }

        private List<String> cells() {
            var alones = latency("RESTART", alone);
            var pairs = latency("SYSTEM", pair);
            return List.of(
                    name(),
                    pace.equals("governed")
                            ? "governed, %d ms".formatted(checkpoints.delayMillis())
                            : pace,
                    ratio(alones.median(), pairs.median()) + " ms",
                    alones.p99().isPresent() && pairs.p99().isPresent()
                            ? ratio(alones.p99().getAsDouble(), pairs.p99().getAsDouble()) + " ms"
                            : "-",
                    ratio(Figure.median(alone.perSecond()), Figure.median(pair.perSecond())),
                    number(checkpoints.perSecond()),
                    number(checkpoints.pauseMillis()) + " ms",
                    checkpoints.early());
        }

        private Figure latency(String level, Sample sample) {
            return Figure.of(
                    "%s output, checkpoints %s, %s: a reply".formatted(name(), pace, level),
                    "ms",
                    sample.latencies());
        }

        private Stream<Figure> figures() {
            return Stream.of(
                    latency("RESTART", alone),
                    latency("SYSTEM", pair),
                    Figure.of("... RESTART: replies a second", "replies/s", alone.perSecond()),
                    Figure.of("... SYSTEM: replies a second", "replies/s", pair.perSecond()),
                    one("... checkpoints a second", "checkpoints/s", checkpoints.perSecond()),
                    one("... their pause, on average", "ms", checkpoints.pauseMillis()),
                    one("... of them early", "checkpoints", checkpoints.diverged()),
                    one("... the delay at the end", "ms", checkpoints.delayMillis()));
        }

        private static Figure one(String what, String unit, double value) {
            return Figure.of(what, unit, List.of(value));
        }
    }

    /** Those of the same pace and output are one. */
    CostFigures {
        var merged = new LinkedHashMap<String, Row>();
        rows.stream()
                .sorted(Comparator.comparing(Row::output))
                .forEach(row -> merged.merge(row.output() + row.pace(), row, Row::and));
        rows = List.copyOf(merged.values());
    }

    String table() {
        var lines = Stream.concat(Stream.of(HEAD), rows.stream().map(Row::cells)).toList();
        var text = new StringBuilder("RESTART : SYSTEM (and what that is in multiples)");
        for (var line : lines) {
            text.append('\n');
            for (int i = 0; i < HEAD.size(); i++) {
                int column = i;
                int width = lines.stream().mapToInt(l -> l.get(column).length()).max().orElse(0);
                var space = " ".repeat(width - line.get(i).length());
                // Words begin, and numbers end, at the same place.
                text.append(i < 2 ? line.get(i) + space : space + line.get(i));
                text.append(i < HEAD.size() - 1 ? "  " : "");
            }
        }
        return text.toString();
    }

    String json() {
        return Figures.json(rows.stream().flatMap(Row::figures).toList());
    }

    /** Both, and the second as a multiple of the first. */
    static String ratio(double alone, double pair) {
        return "%s : %s (%s)"
                .formatted(
                        number(alone), number(pair), alone == 0 ? "-" : number(pair / alone) + "x");
    }

    private static String number(double value) {
        return String.format(
                Locale.ROOT, value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
    }

    private static List<Double> joined(List<Double> some, List<Double> more) {
        var all = new ArrayList<>(some);
        all.addAll(more);
        return all;
    }
}
