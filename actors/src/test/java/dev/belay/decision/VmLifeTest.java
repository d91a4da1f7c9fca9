package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.BOTH;
import static dev.belay.decision.Samples.E6;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.I3;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.NOBODY;
import static dev.belay.decision.Samples.ONLY_BETA;
import static dev.belay.decision.Samples.PROOF;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SPEC;
import static dev.belay.decision.Samples.accepted;
import static dev.belay.decision.Samples.after;
import static dev.belay.decision.Samples.right;
import static dev.belay.decision.Samples.vm;
import static dev.belay.decision.Samples.wanted;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.Decision.Reason;
import dev.belay.decision.Decision.Rejected;
import dev.belay.decision.VmState.Absent;
import dev.belay.decision.VmState.BackingOff;
import dev.belay.decision.VmState.FailingOver;
import dev.belay.decision.VmState.Placing;
import dev.belay.decision.VmState.Present;
import dev.belay.decision.VmState.Running;
import dev.belay.decision.VmState.Starting;
import dev.belay.decision.VmState.Stopped;
import dev.belay.decision.VmState.Stopping;
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.Desired;
import dev.belay.model.RunRight;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** One example per rule of a VM's life. */
class VmLifeTest {
    private static final VmState RUNNING = new Running(wanted(), RIGHT);
    private static final RunRight OLDER = right(E6, ALPHA, I2);

    private static Decision<VmEvent, VmAction> decide(VmState state, VmInput input) {
        return VmLife.decide(state, BOTH, input);
    }

    private static VmInput gone(RunRight right) {
        return new VmInput.ReplicaGone(right, VmInput.Cause.DIED, "signal 9");
    }

    @Nested
    class WhenAbsent {
        @Test
        void aNewVmAsksTheServerWithMostRoomForMemory() {
            assertThat(decide(new Absent(E7), new VmInput.Create(SPEC, true)))
                    .isEqualTo(
                            accepted(
                                    List.of(
                                            new VmEvent.VmCreated(AT, SPEC, Desired.RUNNING),
                                            new VmEvent.PlacementTried(AT, ALPHA, List.of())),
                                    List.of(new VmAction.Reserve(ALPHA, E8, MEMORY))));
        }

        @Test
        void whatIsLeftOfADeletedVmIsKilled() {
            assertThat(decide(new Absent(E7), new VmInput.ReplicaSeen(RIGHT)))
                    .isEqualTo(accepted(List.of(), List.of(new VmAction.StopReplica(RIGHT, true))));
        }

        @Test
        void epochsOfADeletedVmAreNotUsedAgain() {
            var created = decide(new Absent(E7), new VmInput.Create(SPEC, false));

            assertThat(after(new Absent(E7), ((Accepted<VmEvent, VmAction>) created).events()))
                    .isEqualTo(new Stopped(vm(Desired.STOPPED)));
        }
    }

    @Nested
    class WhenPlacing {
        private final VmState placing = new Placing(wanted(), ALPHA, List.of());

        @Test
        void theServersWordBringsTheNextEpochAndOnlyThenTheStart() {
            var right = right(E8, ALPHA, I2);

            assertThat(decide(placing, new VmInput.Reserved(ALPHA, I2, E8)))
                    .isEqualTo(
                            accepted(
                                    List.of(new VmEvent.RightGranted(AT, right)),
                                    List.of(new VmAction.StartReplica(right, SPEC))));
        }

        @Test
        void aReservationForAnEarlierEpochGrantsNothing() {
            assertThat(decide(placing, new VmInput.Reserved(ALPHA, I2, E7)))
                    .isInstanceOf(Ignored.class);
        }

        @Test
        void memoryOfAServerThatIsNotAskedIsGivenBack() {
            assertThat(decide(placing, new VmInput.Reserved(BETA, I1, E8)))
                    .isEqualTo(accepted(List.of(), List.of(new VmAction.Release(BETA, E8))));
        }

