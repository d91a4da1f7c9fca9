package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.BOTH;
import static dev.belay.decision.Samples.E6;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.GAMMA;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.ONLY_BETA;
import static dev.belay.decision.Samples.PAIR_SPEC;
import static dev.belay.decision.Samples.PROOF;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SECONDARY;
import static dev.belay.decision.Samples.claim;
import static dev.belay.decision.Samples.context;
import static dev.belay.decision.Samples.down;
import static dev.belay.decision.Samples.paired;
import static dev.belay.decision.Samples.right;
import static dev.belay.decision.Samples.view;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.VmInput.Cause;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Pairing;
import dev.belay.decision.VmState.Raising;
import dev.belay.decision.VmState.Refusal;
import dev.belay.decision.VmState.Running;
import dev.belay.decision.VmState.Stopping;
import dev.belay.model.Desired;
import dev.belay.model.Level;
import dev.belay.model.RunRight;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Whom of two what is heard is about, and what it leads to: alpha runs it, beta has the second. */
class PairNewsTest {
    private static final Running RUNNING = new Running(paired(), RIGHT);
    private static final Pairing PAIRING = new Pairing(paired(), RIGHT, BETA, List.of());
    private static final Raising RAISING =
            new Raising(paired().at(E8), RIGHT, SECONDARY, RaiseStage.DISKS, 0);
    private static final Lockstep LOCKSTEP =
            new Lockstep(paired().at(E8).newestOn(ALPHA, BETA), RIGHT, SECONDARY);
    private static final VmAction KILL_BETA = new VmAction.StopReplica(SECONDARY, true);
    private static final RunRight OLD = right(E6, ALPHA, I2);
    private static final RunRight ANEW = right(E8.next(), ALPHA, I2);
    private static final Proof OFF = new Proof(Proof.Kind.AGENT, "off", AT);

    private static Accepted<VmEvent, VmAction> hears(VmState state, Context now, VmInput input) {
        var decision = VmLife.decide(state, now, input);
        assertThat(decision).as("%s on %s", input, state).isInstanceOf(Accepted.class);
        return (Accepted<VmEvent, VmAction>) decision;
    }

    private static Accepted<VmEvent, VmAction> hears(VmState state, VmInput input) {
        return hears(state, BOTH, input);
    }

    private static void assertIgnored(VmState state, VmInput input) {
        assertThat(VmLife.decide(state, BOTH, input))
                .as("%s on %s", input, state)
                .isInstanceOf(Ignored.class);
    }

    private static VmInput lost(RunRight right) {
        return new VmInput.ServerLost(right.server(), right.incarnation(), List.of());
    }

    private static List<VmInput> failuresOf(RunRight right) {
        return List.of(
                new VmInput.ReplicaGone(right, Cause.DIED, "oops"),
                new VmInput.ReplicaStartFailed(right, "oops", true, false),
                new VmInput.DiskFailed(right, "root", "EIO"),
                new VmInput.ReplicaHung(right, "oops"),
                lost(right));
    }

    private static Context with(ClusterView.Claim claim) {
        return new Context(
                AT,
                "witness",
                new ClusterView(BOTH.view().servers(), Optional.empty(), List.of(claim)));
    }

    @Nested
    class OnTheWay {
        @Test
        void roomForASecondCopyIsLeftToTheVmOfHigherPriority() {
            assertThat(hears(RUNNING, with(claim("db", 10, 4096)), new VmInput.Tick()).events())
                    .singleElement()
                    .isInstanceOf(VmEvent.NoPartnerFound.class);
        }

        @Test
        void whyNoneTakesItIsSaidOfTheOtherServersInTheirOrder() {
            var full = context(view(GAMMA, I1, 1), view(BETA, I1, 1), view(ALPHA, I2, 1));

            assertThat(hears(RUNNING, full, new VmInput.Tick()).events())
                    .singleElement()
                    .isInstanceOfSatisfying(
                            VmEvent.NoPartnerFound.class,
                            none ->
                                    assertThat(none.refusals())
                                            .extracting(Refusal::server)
                                            .containsExactly(BETA, GAMMA));
        }

