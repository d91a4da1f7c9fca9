package dev.belay.explore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** A random run in which a rule is switched off, and what it has to show. */
record WithoutARule(Setup setup, RandomWalk.Violation violation) {

    static Stream<Arguments> arguments(Map<Rule, Long> seeds) {
        return seeds.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
    }

    /** A law breaks, and none in the same run with the rule. */
    static WithoutARule breaks(Rule rule, long seed, int length) {
        var setup = Hunt.setup(EnumSet.of(rule));
        var violation = new RandomWalk(setup, seed).run(length);
        assertThat(violation).isPresent();
        var whole = Setup.of(2, 1, setup.level(), Set.of()).with(setup.agents(), setup.shared());
        assertThat(new RandomWalk(whole, seed).run(length)).isEmpty();
        return new WithoutARule(setup, violation.get());
    }

    /** What is printed of it breaks the same law. */
    void replays() {
        var trace = new Trace(setup, true, violation.steps());
        var replayed = Trace.parse(trace.toString()).replay(0, _ -> {});
        assertThat(replayed).contains(violation.law());
    }
}