        @Test
        void aRefusalLeadsToTheNextServer() {
            var refusals = List.of(new VmState.Refusal(ALPHA, "full", true));

            assertThat(decide(placing, new VmInput.ReservationRefused(ALPHA, E8, "full")))
                    .isEqualTo(
                            accepted(
                                    List.of(new VmEvent.PlacementTried(AT, BETA, refusals)),
                                    List.of(new VmAction.Reserve(BETA, E8, MEMORY))));
        }

        @Test
        void aCandidateThatDoesNotAnswerIsNotWaitedFor() {
            assertThat(VmLife.decide(placing, ONLY_BETA, new VmInput.Tick()))
                    .isEqualTo(
                            accepted(
                                    List.of(
                                            new VmEvent.PlacementTried(
                                                    AT,
                                                    BETA,
                                                    List.of(
                                                            new VmState.Refusal(
                                                                    ALPHA,
                                                                    "it does not answer",
                                                                    true)))),
                                    List.of(
                                            new VmAction.Release(ALPHA, E8),
                                            new VmAction.Reserve(BETA, E8, MEMORY))));
        }
    }

    @Nested
    class WhenStarting {
        private final VmState starting = new Starting(wanted(), RIGHT);

        @Test
        void aStartOfAnEarlierRightIsNotTakenForThisOne() {
            assertThat(decide(starting, new VmInput.ReplicaStarted(OLDER, "", List.of())))
                    .isInstanceOf(Ignored.class);
        }

        @Test
        void aServerThatCannotIsLeftForAnother() {
            assertThat(
                            decide(
                                    starting,
                                    new VmInput.ReplicaStartFailed(RIGHT, "no image", true, false)))
                    .isEqualTo(
                            accepted(
                                    List.of(
                                            new VmEvent.ReplicaEnded(AT, RIGHT, "no image", true),
                                            new VmEvent.PlacementTried(
                                                    AT,
                                                    BETA,
                                                    List.of(
                                                            new VmState.Refusal(
                                                                    ALPHA, "no image", true)))),
                                    List.of(
                                            new VmAction.Release(ALPHA, E7),
                                            new VmAction.Reserve(BETA, E8, MEMORY))));
        }

        @Test
        void whatFailedAgainAndAgainPausesAlsoWhereAnotherServerFits() {
            var tired = new Starting(wanted().failed(3), RIGHT);
            assertThat(decide(tired, new VmInput.ReplicaStartFailed(RIGHT, "no QEMU", true, false)))
                    .isInstanceOfSatisfying(
                            Accepted.class,
                            accepted ->
                                    assertThat(accepted.events())
                                            .hasAtLeastOneElementOfType(
                                                    VmEvent.BackOffBegan.class));
        }
    }

    @Nested
    class WhenRunning {
        @Test
        void aReplicaThatDiesStartsAgainOnTheSameServerUnderTheNextEpoch() {
            var decision = (Accepted<VmEvent, VmAction>) decide(RUNNING, gone(RIGHT));
            var next = right(E8, ALPHA, I2);

            assertThat(decision.events()).contains(new VmEvent.RightGranted(AT, next));
            assertThat(decision.actions()).containsExactly(new VmAction.StartReplica(next, SPEC));
            assertThat(VmLife.right(after(RUNNING, decision.events()))).contains(next);
        }

        @Test
        void aDeathToldALifeLateChangesNothing() {
            assertThat(decide(RUNNING, gone(OLDER))).isInstanceOf(Ignored.class);
        }

        @Test
        void itDoesNotAskTheJournalForARightThatItWouldRefuse() {
            var decision =
                    (Accepted<VmEvent, VmAction>) VmLife.decide(RUNNING, ONLY_BETA, gone(RIGHT));

            assertThat(decision.actions()).containsExactly(new VmAction.Reserve(BETA, E8, MEMORY));
        }

