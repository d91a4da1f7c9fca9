package dev.belay.decision;

import dev.belay.model.Incarnation;

/** How a server holds its incarnation. */
public sealed interface TenureState {
    /** The newest that this server knows to have had. */
    Incarnation held();

    /**
     * It is not known yet what an earlier process of this node left running.
     *
     * @param rebooted since it was given {@code held}: that is over, whoever welcomes it
     */
    record Adopting(Incarnation held, boolean clean, boolean rebooted) implements TenureState {}

    /**
     * Asks to be admitted. {@code clean}: everything up to {@code held} is killed and that was said
     * or is being said; it is never used again.
     */
    record Asking(Incarnation held, boolean clean) implements TenureState {}

    /** Admitted: keeps its lease and runs what it is told. */
    record Serving(Incarnation held) implements TenureState {}

    /** Kills everything. Not {@code inHand}: it could not, and tries again. */
    record Cleaning(Incarnation held, Incarnation upTo, boolean inHand) implements TenureState {}
}
