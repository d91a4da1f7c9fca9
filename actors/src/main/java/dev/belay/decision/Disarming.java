package dev.belay.decision;

import java.time.Duration;
import java.time.Instant;

/**
 * Automatic moves are switched off for a while.
 *
 * @param by who asked for it, as they said
 */
public record Disarming(Instant at, Duration length, String by, String reason) {
    /** For people: the clock that it is read by may be another one. */
    public Instant until() {
        return at.plus(length);
    }

    /**
     * What is left at {@code now}, when whoever counted it is gone: never less than nothing and
     * never more than the whole, whatever the two clocks say. A clock that jumped makes it end too
     * early or start afresh; it never makes it last for ever, and nothing but the time of a move
     * depends on it.
     */
    public Duration left(Instant now) {
        var left = Duration.between(now, until());
        if (left.isNegative()) {
            return Duration.ZERO;
        }
        return left.compareTo(length) > 0 ? length : left;
    }

    /** Until when, by whom and why, and how it ends earlier. */
    public String inWords() {
        return "automatic moves are disarmed until %s by %s: %s (belay arm ends it now)"
                .formatted(until(), by, reason);
    }
}
