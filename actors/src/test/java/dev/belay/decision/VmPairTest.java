package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.BOTH;
import static dev.belay.decision.Samples.DISARMED;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.GAMMA;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.ONLY_BETA;
import static dev.belay.decision.Samples.PAIR_ADDRESS;
import static dev.belay.decision.Samples.PAIR_SPEC;
import static dev.belay.decision.Samples.PROOF;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SECONDARY;
import static dev.belay.decision.Samples.SPEC;
import static dev.belay.decision.Samples.after;
import static dev.belay.decision.Samples.context;
import static dev.belay.decision.Samples.down;
import static dev.belay.decision.Samples.paired;
import static dev.belay.decision.Samples.view;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.Decision.Reason;
import dev.belay.decision.Decision.Rejected;
import dev.belay.decision.Explanation.Protection;
import dev.belay.decision.VmInput.Cause;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Pairing;
import dev.belay.decision.VmState.Raising;
import dev.belay.decision.VmState.Refusal;
import dev.belay.decision.VmState.Running;
import dev.belay.model.Desired;
import dev.belay.model.JournalGuard;
import dev.belay.model.Level;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** A VM on two servers, in examples. It runs on alpha at epoch 7; beta gets the second copy. */
class VmPairTest {
    private static final Running RUNNING = new Running(paired(), RIGHT);
    private static final Pairing PAIRING = new Pairing(paired(), RIGHT, BETA, List.of());
    private static final Raising RAISING =
            new Raising(paired().at(E8), RIGHT, SECONDARY, RaiseStage.DISKS, 0);
    private static final Lockstep LOCKSTEP =
            new Lockstep(paired().at(E8).newestOn(ALPHA, BETA), RIGHT, SECONDARY);
    private static final VmAction KILL_BETA = new VmAction.StopReplica(SECONDARY, true);
    private static final VmAction KILL_ALPHA = new VmAction.StopReplica(RIGHT, true);

    private static Accepted<VmEvent, VmAction> accepted(VmState state, Context now, VmInput input) {
        var decision = VmLife.decide(state, now, input);
        assertThat(decision).as("%s on %s", input, state).isInstanceOf(Accepted.class);
        return (Accepted<VmEvent, VmAction>) decision;
    }

    private static VmState hears(VmState state, Context now, VmInput input) {
        return after(state, accepted(state, now, input).events());
    }

    private static VmState hears(VmState state, VmInput input) {
        return hears(state, BOTH, input);
    }

    private static VmInput lost(RunRight right) {
        return new VmInput.ServerLost(right.server(), right.incarnation(), List.of());
    }

    @Nested
    class OnTheWay {
        @Test
        void aRunningVmAsksAnotherServerForTwiceItsMemory() {
            assertThat(accepted(RUNNING, BOTH, new VmInput.Tick()))
                    .isEqualTo(
                            Samples.accepted(
                                    List.of(new VmEvent.PairingTried(AT, BETA, List.of())),
                                    List.of(new VmAction.Reserve(BETA, E8, 2 * MEMORY))));
        }

        @Test
        void theSecondRightIsANewEpochThatTheJournalGuards() {
            var granted = new VmEvent.PairGranted(AT, RIGHT, SECONDARY);
            assertThat(accepted(PAIRING, BOTH, new VmInput.Reserved(BETA, I1, E8)))
                    .isEqualTo(
                            Samples.accepted(
                                    List.of(granted),
                                    List.of(
                                            new VmAction.PrepareSecondary(
                                                    SECONDARY, RIGHT, PAIR_SPEC))));
            assertThat(granted.guards()).containsExactly(new JournalGuard.Grants(BETA, I1));
        }

        @Test
        void thePrimaryIsRaisedWhenTheSecondaryIsReady() {
            assertThat(accepted(RAISING, BOTH, new VmInput.SecondaryReady(SECONDARY, PAIR_ADDRESS)))
                    .isEqualTo(
                            Samples.accepted(
                                    List.of(),
                                    List.of(
                                            new VmAction.RaisePair(
                                                    RIGHT, SECONDARY, PAIR_ADDRESS))));
        }

