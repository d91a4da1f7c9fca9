package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.CheckpointPace.Seen;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class CheckpointsTest {
    private static final long MS = 1_000_000;

    private final Checkpoints checkpoints = new Checkpoints(Duration.ofMillis(400));

    private void pass(long stopMillis, long pauseMillis) {
        checkpoints.onEvent("STOP", stopMillis * MS);
        checkpoints.onEvent("RESUME", (stopMillis + pauseMillis) * MS);
    }

    @Test
    void onesThatComeBeforeTheirTimeWereAskedFor() {
        pass(1000, 20);
        pass(1400, 30);
        pass(1500, 40);
        pass(1900, 50);
        assertThat(checkpoints.count()).isEqualTo(4);
        assertThat(checkpoints.diverged()).isEqualTo(1);
        assertThat(checkpoints.pausedMillis()).isEqualTo(140);
        assertThat(checkpoints.seenSince(0)).isEqualTo(new Seen(4, 1, Duration.ofMillis(40)));
        assertThat(checkpoints.longestMillisSince(0)).isEqualTo(50);
    }

    @Test
    void whatWeAskForOurselvesDivergedNowhere() {
        pass(1000, 20);
        checkpoints.delayIs(Duration.ofMillis(800));
        pass(1100, 20);
        pass(1900, 20);
        pass(2300, 20);
        assertThat(checkpoints.diverged()).isEqualTo(1);
    }

    @Test
    void onlyTheNewOnesAreSeen() {
        pass(1000, 20);
        pass(1400, 90);
        assertThat(checkpoints.seenSince(1300 * MS))
                .isEqualTo(new Seen(1, 0, Duration.ofMillis(90)));
        assertThat(checkpoints.seenSince(2000 * MS)).isEqualTo(new Seen(0, 0, Duration.ZERO));
    }

    /** A guest that runs again although we did not hear it stop. */
    @Test
    void halfOfOneIsNone() {
        checkpoints.onEvent("RESUME", 5 * MS);
        assertThat(checkpoints.count()).isZero();
    }
}
