package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.GAMMA;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.model.ServerName;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class VanishedTest {
    private static final Duration WINDOW = Duration.ofSeconds(10);
    private static final Predicate<ServerName> ALL = _ -> true;
    private static final Presence THERE = Presence.unseen(at(0)).heartbeats(true, at(1));

    private static Presence.Moment at(int seconds) {
        return new Presence.Moment(Duration.ofSeconds(seconds), Instant.EPOCH);
    }

    private static Presence goneAt(int seconds) {
        return THERE.heartbeats(false, at(seconds));
    }

    private static Vanished count(Map<ServerName, Presence> seen, Predicate<ServerName> counts) {
        return Vanished.with(ALPHA, seen, counts, Duration.ofSeconds(100), WINDOW);
    }

    @Test
    void aSingleLossIsOneOfAll() {
        assertThat(count(Map.of(ALPHA, goneAt(100), BETA, THERE, GAMMA, THERE), ALL))
                .isEqualTo(new Vanished(1, 3));
    }

    @Test
    void lossesWithinTheWindowCountTogether() {
        assertThat(count(Map.of(ALPHA, goneAt(100), BETA, goneAt(91), GAMMA, THERE), ALL))
                .isEqualTo(new Vanished(2, 3));
    }

    @Test
    void anEarlierLossIsNeitherVanishedNorThere() {
        assertThat(count(Map.of(ALPHA, goneAt(100), BETA, goneAt(89), GAMMA, THERE), ALL))
                .isEqualTo(new Vanished(1, 2));
    }

    @Test
    void whatWasFencedLongAgoDoesNotCount() {
        assertThat(
                        count(
                                Map.of(ALPHA, goneAt(100), BETA, goneAt(100), GAMMA, THERE),
                                server -> !server.equals(BETA)))
                .isEqualTo(new Vanished(1, 2));
    }
}