        /** Its guest may stand still in the middle of the raise. */
        @Test
        void aPrimaryThatIsNoOrdinaryOneAfterItsRaiseIsToldToGoOnAlone() {
            var broke = new VmInput.PartnerLost(RIGHT, SECONDARY, "QEMU hangs");
            assertThat(accepted(RAISING, BOTH, broke).actions())
                    .containsExactly(new VmAction.GoSolo(RIGHT, SECONDARY), KILL_BETA);
            var solo = hears(RAISING, broke);
            assertThat(solo).isInstanceOf(GoingSolo.class);
            assertThat(VmLife.pending(solo)).contains(new VmAction.GoSolo(RIGHT, SECONDARY));
        }

        /** safety.md 22. */
        @Test
        void thePrimarysWordAloneIsNotLockstepButHasTheSecondaryAsked() {
            assertThat(accepted(RAISING, BOTH, new VmInput.PairRaised(RIGHT, SECONDARY, List.of())))
                    .isEqualTo(
                            Samples.accepted(
                                    List.of(),
                                    List.of(
                                            new VmAction.AwaitLockstep(SECONDARY, RIGHT),
                                            new VmAction.OverdueAfter(
                                                    Duration.ofSeconds(10), E8))));
        }

        /** All of it begins again: the primary repeats its word, and that has it asked. */
        @Test
        void aSecondaryWhoseWordWasLostIsAskedAgain() {
            var ready = new VmInput.SecondaryReady(SECONDARY, PAIR_ADDRESS);
            var raised = new VmInput.PairRaised(RIGHT, SECONDARY, List.of());
            assertThat(VmLife.pending(RAISING))
                    .contains(new VmAction.PrepareSecondary(SECONDARY, RIGHT, PAIR_SPEC));
            for (int again = 0; again < 2; again++) {
                assertThat(accepted(RAISING, BOTH, ready).actions())
                        .contains(new VmAction.RaisePair(RIGHT, SECONDARY, PAIR_ADDRESS));
                assertThat(accepted(RAISING, BOTH, raised).actions())
                        .contains(new VmAction.AwaitLockstep(SECONDARY, RIGHT));
            }
        }

        @Test
        void aSecondaryThatNeverSaysThatItIsInLockstepIsGivenUp() {
            var overdue = accepted(RAISING, BOTH, new VmInput.RaiseOverdue(E8));
            assertThat(overdue.actions())
                    .containsExactly(new VmAction.GoSolo(RIGHT, SECONDARY), KILL_BETA);
            var solo = (GoingSolo) after(RAISING, overdue.events());
            assertThat(solo.vm().legs()).containsExactly(ALPHA);
            var alone = hears(solo, new VmInput.SoloDone(RIGHT, SECONDARY, List.of()));
            assertThat(Explanation.of(alone, BOTH.view()))
                    .contains("beta: its server has not said for 10 s that it sees it in lockstep");
            var clear = hears(alone, new VmInput.ReplicaGone(SECONDARY, Cause.STOPPED, ""));
            assertThat(hears(clear, new VmInput.BackOffOver(E8))).isInstanceOf(Pairing.class);
        }

        @Test
        void whatWasLateForAnEarlierSecondaryIsNotSoForThisOne() {
            var later = new RunRight(RIGHT.vm(), E8.next(), BETA, I1);
            var raising =
                    new Raising(paired().at(E8.next()), RIGHT, later, RaiseStage.LOCKSTEP, 100);
            assertThat(VmLife.decide(raising, BOTH, new VmInput.RaiseOverdue(E8)))
                    .isInstanceOf(Ignored.class);
            assertThat(VmLife.decide(raising, BOTH, new VmInput.LockstepSeen(RIGHT, SECONDARY)))
                    .isInstanceOf(Ignored.class);
            assertThat(VmLife.decide(LOCKSTEP, BOTH, new VmInput.RaiseOverdue(E8)))
                    .isInstanceOf(Ignored.class);
        }

