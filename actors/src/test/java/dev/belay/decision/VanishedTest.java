package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.GAMMA;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.model.ServerName;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VanishedTest {
    private static final Duration WINDOW = Duration.ofSeconds(10);
    private static final Map<ServerName, ServerState> ALL =
            Map.of(
                    ALPHA,
                    ServerLifeTest.LIVE,
                    BETA,
                    ServerLifeTest.LIVE,
                    GAMMA,
                    ServerLifeTest.LIVE);
    private static final Presence THERE = Presence.unseen(at(0)).heartbeats(true, at(1));

    private static Presence.Moment at(int seconds) {
        return new Presence.Moment(Duration.ofSeconds(seconds), Instant.EPOCH);
    }

    private static Presence goneAt(int seconds) {
        return THERE.heartbeats(false, at(seconds));
    }

    private static Vanished count(
            Map<ServerName, Presence> seen, Map<ServerName, ServerState> journal) {
        return Vanished.with(ALPHA, seen, journal, Duration.ofSeconds(100), WINDOW);
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
    void whatWasFencedBeforeThisNodeSawItDoesNotCount() {
        var neverSeen = Presence.unseen(at(100)).heartbeats(false, at(100));

        assertThat(count(Map.of(ALPHA, goneAt(100), BETA, neverSeen, GAMMA, THERE), fenced(BETA)))
                .isEqualTo(new Vanished(1, 2));
    }

    @Test
    void whatWasFencedAfterThisNodeSawItCounts() {
        assertThat(count(Map.of(ALPHA, goneAt(100), BETA, goneAt(100), GAMMA, THERE), fenced(BETA)))
                .isEqualTo(new Vanished(2, 3));
    }

    @Test
    void whatNeverJoinedDoesNotCount() {
        assertThat(
                        count(
                                Map.of(ALPHA, goneAt(100), BETA, goneAt(100), GAMMA, THERE),
                                Map.of(ALPHA, ServerLifeTest.LIVE, BETA, ServerHistory.NEW)))
                .isEqualTo(new Vanished(1, 2));
    }

    private static Map<ServerName, ServerState> fenced(ServerName server) {
        return Map.of(ALPHA, ServerLifeTest.LIVE, server, ServerLifeTest.FENCED);
    }
}
