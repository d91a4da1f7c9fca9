package dev.belay.explore;

import dev.belay.decision.PairSilence;
import dev.belay.decision.ReplicaState.Bonded;
import java.time.Duration;
import java.util.Optional;

/**
 * One half of a pair that listens to the other, with the shipped {@link PairSilence}: a tick counts
 * as a second.
 *
 * @param silence empty: nothing was heard of the other one yet, which may not run in lockstep
 * @param vouched when it asked for what the other one has vouched for, and has not heard of yet
 */
record Ear(Bonded bond, Optional<PairSilence> silence, Optional<Integer> vouched) {
    private static final Duration LIMIT = Duration.ofSeconds(Setup.SILENCE);

    record Look(Ear next, boolean silent) {}

    static Ear of(Bonded bond, int clock) {
        return new Ear(
                bond,
                bond.leads() ? Optional.of(PairSilence.from(at(clock))) : Optional.empty(),
                Optional.empty());
    }

    /** The same one goes on listening. */
    static Ear of(Ear before, Ear now) {
        return before.bond.own().equals(now.bond.own())
                        && before.bond.partner().equals(now.bond.partner())
                ? before
                : now;
    }

    private static Duration at(int clock) {
        return Duration.ofSeconds(clock);
    }

    /** Whether it says that it is there to the one of that bond. */
    boolean beatsFor(Bonded other) {
        return silence.isPresent()
                && bond.own().equals(other.partner())
                && bond.partner().equals(other.own());
    }

    Look look(int clock, boolean heard) {
        var now = at(clock);
        if (heard) {
            return new Look(
                    with(
                            silence.map(s -> s.heardAt(now).look(now, LIMIT).next())
                                    .orElseGet(() -> PairSilence.from(now))),
                    false);
        }
        if (silence.isEmpty()) {
            return new Look(this, false);
        }
        var look = silence.get().look(now, LIMIT);
        return new Look(with(look.next()), look.silent());
    }

    private Ear with(PairSilence next) {
        return new Ear(bond, Optional.of(next), vouched);
    }

    Ear with(Optional<Integer> late) {
        return new Ear(bond, silence, late);
    }

    /** It has noticed that the other one is gone. */
    boolean isTold() {
        return silence.filter(PairSilence::told).isPresent();
    }

    /** With times as they are passed, for telling worlds apart. */
    Ear relativeTo(int clock, int lease) {
        return new Ear(
                bond,
                silence.map(s ->
                        new PairSilence(
                                passed(clock, s.heard()), passed(clock, s.looked()), s.told())),
                vouched.map(asked -> Math.max(0, asked + lease - clock)));
    }

    private static Duration passed(int clock, Duration since) {
        return at(Math.min(Setup.SILENCE + 1, clock - (int) since.toSeconds()));
    }
}