        @Test
        void inLockstepBothHaveTheNewestBytes() {
            var state = (Lockstep) hears(RAISING, new VmInput.LockstepSeen(RIGHT, SECONDARY));
            assertThat(state.vm().legs()).containsExactly(ALPHA, BETA);
            assertThat(Explanation.protection(state, BOTH.view())).isEqualTo(Protection.PROTECTED);
        }

        /** Not with the next question only: a half that does not know it does not vouch. */
        @Test
        void bothHearAtOnceThatLockstepIsStored() {
            assertThat(
                            accepted(RAISING, BOTH, new VmInput.LockstepSeen(RIGHT, SECONDARY))
                                    .actions())
                    .contains(
                            new VmAction.ConfirmLockstep(RIGHT, SECONDARY),
                            new VmAction.ConfirmLockstep(SECONDARY, RIGHT));
        }

        @Test
        void lockstepIsNotStoredWhenOneOfTheTwoIsLost() {
            assertThat(
                            VmLife.decide(
                                    RAISING, ONLY_BETA, new VmInput.LockstepSeen(RIGHT, SECONDARY)))
                    .isInstanceOf(Ignored.class);
        }

        @Test
        void newsOfAnEarlierPairAreNotTakenForThoseOfThisOne() {
            var later = new RunRight(RIGHT.vm(), E8.next(), BETA, I1);
            var vm = paired().at(E8.next());
            assertThat(
                            VmLife.decide(
                                    new Raising(vm, RIGHT, later, RaiseStage.DISKS, 0),
                                    BOTH,
                                    new VmInput.PairRaised(RIGHT, SECONDARY, List.of())))
                    .isInstanceOf(Ignored.class);
            assertThat(
                            VmLife.decide(
                                    new GoingSolo(vm, RIGHT, later),
                                    BOTH,
                                    new VmInput.SoloDone(RIGHT, SECONDARY, List.of())))
                    .isInstanceOf(Ignored.class);
            assertThat(
                            VmLife.decide(
                                    new Lockstep(vm, RIGHT, later),
                                    BOTH,
                                    new VmInput.PartnerLost(RIGHT, SECONDARY, "silent")))
                    .isInstanceOf(Ignored.class);
        }

        @Test
        void progressIsStoredInStepsOnly() {
            var little = new VmInput.RaiseAdvanced(RIGHT, SECONDARY, RaiseStage.DISKS, 9);
            var enough = new VmInput.RaiseAdvanced(RIGHT, SECONDARY, RaiseStage.DISKS, 10);
            assertThat(VmLife.decide(RAISING, BOTH, little)).isInstanceOf(Ignored.class);
            assertThat(hears(RAISING, enough))
                    .isEqualTo(new Raising(RAISING.vm(), RIGHT, SECONDARY, RaiseStage.DISKS, 10));
        }

        @Test
        void aRaiseThatFailedIsTriedAgainAfterAPauseThatGrows() {
            var state = hears(RAISING, new VmInput.RaiseFailed(RIGHT, SECONDARY, "no room"));
            assertThat(state).isInstanceOf(Running.class);
            assertThat(VmLife.decide(state, BOTH, new VmInput.Tick()))
                    .isEqualTo(
                            Samples.accepted(
                                    List.of(),
                                    List.of(new VmAction.WakeAfter(Duration.ofSeconds(1), E8))));
            assertThat(Explanation.of(state, BOTH.view())).contains("beta: no room");
            // What is left of the last one is ended first.
            assertThat(hears(state, new VmInput.BackOffOver(E8))).isInstanceOf(Running.class);
            var clear = hears(state, new VmInput.ReplicaGone(SECONDARY, Cause.STOPPED, ""));
            assertThat(hears(clear, new VmInput.BackOffOver(E8))).isInstanceOf(Pairing.class);
        }