        @Test
        void aRefusalOfAnotherServerOrForAnotherEpochIsNotAwaited() {
            assertIgnored(PAIRING, new VmInput.ReservationRefused(GAMMA, E8, "full"));
            assertIgnored(PAIRING, new VmInput.ReservationRefused(BETA, E7, "full"));
            assertThat(hears(PAIRING, new VmInput.ReservationRefused(BETA, E8, "full")).events())
                    .containsExactly(
                            new VmEvent.NoPartnerFound(
                                    AT, List.of(new Refusal(BETA, "full", true))));
        }

        @Test
        void theRoomForTheSecondIsGivenBackWhenTheFirstDies() {
            assertThat(hears(PAIRING, new VmInput.ReplicaGone(RIGHT, Cause.DIED, "oops")).actions())
                    .containsExactly(
                            new VmAction.StartReplica(right(E8, ALPHA, I2), PAIR_SPEC),
                            new VmAction.Release(BETA, E8));
        }

        @Test
        void theRoomForTheSecondIsKeptWhileItIsLookedFor() {
            var pairing = new Pairing(paired().failed(1), RIGHT, BETA, List.of());

            assertThat(hears(pairing, new VmInput.Settled(E7)))
                    .isEqualTo(Samples.accepted(List.of(new VmEvent.VmSettled(AT, E7)), List.of()));
        }

        @Test
        void whoeverOfTheTwoLosesTheOtherBeforeLockstepThePrimaryGoesOn() {
            for (var claim :
                    List.of(
                            new VmInput.PartnerLost(RIGHT, SECONDARY, "silent"),
                            new VmInput.PartnerLost(SECONDARY, RIGHT, "silent"))) {
                assertThat(hears(RAISING, claim).actions())
                        .containsExactly(new VmAction.GoSolo(RIGHT, SECONDARY), KILL_BETA);
            }
            assertIgnored(RAISING, new VmInput.PartnerLost(OLD, SECONDARY, "silent"));
            assertIgnored(RAISING, new VmInput.PartnerLost(SECONDARY, OLD, "silent"));
        }

        @Test
        void aPrimaryThatDiesBeforeLockstepStartsAnewWithoutItsSecond() {
            assertThat(hears(RAISING, new VmInput.ReplicaGone(RIGHT, Cause.DIED, "oops")).actions())
                    .containsExactly(KILL_BETA, new VmAction.StartReplica(ANEW, PAIR_SPEC));
        }

        /** Of one that runs alone nobody would hear it. */
        @Test
        void aPrimaryThatHangsInTheRaiseIsToldToGoOnAlone() {
            assertThat(hears(RAISING, new VmInput.ReplicaHung(RIGHT, "no answer")).actions())
                    .containsExactly(new VmAction.GoSolo(RIGHT, SECONDARY), KILL_BETA);
        }
    }

    @Nested
    class WhatIsWaitedFor {
        private static final VmAction WAKE = new VmAction.WakeAfter(Duration.ofSeconds(1), E7);

        @Test
        void aSecondServerAfterOneFailedOrRefused() {
            var refused = List.of(new Refusal(BETA, "full", true));
            for (var vm : List.of(paired().pursuing(1, List.of()), paired().pursuing(0, refused))) {
                assertThat(VmLife.pending(new Running(vm, RIGHT))).contains(WAKE);
            }
        }

        @Test
        void nothingWhereNoneWasAskedOrNoneIsWanted() {
            var unseen = List.of(new Refusal(BETA, "it does not answer", false));
            for (var vm :
                    List.of(
                            paired(),
                            paired().pursuing(0, unseen),
                            paired().at(Level.RESTART).pursuing(1, List.of()))) {
                assertThat(VmLife.pending(new Running(vm, RIGHT))).doesNotContain(WAKE);
            }
        }

