package dev.belay.decision;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PairSilenceTest {
    private static final Duration LIMIT = Duration.ofMillis(600);

    private static Duration at(int millis) {
        return Duration.ofMillis(millis);
    }

    /** As if looked at every 100 ms. */
    private static PairSilence.Look lookedAtUntil(PairSilence silence, int from, int to) {
        var look = new PairSilence.Look(silence, false);
        for (int now = from; now <= to; now += 100) {
            look = look.next().look(at(now), LIMIT);
            if (look.silent()) {
                return look;
            }
        }
        return look;
    }

    @Test
    void whoIsHeardIsNotSilent() {
        var silence = PairSilence.from(at(0));
        for (int now = 100; now < 5000; now += 100) {
            silence = silence.heardAt(at(now));
            var look = silence.look(at(now + 50), LIMIT);
            assertThat(look.silent()).isFalse();
            silence = look.next();
        }
    }

    @Test
    void silenceIsToldOnce() {
        var look = lookedAtUntil(PairSilence.from(at(0)), 100, 2000);
        assertThat(look.silent()).isTrue();
        assertThat(look.next().looked()).isEqualTo(at(700));
        assertThat(lookedAtUntil(look.next(), 800, 3000).silent()).isFalse();
    }

    @Test
    void itIsToldAgainWhenTheOtherCameBackInBetween() {
        var told = lookedAtUntil(PairSilence.from(at(0)), 100, 2000).next();
        assertThat(lookedAtUntil(told.heardAt(at(800)), 800, 3000).silent()).isTrue();
    }

    /** A process that was stopped for a second has a second of beats in its queue. */
    @Test
    void whoWasAwayItselfCountsAfresh() {
        var look = PairSilence.from(at(0)).look(at(1000), LIMIT);
        assertThat(look.silent()).isFalse();
        assertThat(lookedAtUntil(look.next(), 1100, 1500).silent()).isFalse();
        assertThat(lookedAtUntil(look.next(), 1100, 2500).silent()).isTrue();
    }
}
