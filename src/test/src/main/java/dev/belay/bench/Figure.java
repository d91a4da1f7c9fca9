package dev.belay.bench;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * What was measured, beside what is wanted.
 *
 * @param what was measured, in words
 * @param unit of all its numbers
 * @param values one for each run
 * @param bar what the median shall not exceed; absent: reported only
 */
public record Figure(String what, String unit, List<Double> values, OptionalDouble bar) {
    public Figure {
        values = values.stream().sorted().toList();
    }

    static Figure of(String what, String unit, List<Double> values) {
        return new Figure(what, unit, values, OptionalDouble.empty());
    }

    static Figure of(String what, String unit, List<Double> values, double bar) {
        return new Figure(what, unit, values, OptionalDouble.of(bar));
    }

    double median() {
        var upper = values.get(values.size() / 2);
        return values.size() % 2 == 1 ? upper : (values.get(values.size() / 2 - 1) + upper) / 2;
    }

    /** The value that 99 of 100 do not exceed; with fewer than 100, the highest. */
    double p99() {
        return values.get((int) Math.ceil(values.size() * 0.99) - 1);
    }

    boolean isMet() {
        return bar.isEmpty() || median() <= bar.getAsDouble();
    }

    String text(double value) {
        var digits = value >= 100 || value == Math.rint(value) ? 0 : 1;
        return String.format(Locale.ROOT, "%." + digits + "f %s", value, unit);
    }
}