        /** Each failover breaks a pair that was well; the next failure must not be waited for. */
        @Test
        void aPairThatIsBrokenAgainAndAgainIsMadeAnewWithinSeconds() {
            VmState state = RAISING;
            for (int round = 0; round < 8; round++) {
                state =
                        new Raising(
                                ((VmState.Present) state).vm(),
                                RIGHT,
                                SECONDARY,
                                RaiseStage.LOCKSTEP,
                                0);
                state = hears(state, new VmInput.LockstepSeen(RIGHT, SECONDARY));
                state = hears(state, new VmInput.PartnerLost(RIGHT, SECONDARY, "QEMU hangs"));
                var solo = accepted(state, BOTH, new VmInput.SoloDone(RIGHT, SECONDARY, List.of()));
                assertThat(solo.actions())
                        .filteredOn(VmAction.WakeAfter.class::isInstance)
                        .singleElement()
                        .extracting(action -> ((VmAction.WakeAfter) action).pause())
                        .satisfies(pause -> assertThat(pause.toSeconds()).isBetween(1L, 4L));
                state = after(state, solo.events());
            }
        }

        @Test
        void aThirdServerIsTriedBeforeTheOneThatFailed() {
            var three = context(view(ALPHA, I2, 8192), view(BETA, I1, 8192), view(GAMMA, I1, 4096));
            var state =
                    hears(
                            hears(
                                    RAISING,
                                    three,
                                    new VmInput.ReplicaStartFailed(
                                            SECONDARY, "cannot", true, true)),
                            three,
                            new VmInput.SoloDone(RIGHT, SECONDARY, List.of()));
            assertThat(hears(state, three, new VmInput.BackOffOver(E8)))
                    .isInstanceOfSatisfying(
                            Pairing.class,
                            pairing -> assertThat(pairing.candidate()).isEqualTo(GAMMA));
        }

        @Test
        void aSecondaryThatDiesEarlyIsLeftByThePrimary() {
            var decision =
                    accepted(RAISING, BOTH, new VmInput.ReplicaGone(SECONDARY, Cause.DIED, "oops"));
            assertThat(decision.actions()).contains(new VmAction.GoSolo(RIGHT, SECONDARY));
            var state = (GoingSolo) after(RAISING, decision.events());
            assertThat(state.winner()).isEqualTo(RIGHT);
            assertThat(state.vm().ending()).isEmpty();
            assertThat(state.vm().legs()).containsExactly(ALPHA);
        }

        /** safety.md 22. */
        @Test
        void aPrimaryThatIsLostEarlyIsNotReplacedByItsSecondary() {
            var decision = accepted(RAISING, BOTH, lost(RIGHT));
            assertThat(decision.actions())
                    .contains(KILL_BETA)
                    .noneMatch(VmAction.GoSolo.class::isInstance);
            var alone =
                    hears(
                            after(RAISING, decision.events()),
                            ONLY_BETA,
                            new VmInput.Outlived(SECONDARY));
            var proved = hears(alone, ONLY_BETA, new VmInput.FenceProved(ALPHA, I2, PROOF));
            assertThat(proved)
                    .isInstanceOfSatisfying(
                            VmState.Waiting.class,
                            waiting ->
                                    assertThat(waiting.refusals())
                                            .extracting(Refusal::why)
                                            .contains(
                                                    "its disk there is not up to date; only alpha has the newest"));
        }

        @Test
        void noneIsAskedWhileMovesAreDisarmed() {
            var state = hears(RUNNING, DISARMED, new VmInput.Tick());
            assertThat(state).isInstanceOf(Running.class);
            assertThat(Explanation.of(state, DISARMED.view())).contains("disarmed until");
        }

        /** A copy of the journal that lags: beta's QEMU may be another one than alpha's. */
        @Test
        void noneIsAskedWhileNothingIsKnownOfTheServerWhereItRuns() {
            var blind = context(view(BETA, I1, 4096));
            var state = hears(RUNNING, blind, new VmInput.Tick());
            assertThat(state).isInstanceOf(Running.class);
            assertThat(Explanation.of(state, blind.view()))
                    .contains("alpha: it runs there, but nothing is known of that server yet");
            assertThat(hears(state, BOTH, new VmInput.Tick())).isInstanceOf(Pairing.class);
        }