        @Test
        void thatLockstepLastsAWhileWhenEarlierPairsDidNot() {
            var settle = new VmAction.SettleAfter(Duration.ofSeconds(60), E8);
            var young = new Lockstep(LOCKSTEP.vm().pursuing(1, List.of()), RIGHT, SECONDARY);

            assertThat(VmLife.pending(young)).contains(settle);
            assertThat(hears(young, new VmInput.Settled(E8)).events())
                    .containsExactly(new VmEvent.VmSettled(AT, E8));
            assertIgnored(young, new VmInput.Settled(E7));
            assertThat(VmLife.pending(LOCKSTEP)).doesNotContain(settle);
            assertIgnored(LOCKSTEP, new VmInput.Settled(E8));
        }
    }

    @Nested
    class InLockstep {
        @Test
        void whoeverFailsTheOtherOneIsChosen() {
            for (var failure : failuresOf(RIGHT)) {
                assertThat(hears(LOCKSTEP, failure).actions())
                        .contains(new VmAction.GoSolo(SECONDARY, RIGHT));
            }
            for (var failure : failuresOf(SECONDARY)) {
                assertThat(hears(LOCKSTEP, failure).actions())
                        .contains(new VmAction.GoSolo(RIGHT, SECONDARY));
            }
        }

        @Test
        void ofAnEarlierRightOrAThirdServerNothingIsTaken() {
            failuresOf(right(E6, ALPHA, I1)).forEach(news -> assertIgnored(LOCKSTEP, news));
            failuresOf(right(E6, GAMMA, I1)).forEach(news -> assertIgnored(LOCKSTEP, news));
            assertIgnored(LOCKSTEP, new VmInput.GuestPanicked(OLD));
        }

        /** The journal could not grant it a right, or nobody could tell it. */
        @Test
        void whenOneIsEnoughThePrimaryStaysUnlessItDoesNotAnswer() {
            var stop = new VmInput.Stop(false);

            assertThat(hears(LOCKSTEP, stop).actions())
                    .contains(new VmAction.GoSolo(RIGHT, SECONDARY));
            assertThat(hears(LOCKSTEP, ONLY_BETA, stop).actions())
                    .contains(new VmAction.GoSolo(SECONDARY, RIGHT));
            var nobody = context(down(ALPHA, I2), down(BETA, I1));
            assertThat(hears(LOCKSTEP, nobody, stop))
                    .isEqualTo(
                            Samples.accepted(
                                    List.of(new VmEvent.DesireChanged(AT, Desired.STOPPED, false)),
                                    List.of()));
        }

        @Test
        void whenBothServersAreLostThePrimarysEndIsAskedFor() {
            var nobody = context(down(ALPHA, I2), down(BETA, I1));

            assertThat(hears(LOCKSTEP, nobody, lost(RIGHT)).actions())
                    .containsExactly(KILL_BETA, new VmAction.AskStanding(ALPHA, I2));
        }
    }

    /** What lost is forgotten only when nothing of it can run (safety.md 14). */
    @Nested
    class TheLosersEnd {
        private final VmState alone = new Running(paired().at(E8).giveUp(SECONDARY), RIGHT);
        private final VmEvent over = new VmEvent.LoserEnded(AT, SECONDARY, "ServerLost");

        @Test
        void isTheLossOfItsServerAndOfNoOtherOne() {
            assertThat(hears(alone, lost(SECONDARY)).events()).containsExactly(over);
            assertIgnored(alone, lost(right(E8, GAMMA, I1)));
            assertIgnored(alone, lost(right(E8, BETA, I2)));
        }

        @Test
        void isNotTheLossOfItsServerWhileTheOtherOneMayVouchForIt() {
            var vm = paired().at(E8).giveUp(SECONDARY);
            for (var state :
                    List.of(
                            new GoingSolo(vm, RIGHT, SECONDARY),
                            new Stopping(vm, RIGHT, false, false))) {
                assertIgnored(state, lost(SECONDARY));
                assertIgnored(state, new VmInput.FenceProved(BETA, I1, PROOF));
                assertThat(hears(state, new VmInput.FenceProved(BETA, I1, OFF)).events())
                        .hasOnlyElementsOfType(VmEvent.LoserEnded.class);
            }
        }
    }
}
