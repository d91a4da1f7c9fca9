package dev.belay.decision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.CheckpointPace.Bounds;
import dev.belay.decision.CheckpointPace.Seen;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;

/** How often a VM in lockstep passes a checkpoint, with a budget of 400 ms. */
class CheckpointPaceTest {
    private static final Duration BUDGET = Duration.ofMillis(400);
    private static final Bounds BOUNDS = new Bounds(Duration.ofMillis(100), Duration.ofSeconds(1));
    private static final CheckpointPace PACE = CheckpointPace.of(BUDGET);

    private static Seen seen(int checkpoints, int asked, long pauseMillis) {
        return new Seen(checkpoints, asked, Duration.ofMillis(pauseMillis));
    }

    private static CheckpointPace next(CheckpointPace pace, long pauseMillis) {
        return pace.next(seen(10, 0, pauseMillis), BUDGET, BOUNDS);
    }

    /**
     * The delays that come up once it has settled.
     *
     * @param pause of a guest, by the delay
     */
    private static Set<Long> settled(LongUnaryOperator pause) {
        var pace = PACE;
        var delays = new HashSet<Long>();
        for (var look = 0; look < 40; look++) {
            pace = next(pace, pause.applyAsLong(pace.delay().toMillis()));
            if (look >= 20) {
                delays.add(pace.delay().toMillis());
            }
        }
        return delays;
    }

    /** As measured under emulation, at every delay. */
    @Test
    void theGuestIsPausedForAnEighthOfTheTime() {
        assertThat(settled(_ -> 50)).containsExactly(400L);
        assertThat(settled(_ -> 30)).containsExactly(240L);
    }

    @Test
    void quickCheckpointsLetItBeShort() {
        assertThat(settled(_ -> 5)).containsExactly(100L);
    }

    @Test
    void itIsNeverLongerThanTheBudgetWhileTheGuestRunsEnough() {
        assertThat(settled(_ -> 100)).containsExactly(400L);
        assertThat(settled(_ -> 200)).containsExactly(400L);
        assertThat(settled(delay -> delay / 5)).containsExactly(400L);
    }

    @Test
    void aGuestThatIsHardlyRunGetsMoreThanTheBudget() {
        assertThat(settled(_ -> 300)).containsExactly(600L);
        assertThat(settled(_ -> 900)).containsExactly(1000L);
    }

    /** A guest that changes all of its memory all the time. */
    @Test
    void whereThatDoesNotHelpTheBudgetIsKept() {
        LongUnaryOperator pause = delay -> delay * 3 / 4;
        var beyond = next(PACE, 300);
        assertThat(beyond.delay()).isEqualTo(Duration.ofMillis(600));
        assertThat(next(beyond, 450).delay()).isEqualTo(BUDGET);
        assertThat(next(next(beyond, 450), 300).delay()).isEqualTo(BUDGET);
        assertThat(settled(pause)).containsExactly(400L);
        // Once it is another matter, it is tried again.
        assertThat(next(next(beyond, 450), 400).delay()).isEqualTo(Duration.ofMillis(800));
    }

    @Test
    void aLittleMoreOrLessChangesNothing() {
        for (var pause = 41; pause <= 99; pause++) {
            assertThat(next(PACE, pause)).as("%d ms", pause).isEqualTo(PACE);
        }
        assertThat(settled(delay -> delay > 300 ? 34 : 36)).hasSize(1);
    }

    @Test
    void fewCheckpointsSayNothing() {
        assertThat(PACE.next(seen(CheckpointPace.FEWEST - 1, 0, 900), BUDGET, BOUNDS))
                .isEqualTo(PACE);
    }

    @Test
    void thoseThatWereAskedForSayNothingOfTheDelay() {
        assertThat(PACE.next(seen(10, 6, 10), BUDGET, BOUNDS)).isEqualTo(PACE);
        assertThat(PACE.next(seen(10, 6, 350), BUDGET, BOUNDS)).isEqualTo(PACE);
    }

    @Test
    void aBudgetOutsideOfTheBoundsIsTheNearestOne() {
        var patient = PACE.next(seen(10, 0, 200), Duration.ofSeconds(5), BOUNDS);
        assertThat(patient.delay()).isEqualTo(BOUNDS.longest());
        var hasty = PACE.next(seen(10, 0, 20), Duration.ofMillis(5), BOUNDS);
        assertThat(hasty.delay()).isEqualTo(BOUNDS.shortest());
    }
}
