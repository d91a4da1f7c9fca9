package dev.belay.model;

/** Grows by one whenever a VM's right to run moves; never reused. Zero: never ran. */
public record Epoch(long value) {
    public static final Epoch NONE = new Epoch(0);

    public Epoch next() {
        return new Epoch(value + 1);
    }

    public boolean isAfter(Epoch other) {
        return value > other.value;
    }

    @Override
    public String toString() {
        return "e" + value;
    }
}
