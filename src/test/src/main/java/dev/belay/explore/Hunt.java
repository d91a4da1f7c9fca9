package dev.belay.explore;

import dev.belay.model.Level;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongPredicate;

/** Looks for what goes wrong without some rules. */
final class Hunt {
    /**
     * @param seed of the run that broke first
     * @param steps that were taken in all until then
     * @param trace shortened when the law broke before everything was healed
     */
    record Found(long seed, long steps, String law, Trace trace) {}

    private Hunt() {}

    /** The world in which a rule matters most. */
    static Setup setup(Set<Rule> off) {
        var level =
                off.stream().anyMatch(rule -> rule.level() == Level.SYSTEM)
                        ? Level.SYSTEM
                        : Level.RESTART;
        return Setup.of(2, 1, level, off).with(true, off.contains(Rule.DISK_LOCK));
    }

    /**
     * @param seed the first
     * @param more whether another run may begin, after so many steps
     */
    static Optional<Found> random(Setup setup, long seed, int length, LongPredicate more) {
        long taken = 0;
        for (long next = seed; more.test(taken); next++) {
            var walk = new RandomWalk(setup, next);
            var violation = walk.run(length);
            taken += walk.taken();
            if (violation.isPresent()) {
                return Optional.of(found(setup, next, taken, violation.get()));
            }
        }
        return Optional.empty();
    }

    private static Found found(Setup setup, long seed, long steps, RandomWalk.Violation violation) {
        var trace = new Trace(setup, true, violation.steps());
        boolean repeatable = !violation.healed() || !violation.law().startsWith("not as desired");
        return new Found(
                seed,
                steps,
                violation.law(),
                repeatable ? trace.shortened(violation.law()) : trace);
    }

    /** All rules and assumptions that matter from that level on, one after the other. */
    static List<Rule> rules(Level level) {
        return Arrays.stream(Rule.values()).filter(rule -> rule.level() == level).toList();
    }
}
