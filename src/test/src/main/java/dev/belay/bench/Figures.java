package dev.belay.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** Figures for people and for programs. */
final class Figures {
    private static final ObjectMapper JSON =
            new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    private static final String ROW = "%-76s %10s %10s %10s %5s  %-10s %-10s %s";

    private Figures() {}

    static String table(List<Figure> figures) {
        var text = new StringBuilder();
        text.append(
                ROW.formatted("WHAT", "MEDIAN", "P99", "MAX", "N", "BAR", "P99 BAR", "").strip());
        for (var figure : figures) {
            var bar = bar(figure, figure.bar());
            var p99Bar = bar(figure, figure.p99Bar());
            var row =
                    figure.values().isEmpty()
                            ? ROW.formatted(
                                    figure.what(), "-", "-", "-", 0, bar, p99Bar, "not measured")
                            : ROW.formatted(
                                    figure.what(),
                                    figure.text(figure.median()),
                                    figure.p99().isEmpty()
                                            ? "-"
                                            : figure.text(figure.p99().getAsDouble()),
                                    figure.text(figure.highest()),
                                    figure.values().size(),
                                    bar,
                                    p99Bar,
                                    verdict(figure));
            text.append('\n').append(row.stripTrailing());
        }
        return text.toString();
    }

    private static String bar(Figure figure, OptionalDouble bar) {
        return bar.isEmpty() ? "" : "<= " + figure.text(bar.getAsDouble());
    }

    private static String verdict(Figure figure) {
        if (!figure.isMedianMet()) {
            return "MISSED";
        }
        return figure.isP99Met() ? "" : "P99 MISSED";
    }

    static String json(List<Figure> figures) {
        var all = JSON.createArrayNode();
        for (var figure : figures) {
            var entry = all.addObject().put("what", figure.what()).put("unit", figure.unit());
            entry.put("n", figure.values().size());
            if (!figure.values().isEmpty()) {
                entry.put("median", rounded(figure.median()));
                figure.p99().ifPresent(p99 -> entry.put("p99", rounded(p99)));
                entry.put("max", rounded(figure.highest()));
                entry.put("met", figure.isMet());
            }
            figure.bar().ifPresent(bar -> entry.put("bar", rounded(bar)));
            figure.p99Bar().ifPresent(bar -> entry.put("p99Bar", rounded(bar)));
            var values = entry.putArray("values");
            figure.values().forEach(value -> values.add(rounded(value)));
        }
        try {
            return JSON.writeValueAsString(all);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static double rounded(double value) {
        return Double.parseDouble(String.format(Locale.ROOT, "%.2f", value));
    }
}