        @Test
        void whyNoServerTakesItIsSaidInTheState() {
            var small = context(view(ALPHA, I2, 8192), view(BETA, I1, 2047));
            var state = hears(RUNNING, small, new VmInput.Tick());
            assertThat(VmLife.decide(state, small, new VmInput.Tick())).isInstanceOf(Ignored.class);
            assertThat(Explanation.of(state, small.view()))
                    .contains("beta: it has 2047 MiB free of 8192, and 2048 are needed");
            assertThat(Explanation.protection(state, small.view())).isEqualTo(Protection.DEGRADED);
        }
    }

    @Nested
    class OneOfTwo {
        @Test
        void theSecondaryTakesOverWhenThePrimaryDies() {
            var decision =
                    accepted(LOCKSTEP, BOTH, new VmInput.ReplicaGone(RIGHT, Cause.DIED, "oops"));
            assertThat(decision.actions())
                    .startsWith(new VmAction.GoSolo(SECONDARY, RIGHT))
                    .contains(KILL_ALPHA);
            var state = (GoingSolo) after(LOCKSTEP, decision.events());
            assertThat(state.winner()).isEqualTo(SECONDARY);
            assertThat(state.vm().legs()).containsExactly(BETA);
        }

        @Test
        void itIsReportedHowItWentOn() {
            var solo = hears(LOCKSTEP, lost(RIGHT));
            var state =
                    hears(
                            solo,
                            ONLY_BETA,
                            new VmInput.SoloDone(
                                    SECONDARY, RIGHT, List.of(new VmInput.Timing("promoted", 40))));
            var report = ((Running) state).vm().reports().getLast();
            assertThat(report.from()).isEqualTo(ALPHA);
            assertThat(report.to()).contains(BETA);
            assertThat(report.steps())
                    .extracting(Failover.Step::what)
                    .contains("promoted", "goes on on beta with the same memory");
        }

        @Test
        void thePrimaryGoesOnWhenTheSecondaryHangs() {
            assertThat(hears(LOCKSTEP, new VmInput.ReplicaHung(SECONDARY, "no answer")))
                    .isInstanceOfSatisfying(
                            GoingSolo.class, solo -> assertThat(solo.winner()).isEqualTo(RIGHT));
        }

        @Test
        void theFirstClaimWinsAndTheOtherOneComesTooLate() {
            var solo = hears(LOCKSTEP, new VmInput.PartnerLost(SECONDARY, RIGHT, "silent"));
            assertThat(((GoingSolo) solo).winner()).isEqualTo(SECONDARY);
            assertThat(
                            VmLife.decide(
                                    solo,
                                    BOTH,
                                    new VmInput.PartnerLost(RIGHT, SECONDARY, "silent")))
                    .isInstanceOf(Ignored.class);
        }

        /** One that cannot be told would be chosen for nothing, and outdate the other's disk. */
        @Test
        void oneThatDoesNotAnswerIsNotChosen() {
            var away =
                    context(
                            view(ALPHA, I2, 8192),
                            new ServerView(
                                    BETA,
                                    I1,
                                    true,
                                    false,
                                    false,
                                    false,
                                    4096,
                                    8192,
                                    Optional.empty(),
                                    Optional.of(Samples.QEMU)));
            assertThat(VmLife.decide(LOCKSTEP, away, lost(RIGHT))).isInstanceOf(Ignored.class);
        }

        @Test
        void whenBothServersAreLostEitherDiskWillDo() {
            var none = context(down(ALPHA, I2), down(BETA, I1));
            var failing = (VmState.FailingOver) hears(LOCKSTEP, none, lost(RIGHT));
            assertThat(failing.lost()).isEqualTo(RIGHT);
            assertThat(failing.vm().legs()).containsExactly(ALPHA, BETA);
            assertThat(failing.vm().ending()).containsExactly(SECONDARY);
        }

