package dev.belay.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class WaitingSideTest {
    private static final long TOGETHER_AGAIN = WaitingSide.TOGETHER_AGAIN.toSeconds();

    private final WaitingSide side = new WaitingSide();
    private long now = 1_000;

    /** Looks each second for so long, at a side without a majority that holds a pair. */
    private boolean waits(boolean hearsQuorum, long seconds) {
        boolean waits = true;
        for (long end = now + seconds; now < end; now++) {
            waits = side.waits(false, true, hearsQuorum, Duration.ofSeconds(now));
        }
        return waits;
    }

    @Test
    void aSideWithoutAQuorumWaitsForEver() {
        assertThat(waits(false, 100_000)).isTrue();
    }

    @Test
    void oneThatHasAQuorumAgainAndNoMajorityGoesAfterAWhile() {
        waits(false, 100);
        assertThat(waits(true, TOGETHER_AGAIN)).isTrue();
        assertThat(waits(true, 2)).isFalse();
    }

    @Test
    void theTimeBeginsAnewWhenTheQuorumIsLostAgain() {
        waits(true, TOGETHER_AGAIN);
        waits(false, 1);
        assertThat(waits(true, TOGETHER_AGAIN)).isTrue();
    }

    /** Nobody was missed meanwhile. */
    @Test
    void theTimeOfAnEarlierPartitionDoesNotCount() {
        waits(true, TOGETHER_AGAIN);
        now += 1_000;
        assertThat(waits(true, TOGETHER_AGAIN)).isTrue();
    }

    @Test
    void aMajorityAndASideWithoutAPairDoNotWait() {
        var at = Duration.ofSeconds(now);
        assertThat(side.waits(true, true, false, at)).isFalse();
        assertThat(side.waits(false, false, false, at)).isFalse();
    }
}
