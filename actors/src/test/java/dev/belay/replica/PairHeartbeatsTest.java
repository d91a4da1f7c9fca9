package dev.belay.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.cluster.TakenOut;
import dev.belay.decision.ReplicaState.Bonded;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class PairHeartbeatsTest {
    private static final ActorTestKit KIT = ActorTestKit.create();
    private static final RunRight OWN = right(7, "alpha");
    private static final RunRight PARTNER = right(8, "beta");
    private final List<RunRight> beats = new CopyOnWriteArrayList<>();
    private final List<RunRight> hearing = new CopyOnWriteArrayList<>();
    private final List<RunRight> questions = new CopyOnWriteArrayList<>();
    private final List<RunRight> resting = new CopyOnWriteArrayList<>();
    private final List<ReplicaEvent> lost = new CopyOnWriteArrayList<>();
    private final AtomicBoolean bothHear = new AtomicBoolean();

    @AfterAll
    static void end() {
        KIT.shutdownTestKit();
    }

    private static RunRight right(long epoch, String server) {
        return new RunRight(
                new VmName("web"), new Epoch(epoch), new ServerName(server), new Incarnation(1));
    }

    private ActorRef<PairHeartbeats.Message> heartbeats(Duration limit) {
        return KIT.spawn(
                PairHeartbeats.create(
                        limit,
                        new PairHeartbeats.Words() {
                            @Override
                            public void beat(RunRight own, RunRight partner, boolean hears) {
                                (hears ? hearing : beats).add(own);
                            }

                            @Override
                            public void ask(RunRight own, RunRight partner) {
                                questions.add(own);
                            }

                            @Override
                            public void rest(RunRight own, RunRight partner) {
                                resting.add(own);
                            }
                        },
                        lost::add));
    }

    /** Nodes between which the wire was just mended connect late. */
    @Test
    void theFirstWordMayTakeItsTime() {
        var heartbeats = heartbeats(Duration.ofMillis(300));
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, true), true));
        await().atMost(Duration.ofSeconds(30)).until(() -> beats.size() > 20);
        assertThat(lost).isEmpty();
        heartbeats.tell(new PairHeartbeats.Heard(PARTNER, OWN, true));
        await().atMost(Duration.ofSeconds(30)).until(() -> !lost.isEmpty());
        assertThat(hearing).contains(OWN);
    }

    /** It may have been parted from the other one, and have to be quiet. */
    @Test
    void oneThatWasFoundRunningBearsNoLongerSilenceThanEver() {
        var heartbeats = heartbeats(Duration.ofMillis(300));
        var raised = right(9, "alpha");
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(raised, right(10, "beta"), true), true));
        // Were both alike, the one that is held longer would tell first.
        await().atMost(Duration.ofSeconds(30)).until(() -> beats.size() > 2);
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, true), false));
        await().atMost(Duration.ofSeconds(30)).until(() -> !lost.isEmpty());
        assertThat(lost).extracting(ReplicaEvent::right).containsExactly(OWN);
    }

    /** Both do so when a partition heals, not quite at the same time. */
    @Test
    void oneWhoseNodeStartsAnewIsWaitedForLikeANewOne() {
        var heartbeats = heartbeats(Duration.ofMillis(300));
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, true), false));
        heartbeats.tell(new PairHeartbeats.Heard(PARTNER, OWN, true));
        heartbeats.tell(new PairHeartbeats.Rests(PARTNER, OWN));
        await().atMost(Duration.ofSeconds(30)).until(() -> beats.size() > 20);
        assertThat(lost).isEmpty();
        heartbeats.tell(new PairHeartbeats.Heard(PARTNER, OWN, true));
        await().atMost(Duration.ofSeconds(30)).until(() -> !lost.isEmpty());
    }

    /** It has heard it, so it does not wait to be spoken to: that may never come. */
    @Test
    void oneThatFollowsDoesNotWaitForEverEither() {
        var heartbeats = heartbeats(Duration.ofMillis(60));
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, false), true));
        heartbeats.tell(new PairHeartbeats.Heard(PARTNER, OWN, true));
        heartbeats.tell(new PairHeartbeats.Rests(PARTNER, OWN));
        await().atMost(Duration.ofSeconds(30)).until(() -> beats.contains(OWN));
        await().atMost(Duration.ofSeconds(30)).until(() -> !lost.isEmpty());
    }

    @Test
    void oneOfAnotherPairThatRestsChangesNothing() {
        var heartbeats = heartbeats(Duration.ofMillis(300));
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, true), false));
        heartbeats.tell(new PairHeartbeats.Heard(PARTNER, OWN, true));
        heartbeats.tell(new PairHeartbeats.Rests(right(5, "beta"), OWN));
        await().atMost(Duration.ofSeconds(30)).until(() -> !lost.isEmpty());
        assertThat(beats.size()).isLessThan(20);
    }

    @Test
    void theOthersAreToldThatThisNodeStartsAnewAndHearNothingAfterThat() {
        var heartbeats = heartbeats(Duration.ofMillis(60));
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, true), true));
        heartbeats.tell(new PairHeartbeats.Heard(PARTNER, OWN, true));
        await().atMost(Duration.ofSeconds(30))
                .until(() -> {
                    // Whoever listens does so a moment after it was made.
                    Adapter.toClassic(KIT.system()).eventStream().publish(new TakenOut());
                    return resting.contains(OWN);
                });
        int said = hearing.size();
        int announced = lost.size();
        // One of another pair looks all the while; what was said last may let go of it, too.
        var other = new Bonded(right(9, "alpha"), right(10, "beta"), true);
        await().atMost(Duration.ofSeconds(30))
                .until(() -> {
                    heartbeats.tell(new PairHeartbeats.Hold(other, true));
                    return lost.size() > announced;
                });
        assertThat(hearing).hasSize(said);
        assertThat(resting).containsOnlyOnce(OWN);
    }

    @Test
    void oneThatLeadsDoesNotWaitForTheFirstWordForEver() {
        heartbeats(Duration.ofMillis(30))
                .tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, true), true));
        await().atMost(Duration.ofSeconds(30)).until(() -> !lost.isEmpty());
    }

    @Test
    void whoWaitsUntilBothHearIsToldWhenTheOtherOneSaysSoToo() {
        var heartbeats = heartbeats(Duration.ofSeconds(30));
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, false), true));
        heartbeats.tell(new PairHeartbeats.WhenBothHear(OWN, PARTNER, () -> bothHear.set(true)));
        heartbeats.tell(new PairHeartbeats.Heard(PARTNER, OWN, false));
        await().atMost(Duration.ofSeconds(30)).until(() -> hearing.contains(OWN));
        assertThat(bothHear).isFalse();
        heartbeats.tell(new PairHeartbeats.Heard(PARTNER, OWN, true));
        await().atMost(Duration.ofSeconds(30)).untilTrue(bothHear);
    }

    @Test
    void whoWaitsLateIsToldAtOnce() {
        var heartbeats = heartbeats(Duration.ofSeconds(30));
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, false), true));
        heartbeats.tell(new PairHeartbeats.Heard(PARTNER, OWN, true));
        heartbeats.tell(new PairHeartbeats.WhenBothHear(OWN, PARTNER, () -> bothHear.set(true)));
        await().atMost(Duration.ofSeconds(30)).untilTrue(bothHear);
    }

    @Test
    void oneThatLeadsSpeaksFirstAndTellsOfSilenceOnce() {
        var heartbeats = heartbeats(Duration.ofMillis(300));
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, true), true));
        await().atMost(Duration.ofSeconds(30)).until(() -> !beats.isEmpty());
        heartbeats.tell(new PairHeartbeats.Heard(PARTNER, OWN, true));
        await().atMost(Duration.ofSeconds(30)).until(() -> !lost.isEmpty());
        int before = hearing.size();
        await().atMost(Duration.ofSeconds(30)).until(() -> hearing.size() > before + 20);
        assertThat(lost)
                .singleElement()
                .isInstanceOfSatisfying(
                        ReplicaEvent.PartnerLost.class,
                        event -> {
                            assertThat(event.right()).isEqualTo(OWN);
                            assertThat(event.partner()).isEqualTo(PARTNER);
                        });
    }

    @Test
    void oneThatFollowsIsMuteUntilItIsSpokenTo() {
        var heartbeats = heartbeats(Duration.ofMillis(300));
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, false), true));
        // One of another pair looks all the while.
        var other = right(9, "alpha");
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(other, right(10, "beta"), true), true));
        await().atMost(Duration.ofSeconds(30)).until(() -> beats.size() > 20);
        assertThat(beats).doesNotContain(OWN);
        assertThat(lost).noneMatch(event -> event.right().equals(OWN));
        heartbeats.tell(new PairHeartbeats.Heard(PARTNER, OWN, false));
        await().atMost(Duration.ofSeconds(30)).until(() -> hearing.contains(OWN));
    }

    @Test
    void whatIsLetGoIsForgotten() {
        var heartbeats = heartbeats(Duration.ofMillis(60));
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(OWN, PARTNER, true), true));
        await().atMost(Duration.ofSeconds(30)).until(() -> beats.contains(OWN));
        heartbeats.tell(new PairHeartbeats.LetGo(OWN));
        var other = right(9, "alpha");
        heartbeats.tell(new PairHeartbeats.Hold(new Bonded(other, right(10, "beta"), true), true));
        await().atMost(Duration.ofSeconds(30))
                .until(() -> lost.stream().anyMatch(event -> event.right().equals(other)));
        beats.clear();
        await().atMost(Duration.ofSeconds(30)).until(() -> beats.size() > 10);
        assertThat(beats).doesNotContain(OWN);
    }
}