        @Test
        void aPanickedGuestIsStartedAnew() {
            assertThat(hears(LOCKSTEP, new VmInput.GuestPanicked(RIGHT)))
                    .isInstanceOfSatisfying(
                            VmState.Stopping.class,
                            stopping -> assertThat(stopping.right()).isEqualTo(RIGHT));
        }

        @Test
        void aWinnerThatDiesStartsAnewFromItsOwnDisk() {
            var solo = hears(LOCKSTEP, lost(RIGHT));
            var state =
                    hears(solo, ONLY_BETA, new VmInput.ReplicaGone(SECONDARY, Cause.DIED, "oops"));
            assertThat(VmLife.right(state).orElseThrow().server()).isEqualTo(BETA);
            assertThat(VmLife.vm(state).legs()).containsExactly(BETA);
        }

        @Test
        void theLoserIsKilledUntilItsEndIsKnown() {
            var solo = hears(LOCKSTEP, new VmInput.PartnerLost(SECONDARY, RIGHT, "silent"));
            assertThat(VmLife.pending(solo)).contains(KILL_ALPHA);
            var over = hears(solo, new VmInput.ReplicaGone(RIGHT, Cause.STOPPED, ""));
            assertThat(VmLife.pending(over)).doesNotContain(KILL_ALPHA);
        }

        @Test
        void aDeletedVmWaitsForTheLosersEnd() {
            var vm = paired().desiring(Desired.STOPPED, false).giveUp(SECONDARY);
            var deleting = hears(new VmState.Stopped(vm), new VmInput.Delete(false));
            assertThat(deleting).isInstanceOf(VmState.Stopped.class);
            assertThat(hears(deleting, new VmInput.ReplicaGone(SECONDARY, Cause.STOPPED, "")))
                    .isEqualTo(new VmState.Absent(E7));
        }

        /** It was held up on its way: the primary does not know that its secondary is given up. */
        @Test
        void aPairThatNobodyKnowsOfIsPartedAgain() {
            var old = new RunRight(RIGHT.vm(), E8, BETA, I1);
            assertThat(
                            accepted(
                                    new Running(paired().at(E8), RIGHT),
                                    BOTH,
                                    new VmInput.PairRaised(RIGHT, old, List.of())))
                    .isEqualTo(
                            Samples.accepted(List.of(), List.of(new VmAction.GoSolo(RIGHT, old))));
        }
    }

    @Nested
    class Requests {
        @Test
        void aSwitchoverPassesACheckpointAndGoesOnAtTheSecondServer() {
            assertThat(accepted(LOCKSTEP, BOTH, new VmInput.Switchover()))
                    .isEqualTo(
                            Samples.accepted(
                                    List.of(),
                                    List.of(
                                            new VmAction.PassCheckpoint(RIGHT, SECONDARY, true),
                                            new VmAction.HandOverAfter(
                                                    Duration.ofSeconds(1),
                                                    RIGHT,
                                                    SECONDARY,
                                                    true))));
            assertThat(hears(LOCKSTEP, new VmInput.HandOver(RIGHT, SECONDARY, true)))
                    .isInstanceOfSatisfying(
                            GoingSolo.class,
                            solo -> assertThat(solo.winner()).isEqualTo(SECONDARY));
            var other = new RunRight(RIGHT.vm(), E7, BETA, I1);
            assertThat(VmLife.decide(LOCKSTEP, BOTH, new VmInput.HandOver(RIGHT, other, true)))
                    .as("held up on its way, of an earlier pair")
                    .isInstanceOf(Ignored.class);
        }

        @Test
        void aSwitchoverAsksNobodyWhoDoesNotAnswer() {
            assertThat(hears(LOCKSTEP, ONLY_BETA, new VmInput.Switchover()))
                    .isInstanceOf(GoingSolo.class);
        }

