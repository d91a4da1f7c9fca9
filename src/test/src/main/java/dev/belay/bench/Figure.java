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
 * @param p99Bar what the 99th percentile shall not exceed; absent: reported only
 */
public record Figure(
        String what, String unit, List<Double> values, OptionalDouble bar, OptionalDouble p99Bar) {
    /** With fewer values a 99th percentile would say nothing that the highest does not. */
    static final int ENOUGH_FOR_P99 = 20;

    /** From so many values on it is judged. */
    static final int ENOUGH_TO_JUDGE_P99 = 50;

    public Figure {
        values = values.stream().sorted().toList();
    }

    static Figure of(String what, String unit, List<Double> values) {
        return new Figure(what, unit, values, OptionalDouble.empty(), OptionalDouble.empty());
    }

    static Figure of(String what, String unit, List<Double> values, double bar) {
        return new Figure(what, unit, values, OptionalDouble.of(bar), OptionalDouble.empty());
    }

    /** The 99th percentile is judged as well, if there are enough values. */
    Figure withP99(OptionalDouble newBar) {
        return new Figure(what, unit, values, bar, newBar);
    }

    double median() {
        return median(values);
    }

    static double median(List<Double> values) {
        var sorted = values.stream().sorted().toList();
        var upper = sorted.get(sorted.size() / 2);
        return sorted.size() % 2 == 1 ? upper : (sorted.get(sorted.size() / 2 - 1) + upper) / 2;
    }

    /** The lowest value that 99 of 100 do not exceed: of fewer than 100 the highest. */
    OptionalDouble p99() {
        return values.size() < ENOUGH_FOR_P99
                ? OptionalDouble.empty()
                : OptionalDouble.of(values.get((int) Math.ceil(values.size() * 0.99) - 1));
    }

    double highest() {
        return values.getLast();
    }

    boolean isMet() {
        return isMedianMet() && isP99Met();
    }

    boolean isMedianMet() {
        return bar.isEmpty() || median() <= bar.getAsDouble();
    }

    /** Also when there are too few values to say. */
    boolean isP99Met() {
        return p99Bar.isEmpty()
                || values.size() < ENOUGH_TO_JUDGE_P99
                || p99().orElseThrow() <= p99Bar.getAsDouble();
    }

    String text(double value) {
        var digits = value >= 100 || value == Math.rint(value) ? 0 : 1;
        return String.format(Locale.ROOT, "%." + digits + "f %s", value, unit);
    }
}
