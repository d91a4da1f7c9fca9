package dev.belay.explore;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.model.Level;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The fixed part of the search at level SYSTEM. */
class PairExplorerTest {
    private static final int LENGTH = 1000;

    @ParameterizedTest
    @CsvSource({
        "RUNNING, 0, 8", "RUNNING, 1, 4", "RUNNING, 2, 2",
        "RAISING, 0, 9", "RAISING, 1, 4", "RAISING, 2, 2",
        "PARTED, 0, 6", "PARTED, 1, 4", "PARTED, 2, 2"
    })
    void noOrderOfEventsBreaksALaw(Beginning beginning, int faults, int depth) {
        var result =
                new BreadthFirst(depth, 200_000, _ -> {})
                        .run(Setup.of(2, 1, Level.SYSTEM, Set.of()).coarse(), beginning, faults);
        assertThat(result.violation()).isEmpty();
        assertThat(result.complete()).isTrue();
    }

    @Test
    void noRandomRunBreaksALaw() {
        LongStream.range(0, 50)
                .forEach(seed -> {
                    var setup =
                            Setup.of(
                                    2 + (int) (seed % 3),
                                    1 + (int) (seed % 2),
                                    Level.SYSTEM,
                                    Set.of());
                    var walk = new RandomWalk(setup.with(seed % 5 > 0, false), seed);
                    assertThat(walk.run(LENGTH)).as("seed " + seed).isEmpty();
                });
    }

    /** Where a search found what breaks without the rule: its seed. */
    private static final Map<Rule, Long> SEEDS =
            Map.ofEntries(
                    Map.entry(Rule.HELD_FOR_THE_SECOND, 3L),
                    Map.entry(Rule.LEG_IN_AFTER_SYNC, 7L),
                    Map.entry(Rule.ONE_GOES_ON, 6L),
                    Map.entry(Rule.WINNERS_LEG_ONLY, 6L),
                    Map.entry(Rule.OVERLAYS_ARE_DISK, 281L),
                    Map.entry(Rule.LOCKED_OUT, 6L),
                    Map.entry(Rule.ONE_LEG_AFTER_A_START, 881L),
                    Map.entry(Rule.LOCKSTEP_BEFORE_PROMOTION, 508L),
                    Map.entry(Rule.LEASE_BEFORE_SOLO, 3186L),
                    Map.entry(Rule.SEEN_AT_BOTH, 7L),
                    Map.entry(Rule.ONLY_IPV4, 4L),
                    Map.entry(Rule.SILENT_END, 41L));

    static Stream<Arguments> rules() {
        return WithoutARule.arguments(SEEDS);
    }

    @ParameterizedTest
    @MethodSource("rules")
    void withoutTheRuleALawBreaks(Rule rule, long seed) {
        var without = WithoutARule.breaks(rule, seed, LENGTH);
        assertThat(without.violation().healed()).isFalse();
        without.replays();
    }
}
