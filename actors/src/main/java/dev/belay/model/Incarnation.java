package dev.belay.model;

/**
 * A server's life as the journal counts it: kept over a restart of the node's JVM, one more after a
 * reboot or a fencing. Zero: never admitted.
 */
public record Incarnation(long value) {
    public static final Incarnation NONE = new Incarnation(0);

    public Incarnation next() {
        return new Incarnation(value + 1);
    }

    public boolean isAfter(Incarnation other) {
        return value > other.value;
    }

    @Override
    public String toString() {
        return "#" + value;
    }
}
