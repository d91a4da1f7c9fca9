package dev.belay.explore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The fixed part of the search; {@code ./belay explore} searches on. */
class ExplorerTest {
    private static final int LENGTH = 1000;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void noOrderOfEventsBreaksALaw(int faults) {
        int depth = new int[] {9, 5, 3}[faults];
        var result =
                new BreadthFirst(depth, 200_000, _ -> {})
                        .run(Setup.of(2, 1, Set.of()).coarse(), faults);
        assertThat(result.violation()).isEmpty();
        assertThat(result.complete()).isTrue();
    }

    @Test
    void noRandomRunBreaksALaw() {
        LongStream.range(0, 60)
                .forEach(seed -> {
                    var setup = Setup.of(2 + (int) (seed % 3), 1 + (int) (seed % 2), Set.of());
                    var walk = new RandomWalk(setup.with(seed % 5 > 0, seed % 7 == 0), seed);
                    assertThat(walk.run(LENGTH)).as("seed " + seed).isEmpty();
                });
    }

    @Test
    void aRunIsTheSameAgain() {
        var setup = Setup.of(3, 2, Set.of());
        var walk = new RandomWalk(setup, 7);
        walk.run(LENGTH);
        var again = new RandomWalk(setup, 7);
        again.run(LENGTH);
        assertThat(again.steps()).isEqualTo(walk.steps());
    }

    /** Where a search found what breaks without the rule: its seed. */
    private static final Map<Rule, Long> SEEDS =
            Map.ofEntries(
                    Map.entry(Rule.TEST_AND_SET, 232L),
                    Map.entry(Rule.STORE_FIRST, 679L),
                    Map.entry(Rule.CLEAR_FAILED_STARTS, 184L),
                    Map.entry(Rule.END_BEFORE_GONE, 142L),
                    Map.entry(Rule.FRESH_GRANTS, 438L),
                    Map.entry(Rule.LEASE_FROM_SENDING, 122L),
                    Map.entry(Rule.GATE, 105L),
                    Map.entry(Rule.LEASE_BEFORE_START, 122L),
                    Map.entry(Rule.WAIT_FOR_THE_LEASE, 6L),
                    Map.entry(Rule.WAIT_FROM_THE_COMMIT, 67L),
                    Map.entry(Rule.SEEN_OFF, 10L),
                    Map.entry(Rule.FREEZE, 2L),
                    Map.entry(Rule.CLEAN_BEFORE_SUCCESSION, 22L),
                    Map.entry(Rule.DISK_LOCK, 105L),
                    Map.entry(Rule.HONEST_AGENT, 2L));

    static Stream<Arguments> rules() {
        return WithoutARule.arguments(SEEDS);
    }

    @ParameterizedTest
    @MethodSource("rules")
    void withoutTheRuleALawBreaks(Rule rule, long seed) {
        var without = WithoutARule.breaks(rule, seed, LENGTH);
        if (!without.violation().healed()) {
            without.replays();
        }
    }
}