        /** Nothing speaks against it, and nobody has tried it. */
        @Test
        void whatWasNotTriedIsToldWithTheLevel() {
            assertThat(Explanation.of(LOCKSTEP, BOTH.view())).doesNotContain("tried");
            var large =
                    new VmSpec(
                            PAIR_SPEC.name(),
                            3,
                            MEMORY,
                            Optional.empty(),
                            PAIR_SPEC.disks(),
                            List.of(),
                            Level.SYSTEM,
                            Placement.ANYWHERE,
                            0);
            assertThat(VmLevels.untried(large))
                    .hasValueSatisfying(note -> assertThat(note).contains("3 processors"));
            assertThat(VmLevels.untried(large.at(Level.RESTART))).isEmpty();
        }

        @Test
        void aSwitchoverNeedsTwo() {
            assertThat(VmLife.decide(RUNNING, BOTH, new VmInput.Switchover()))
                    .isInstanceOfSatisfying(
                            Rejected.class,
                            no -> assertThat(no.reason()).isEqualTo(Reason.CONFLICT));
        }

        /** It was started with what the level was then. */
        @Test
        void itsServerHearsTheLevelThatItHasByNow() {
            var running = new Running(paired().at(E8), RIGHT);
            assertThat(VmLife.pending(running)).contains(new VmAction.Confirm(RIGHT, Level.SYSTEM));
            var lowered = hears(running, new VmInput.Protect(Level.RESTART));
            assertThat(VmLife.pending(lowered))
                    .contains(new VmAction.Confirm(RIGHT, Level.RESTART));
        }

        @Test
        void aLowerLevelKeepsThePrimary() {
            var solo = (GoingSolo) hears(LOCKSTEP, new VmInput.Protect(Level.RESTART));
            assertThat(solo.winner()).isEqualTo(RIGHT);
            var state = hears(solo, new VmInput.SoloDone(RIGHT, SECONDARY, List.of()));
            assertThat(VmLife.vm(state).reports()).isEmpty();
            assertThat(VmLife.decide(state, BOTH, new VmInput.Tick())).isInstanceOf(Ignored.class);
        }

        @Test
        void aGuestIsAskedToStopWhenItIsAlone() {
            var solo = hears(LOCKSTEP, new VmInput.Stop(false));
            assertThat(hears(solo, new VmInput.SoloDone(RIGHT, SECONDARY, List.of())))
                    .isInstanceOfSatisfying(
                            VmState.Stopping.class,
                            stopping -> assertThat(stopping.kill()).isFalse());
        }

        @Test
        void bothAreKilledAtOnce() {
            var decision = accepted(LOCKSTEP, BOTH, new VmInput.Stop(true));
            assertThat(decision.actions()).contains(KILL_ALPHA, KILL_BETA);
        }

        @Test
        void systemNeedsACopyOfEachDisk() {
            var spec =
                    new dev.belay.model.VmSpec(
                            SPEC.name(),
                            1,
                            MEMORY,
                            Optional.empty(),
                            List.of(
                                    new dev.belay.model.DiskSpec(
                                            "root",
                                            dev.belay.model.DiskKind.SHARED,
                                            Optional.of("/srv/web.raw"),
                                            "raw",
                                            0)),
                            List.of(),
                            Level.SYSTEM,
                            SPEC.placement(),
                            0);
            assertThat(VmLife.decide(VmHistory.NEW, BOTH, new VmInput.Create(spec, true)))
                    .isInstanceOfSatisfying(
                            Rejected.class,
                            no -> assertThat(no.message()).contains("disk 'root' is SHARED"));
        }

        @Test
        void componentIsNotThereYet() {
            assertThat(VmLife.decide(RUNNING, BOTH, new VmInput.Protect(Level.COMPONENT)))
                    .isInstanceOfSatisfying(
                            Rejected.class,
                            no -> assertThat(no.reason()).isEqualTo(Reason.UNSUPPORTED));
        }
    }

