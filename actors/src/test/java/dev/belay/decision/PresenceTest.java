package dev.belay.decision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Presence.Knock;
import dev.belay.decision.Presence.Limits;
import dev.belay.decision.Presence.Moment;
import dev.belay.decision.Presence.Verdict;
import dev.belay.model.ServerName;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PresenceTest {
    private static final Limits LIMITS =
            new Limits(Duration.ofMillis(300), Duration.ofMillis(2500), Duration.ofSeconds(15));
    private static final ServerName ALPHA = new ServerName("alpha");

    /** A history, told in milliseconds. */
    private static final class Seen {
        private Presence presence = Presence.unseen(moment(0));

        static Seen up() {
            return new Seen().heartbeats(0, true).knock(0, Knock.ANSWERED, Knock.SILENT);
        }

        Seen heartbeats(long at, boolean come) {
            presence = presence.heartbeats(come, moment(at));
            return this;
        }

        Seen knock(long at, Knock node, Knock replicas) {
            presence = presence.knocked(node, replicas, moment(at));
            return this;
        }

        /** The same again and again, every 100 ms. */
        Seen knocks(long from, long to, Knock node, Knock replicas) {
            for (long at = from; at <= to; at += 100) {
                knock(at, node, replicas);
            }
            return this;
        }

        Class<? extends Verdict> at(long at) {
            return presence.judge(Duration.ofMillis(at), true, LIMITS).getClass();
        }

        Class<? extends Verdict> withoutVmsAt(long at) {
            return presence.judge(Duration.ofMillis(at), false, LIMITS).getClass();
        }

        List<String> words() {
            return presence.evidence(ALPHA, "witness").stream().map(Evidence::what).toList();
        }
    }

    private static Moment moment(long millis) {
        return new Moment(Duration.ofMillis(millis), Instant.ofEpochMilli(millis));
    }

    @Test
    void aMemberWhoseHeartbeatsComeIsFineWhateverElseIsHeard() {
        for (var node : Knock.values()) {
            for (var replicas : Knock.values()) {
                if (node == Knock.REFUSED && replicas == Knock.REFUSED) {
                    continue;
                }
                assertThat(Seen.up().knocks(1000, 60_000, node, replicas).at(60_000))
                        .as("%s %s", node, replicas)
                        .isEqualTo(Verdict.Fine.class);
            }
        }
    }

    @Nested
    class WhenEverythingIsRefused {
        @Test
        void theServerIsLostAtTheSecondLookBeforeAnyDetectorNotices() {
            var seen = Seen.up().knock(1000, Knock.REFUSED, Knock.REFUSED);
            assertThat(seen.at(1000)).isEqualTo(Verdict.Fine.class);
            seen.knock(1050, Knock.REFUSED, Knock.REFUSED);
            assertThat(seen.at(1050)).isEqualTo(Verdict.Lost.class);
            assertThat(seen.words())
                    .containsExactly(
                            "connections to the node of alpha are refused: its process is dead",
                            "connections to the replicas of alpha are refused too: nothing that Belay started lives there");
        }

        @Test
        void aServerWithoutVmsHasTheTimeToComeBack() {
            var seen =
                    Seen.up()
                            .knocks(1000, 1800, Knock.REFUSED, Knock.REFUSED)
                            .heartbeats(1800, false);
            assertThat(seen.withoutVmsAt(1800)).isEqualTo(Verdict.Wait.class);
            assertThat(seen.withoutVmsAt(3501)).isEqualTo(Verdict.Lost.class);
        }

        @Test
        void aServerThatThisNodeNeverSawMayBeStartingAndIsWaitedFor() {
            var seen =
                    new Seen().heartbeats(0, false).knocks(0, 15_000, Knock.REFUSED, Knock.REFUSED);
            assertThat(seen.at(15_000)).isEqualTo(Verdict.Wait.class);
            assertThat(seen.at(15_001)).isEqualTo(Verdict.Lost.class);
        }
    }

    @Nested
    class WhenOnlyTheNodesProcessIsGone {
        @Test
        void itHasTheTimeToComeBack() {
            for (var replicas : List.of(Knock.ANSWERED, Knock.SILENT)) {
                var seen =
                        Seen.up()
                                .knocks(1000, 4000, Knock.REFUSED, replicas)
                                .heartbeats(1800, false);
                assertThat(seen.at(3500)).isEqualTo(Verdict.Wait.class);
                assertThat(seen.at(3501)).isEqualTo(Verdict.Lost.class);
            }
        }

        @Test
        void onceItAnswersAgainItIsNotLostWhileItJoins() {
            var seen =
                    Seen.up()
                            .knocks(1000, 2000, Knock.REFUSED, Knock.ANSWERED)
                            .heartbeats(1800, false)
                            .knocks(2100, 16_000, Knock.ANSWERED, Knock.SILENT);
            assertThat(seen.at(16_000)).isEqualTo(Verdict.Wait.class);
            assertThat(seen.at(17_101)).isEqualTo(Verdict.Lost.class);
            assertThat(seen.words())
                    .contains("the node process of alpha answers, but does not join");
            assertThat(seen.heartbeats(17_200, true).at(17_200)).isEqualTo(Verdict.Fine.class);
        }

        @Test
        void aReturningProcessMayBeSlowForAMoment() {
            var seen =
                    Seen.up()
                            .knocks(1000, 2000, Knock.REFUSED, Knock.ANSWERED)
                            .heartbeats(1800, false)
                            .knock(2100, Knock.ANSWERED, Knock.SILENT)
                            .knock(2600, Knock.SILENT, Knock.SILENT);
            assertThat(seen.at(5100)).isEqualTo(Verdict.Wait.class);
            assertThat(seen.at(5101)).isEqualTo(Verdict.Lost.class);
        }

        @Test
        void oneThatDiesAgainAndAgainIsNotWaitedForForEver() {
            var seen = Seen.up().heartbeats(1000, false);
            for (long at = 1000; at < 16_000; at += 1000) {
                seen.knock(at, Knock.ANSWERED, Knock.SILENT);
                seen.knock(at + 500, Knock.REFUSED, Knock.ANSWERED);
            }
            assertThat(seen.at(16_000)).isEqualTo(Verdict.Wait.class);
            assertThat(seen.at(16_001)).isEqualTo(Verdict.Lost.class);
        }

        @Test
        void anAnswerInBetweenBeginsTheRefusalsAnew() {
            var seen =
                    Seen.up()
                            .heartbeats(1000, false)
                            .knocks(1000, 3000, Knock.REFUSED, Knock.ANSWERED)
                            .knock(3100, Knock.ANSWERED, Knock.SILENT)
                            .knocks(3200, 4000, Knock.REFUSED, Knock.ANSWERED);
            assertThat(seen.at(4000)).isEqualTo(Verdict.Wait.class);
            assertThat(seen.at(5701)).isEqualTo(Verdict.Lost.class);
        }
    }

    @Nested
    class WhenItIsSilent {
        @Test
        void theServerIsLostALittleAfterTheDetectorMissedIt() {
            var seen =
                    Seen.up()
                            .knocks(1000, 3000, Knock.SILENT, Knock.SILENT)
                            .heartbeats(1800, false);
            assertThat(seen.at(2100)).isEqualTo(Verdict.Wait.class);
            assertThat(seen.at(2101)).isEqualTo(Verdict.Lost.class);
            assertThat(seen.words())
                    .containsExactly(
                            "no answer from the node process of alpha", "no heartbeats from alpha");
        }

        @Test
        void aDetectorThatErrsWhileTheProcessAnswersLosesNobody() {
            var seen =
                    Seen.up()
                            .heartbeats(1000, false)
                            .knocks(1000, 9000, Knock.ANSWERED, Knock.SILENT);
            assertThat(seen.at(9000)).isEqualTo(Verdict.Wait.class);
            assertThat(seen.presence.missedSince()).isEmpty();
        }

        @Test
        void aServerThatThisNodeNeverSawIsWaitedFor() {
            var seen = new Seen().heartbeats(0, false);
            assertThat(seen.at(15_000)).isEqualTo(Verdict.Wait.class);
            assertThat(seen.at(15_001)).isEqualTo(Verdict.Lost.class);
        }
    }

    @Test
    void aReturnLateAfterAFencingIsNotFencedForItsLongAbsence() {
        var seen =
                Seen.up().heartbeats(1000, false).knocks(1000, 60_000, Knock.SILENT, Knock.SILENT);
        assertThat(seen.at(60_000)).isEqualTo(Verdict.Lost.class);
        seen.knock(60_100, Knock.ANSWERED, Knock.SILENT);
        assertThat(seen.at(60_100)).isEqualTo(Verdict.Wait.class);
    }

    static Stream<Arguments> everything() {
        return Stream.of(true, false)
                .flatMap(up ->
                        Stream.of(true, false)
                                .flatMap(come ->
                                        Stream.of(Knock.values())
                                                .flatMap(node ->
                                                        Stream.of(Knock.values())
                                                                .map(replicas ->
                                                                        Arguments.of(
                                                                                up, come, node,
                                                                                replicas)))));
    }

    /** One sight of anything loses nobody, and nothing that stays away is waited for for ever. */
    @ParameterizedTest
    @MethodSource("everything")
    void oneLookIsNeverEnoughAndWaitingEnds(
            boolean wasUp, boolean come, Knock node, Knock replicas) {
        var seen = wasUp ? Seen.up() : new Seen();
        seen.heartbeats(1000, come).knock(1000, node, replicas);
        assertThat(seen.at(1000)).isNotEqualTo(Verdict.Lost.class);
        seen.knock(16_001, node, replicas);
        if (!come) {
            assertThat(seen.at(16_001)).isEqualTo(Verdict.Lost.class);
        }
    }
}