        @Test
        void aLostServerIsOnlyWaitedFor() {
            var decision =
                    (Accepted<VmEvent, VmAction>)
                            decide(RUNNING, new VmInput.ServerLost(ALPHA, I2, List.of()));

            assertThat(decision.actions()).containsExactly(new VmAction.AskStanding(ALPHA, I2));
            assertThat(after(RUNNING, decision.events())).isInstanceOf(FailingOver.class);
        }

        @Test
        void theLossOfAnotherIncarnationIsNotItsOwn() {
            assertThat(decide(RUNNING, new VmInput.ServerLost(ALPHA, I1, List.of())))
                    .isInstanceOf(Ignored.class);
        }

        @Test
        void aPanickedGuestIsKilledBeforeItStartsAgain() {
            var decision =
                    (Accepted<VmEvent, VmAction>) decide(RUNNING, new VmInput.GuestPanicked(RIGHT));

            assertThat(decision.actions()).containsExactly(new VmAction.StopReplica(RIGHT, true));
            assertThat(after(RUNNING, decision.events())).isInstanceOf(Stopping.class);
        }

        @Test
        void aStaleReplicaIsKilledByItsOwnEpoch() {
            assertThat(decide(RUNNING, new VmInput.ReplicaSeen(OLDER)))
                    .isEqualTo(accepted(List.of(), List.of(new VmAction.StopReplica(OLDER, true))));
        }

        @Test
        void memoryKeptElsewhereIsGivenBackAndItsOwnIsNot() {
            assertThat(decide(RUNNING, new VmInput.Reserved(BETA, I1, E6)))
                    .isEqualTo(accepted(List.of(), List.of(new VmAction.Release(BETA, E6))));
            assertThat(decide(RUNNING, new VmInput.Reserved(ALPHA, I2, E7)))
                    .isInstanceOf(Ignored.class);
        }

        @Test
        void itAsksAgainForTheMemoryThatALateReleaseMayHaveGivenAway() {
            assertThat(VmLife.pending(RUNNING)).contains(new VmAction.Reserve(ALPHA, E7, MEMORY));
        }
    }

    @Nested
    class WhenFailingOver {
        private final VmState failingOver = new FailingOver(Samples.wantedInFailover(), RIGHT);

        @Test
        void aLostServersVmStartsOnlyAfterTheProof() {
            for (var input :
                    List.of(
                            new VmInput.Tick(),
                            gone(RIGHT),
                            new VmInput.ServerLost(ALPHA, I2, List.of()),
                            new VmInput.FenceProved(ALPHA, I1, PROOF),
                            new VmInput.FenceProved(BETA, I2, PROOF))) {
                assertThat(VmLife.decide(failingOver, ONLY_BETA, input))
                        .isInstanceOf(Ignored.class);
            }

            var proved = new VmInput.FenceProved(ALPHA, I2, PROOF);
            var decision =
                    (Accepted<VmEvent, VmAction>) VmLife.decide(failingOver, ONLY_BETA, proved);

            assertThat(decision.events()).contains(new VmEvent.LossProved(AT, RIGHT, PROOF));
            assertThat(decision.actions()).containsExactly(new VmAction.Reserve(BETA, E8, MEMORY));
        }

        @Test
        void aProofOfALaterIncarnationCoversTheEarlierOne() {
            var decision = decide(failingOver, new VmInput.FenceProved(ALPHA, I3, PROOF));

            assertThat(decision).isInstanceOf(Accepted.class);
        }

        @Test
        void aVmThatIsNotWantedAnyMoreStaysStoppedAfterTheProof() {
            var stopped = (Accepted<VmEvent, VmAction>) decide(failingOver, new VmInput.Stop(true));
            var state = after(failingOver, stopped.events());
            var proved =
                    (Accepted<VmEvent, VmAction>)
                            decide(state, new VmInput.FenceProved(ALPHA, I2, PROOF));

            assertThat(stopped.actions()).isEmpty();
            assertThat(after(state, proved.events())).isInstanceOf(Stopped.class);
        }
    }