    @Nested
    class Disks {
        /** It may have run and written: nobody knows. */
        @Test
        void aFirstStartThatFailedKeepsTheVmWhereItWas() {
            var starting =
                    new VmState.Starting(
                            new VmState.Vm(
                                            PAIR_SPEC,
                                            Desired.RUNNING,
                                            false,
                                            E7,
                                            0,
                                            0,
                                            Optional.empty(),
                                            List.of())
                                    .newestOn(ALPHA),
                            RIGHT);
            var state =
                    hears(
                            starting,
                            new VmInput.ReplicaStartFailed(RIGHT, "no answer", true, false));
            assertThat(VmLife.vm(state).legs()).isEqualTo(Set.of(ALPHA));
            assertThat(state).isInstanceOf(VmState.Waiting.class);
        }

        /** Its image is only on alpha, say. */
        @Test
        void aFirstStartInWhichItNeverRanLeavesEveryServerToIt() {
            var starting = new VmState.Starting(neverStarted().at(E8), SECONDARY);
            var failed = new VmInput.ReplicaStartFailed(SECONDARY, "no image", true, true);
            assertThat(hears(starting, failed))
                    .isInstanceOfSatisfying(
                            VmState.Placing.class,
                            placing -> {
                                assertThat(placing.candidate()).isEqualTo(ALPHA);
                                assertThat(placing.vm().legs()).isEmpty();
                                assertThat(placing.vm().failures()).isEqualTo(1);
                            });
        }

        @Test
        void aStartInWhichItNeverRanLeavesTheOtherGoodCopyToIt() {
            var starting = new VmState.Starting(paired().at(E8).newestOn(ALPHA, BETA), SECONDARY);
            var failed = new VmInput.ReplicaStartFailed(SECONDARY, "no memory", true, true);
            assertThat(hears(starting, failed))
                    .isInstanceOfSatisfying(
                            VmState.Placing.class,
                            placing -> {
                                assertThat(placing.candidate()).isEqualTo(ALPHA);
                                assertThat(placing.vm().legs()).containsExactly(ALPHA, BETA);
                            });
            var stopping = hears(starting, new VmInput.Stop(true));
            assertThat(VmLife.vm(hears(stopping, failed)).legs()).containsExactly(ALPHA, BETA);
        }

        /** Whatever else is heard of a start, it may have written. */
        @Test
        void aStartInWhichItMayHaveRunOutdatesTheOtherCopies() {
            var starting = new VmState.Starting(paired().at(E8).newestOn(ALPHA, BETA), SECONDARY);
            var stopping = hears(starting, new VmInput.Stop(true));
            for (var state : List.of(starting, stopping)) {
                for (var input :
                        List.of(
                                new VmInput.ReplicaStartFailed(SECONDARY, "no word", true, false),
                                new VmInput.ReplicaGone(SECONDARY, Cause.DIED, "oops"),
                                lost(SECONDARY),
                                new VmInput.FenceProved(BETA, I1, PROOF))) {
                    assertThat(VmLife.vm(hears(state, input)).legs())
                            .as("%s on %s", input, state)
                            .containsExactly(BETA);
                }
            }
            var started = new VmInput.ReplicaStarted(SECONDARY, "pid 1", List.of());
            assertThat(VmLife.vm(hears(starting, started)).legs()).containsExactly(BETA);
        }

        @Test
        void theFirstRunSaysWhereTheNewestBytesAre() {
            var starting =
                    hears(
                            new VmState.Placing(neverStarted(), BETA, List.of()),
                            new VmInput.Reserved(BETA, I1, E8));
            assertThat(VmLife.vm(starting).legs()).isEmpty();
            var started = new VmInput.ReplicaStarted(SECONDARY, "pid 1", List.of());
            assertThat(VmLife.vm(hears(starting, started)).legs()).containsExactly(BETA);
        }

        private static VmState.Vm neverStarted() {
            return new VmState.Vm(
                    PAIR_SPEC, Desired.RUNNING, false, E7, 0, 0, Optional.empty(), List.of());
        }
    }
}