    @Nested
    class WhenBackingOff {
        private final VmState backingOff =
                new BackingOff(wanted().failed(2), RIGHT, Duration.ofSeconds(1));

        @Test
        void itStartsAgainWhenThePauseIsOver() {
            var decision =
                    (Accepted<VmEvent, VmAction>) decide(backingOff, new VmInput.BackOffOver(E7));

            assertThat(decision.actions())
                    .containsExactly(new VmAction.StartReplica(right(E8, ALPHA, I2), SPEC));
        }

        @Test
        void thePauseOfAnEarlierFailureDoesNotCount() {
            assertThat(decide(backingOff, new VmInput.BackOffOver(E6))).isInstanceOf(Ignored.class);
        }

        @Test
        void aServerThatCameBackAsAnotherIncarnationIsNotWaitedFor() {
            var proved = new VmInput.FenceProved(ALPHA, I2, PROOF);

            assertThat(VmLife.decide(backingOff, ONLY_BETA, proved))
                    .isEqualTo(
                            accepted(
                                    List.of(new VmEvent.PlacementTried(AT, BETA, List.of())),
                                    List.of(new VmAction.Reserve(BETA, E8, MEMORY))));
            assertThat(VmLife.pending(backingOff)).contains(new VmAction.AskStanding(ALPHA, I2));
        }

        @Test
        void afterTooManyFailuresAnotherServerIsTried() {
            var tired = new BackingOff(wanted().failed(4), RIGHT, Duration.ofSeconds(1));
            var decision = (Accepted<VmEvent, VmAction>) decide(tired, new VmInput.BackOffOver(E7));

            assertThat(decision.actions())
                    .containsExactly(
                            new VmAction.Release(ALPHA, E7),
                            new VmAction.Reserve(BETA, E8, MEMORY));
        }
    }

    @Nested
    class WhenStoppedOrStopping {
        @Test
        void aStoppedVmGivesBackMemoryThatIsStillKept() {
            assertThat(decide(new Stopped(vm(Desired.STOPPED)), new VmInput.Reserved(BETA, I1, E7)))
                    .isEqualTo(accepted(List.of(), List.of(new VmAction.Release(BETA, E7))));
        }

        @Test
        void theOrderedStopEndsInStopped() {
            var stopping = new Stopping(vm(Desired.STOPPED), RIGHT, false, false);

            assertThat(
                            decide(
                                    stopping,
                                    new VmInput.ReplicaGone(
                                            RIGHT, VmInput.Cause.STOPPED, "as ordered")))
                    .isEqualTo(
                            accepted(
                                    List.of(
                                            new VmEvent.ReplicaEnded(
                                                    AT, RIGHT, "as ordered", false),
                                            new VmEvent.VmStopped(AT)),
                                    List.of(new VmAction.Release(ALPHA, E7))));
        }

        @Test
        void aRunningVmIsNotDeletedWithoutForce() {
            assertThat(decide(RUNNING, new VmInput.Delete(false)))
                    .isInstanceOfSatisfying(
                            Rejected.class,
                            rejected -> assertThat(rejected.reason()).isEqualTo(Reason.CONFLICT));
        }
    }

    @Test
    void aVmThatFitsNowhereSaysWhyAndTriesAgain() {
        Present waiting = new Waiting(wanted(), List.of());

        assertThat(VmLife.decide(waiting, NOBODY, new VmInput.BackOffOver(E7)))
                .isInstanceOf(Ignored.class);
        assertThat(VmLife.pending(waiting))
                .containsExactly(
                        new VmAction.WakeAfter(Duration.ofSeconds(2), E7),
                        new VmAction.InsistAfter(VmPriority.PATIENCE, E7));
        assertThat(VmLife.decide(waiting, BOTH, new VmInput.Tick())).isInstanceOf(Accepted.class);
    }
}
