package dev.belay.decision;

import static dev.belay.decision.Samples.E6;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.GAMMA;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.PAIR_ADDRESS;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SECONDARY;
import static dev.belay.decision.Samples.SPEC;
import static dev.belay.decision.Samples.WEB;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.ReplicaCommand.End;
import dev.belay.decision.ReplicaCommand.KeepFloor;
import dev.belay.decision.ReplicaCommand.Launch;
import dev.belay.decision.ReplicaCommand.Part;
import dev.belay.decision.ReplicaCommand.Tell;
import dev.belay.decision.ReplicaState.Alone;
import dev.belay.decision.ReplicaState.Bond;
import dev.belay.decision.ReplicaState.Bonded;
import dev.belay.decision.ReplicaState.ClearingUp;
import dev.belay.decision.ReplicaState.Ended;
import dev.belay.decision.ReplicaState.Follows;
import dev.belay.decision.ReplicaState.InStart;
import dev.belay.decision.ReplicaState.InStop;
import dev.belay.decision.ReplicaState.Leads;
import dev.belay.decision.ReplicaState.Nothing;
import dev.belay.decision.ReplicaState.Parting;
import dev.belay.decision.ReplicaState.Raising;
import dev.belay.decision.ReplicaState.Runs;
import dev.belay.decision.ReplicaState.Standing;
import dev.belay.decision.VmInput.Cause;
import dev.belay.model.Epoch;
import dev.belay.model.RunRight;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What each order does where a replica stands: epoch 7 matters here, 6 is older and 8 newer. */
class ReplicaOrdersTest {
    private static final RunRight OLDER = at(E6);
    private static final RunRight NEWER = at(E8);
    private static final RunRight PRIMARY = new RunRight(WEB, E6, GAMMA, I1);
    private static final RunRight OTHER = new RunRight(WEB, E6, SECONDARY.server(), I1);
    private static final RunRight LATER = new RunRight(WEB, E8.next(), SECONDARY.server(), I1);
    private static final VmInput.ReplicaStartFailed FAILED =
            new VmInput.ReplicaStartFailed(RIGHT, "no image", false, true);
    private static final VmInput GONE = new VmInput.ReplicaGone(RIGHT, Cause.DIED, "signal 9");
    private static final Standing RUNS = new Runs(RIGHT, "pid 1", Optional.empty());
    private static final Standing STARTS = new InStart(RIGHT, Optional.empty());
    private static final Standing ENDED = new Ended(RIGHT, GONE);
    private static final End KILL = new End(RIGHT, true);

    private static RunRight at(Epoch epoch) {
        return new RunRight(WEB, epoch, RIGHT.server(), RIGHT.incarnation());
    }

    private static ReplicaState state(Standing standing) {
        return new ReplicaState(WEB, E7, standing);
    }

    private static Standing stops(boolean kill, boolean inHand) {
        return new InStop(RIGHT, kill, inHand);
    }

    private static Standing clears(boolean inHand) {
        return new ClearingUp(RIGHT, FAILED, inHand);
    }

    private static ReplicaInput start(RunRight right) {
        return new ReplicaInput.Start(right, SPEC, true);
    }

    private static Turn<ReplicaState, ReplicaCommand> turn(Standing standing, ReplicaInput input) {
        return ReplicaLife.decide(state(standing), input);
    }

    private static void assertNothing(Standing standing, ReplicaInput input) {
        assertThat(turn(standing, input)).isEqualTo(Turn.of(state(standing)));
    }

    private static void assertOrders(
            Standing standing, ReplicaInput input, ReplicaCommand... commands) {
        assertThat(turn(standing, input).commands())
                .as("%s on %s", input, standing)
                .containsExactly(commands);
    }

    private static Tell gone(RunRight right, Cause cause, String detail) {
        return new Tell(new VmInput.ReplicaGone(right, cause, detail));
    }

    @Nested
    class AStart {
        @Test
        void ofWhatRunsIsAnsweredAndOfAnOlderRightIsNot() {
            var started = new VmInput.ReplicaStarted(RIGHT, "pid 1", List.of());
            assertOrders(RUNS, start(RIGHT), new Tell(started));
            assertNothing(RUNS, start(OLDER));
        }

        @Test
        void ofWhatIsEndedForGoodHearsSo() {
            var over = "it was begun and has ended here already";
            assertOrders(ENDED, start(OLDER), gone(OLDER, Cause.STOPPED, over));
            assertOrders(new Nothing(), start(RIGHT), gone(RIGHT, Cause.STOPPED, over));
        }

        @Test
        void waitsUntilTheOlderOneHasEnded() {
            assertNothing(stops(true, true), start(NEWER));
            assertNothing(clears(true), start(NEWER));
            assertNothing(STARTS, start(NEWER));
            for (var stuck : List.of(stops(true, false), clears(false), RUNS, ENDED)) {
                assertOrders(stuck, start(NEWER), new KeepFloor(E8), new Launch(NEWER, SPEC));
            }
        }

        @Test
        void ofWhatCouldNotBeStoppedEndsItFirst() {
            assertOrders(stops(false, false), start(RIGHT), KILL);
            assertOrders(stops(false, false), start(OLDER), KILL);
            assertNothing(stops(false, true), start(RIGHT));
            assertNothing(clears(false), start(OLDER));
        }
    }

    @Nested
    class AStop {
        private final ReplicaInput kill = new ReplicaInput.Stop(RIGHT, true);
        private final ReplicaInput ask = new ReplicaInput.Stop(RIGHT, false);

        @Test
        void isNotOrderedTwiceButHarder() {
            assertNothing(stops(true, true), ask);
            assertNothing(stops(true, true), kill);
            assertNothing(stops(false, true), ask);
            assertOrders(stops(false, true), kill, KILL);
            assertOrders(stops(true, false), kill, KILL);
        }

        @Test
        void doesNotHideThatAStartFailed() {
            assertNothing(clears(true), kill);
            assertThat(turn(clears(false), kill)).isEqualTo(Turn.of(state(clears(true)), KILL));
            assertThat(turn(clears(false), new ReplicaInput.Stop(OLDER, true)))
                    .isEqualTo(Turn.of(state(clears(true)), KILL));
        }

        @Test
        void ofANewerRightIsRememberedWhileAnOlderOneIsClearedUp() {
            var newer = new ReplicaInput.Stop(NEWER, true);
            assertThat(turn(clears(true), newer))
                    .isEqualTo(Turn.of(new ReplicaState(WEB, E8, clears(true)), new KeepFloor(E8)));
            assertOrders(clears(false), newer, new KeepFloor(E8), new End(NEWER, true));
        }
    }

    @Nested
    class AnEnd {
        @Test
        void ofAnOlderRightIsToldWhereverTheNewerOneStands() {
            for (var standing :
                    List.of(new Nothing(), STARTS, RUNS, stops(true, true), clears(true), ENDED)) {
                assertThat(turn(standing, new ReplicaInput.StopDone(OLDER)))
                        .isEqualTo(
                                Turn.of(
                                        state(standing),
                                        gone(OLDER, Cause.STOPPED, "stopped as ordered")));
            }
        }

        @Test
        void ofARightThatMayYetBeBegunIsNotTold() {
            var done = new ReplicaInput.StopDone(NEWER);
            for (var standing : List.of(new Nothing(), STARTS, RUNS, ENDED)) {
                assertNothing(standing, done);
            }
        }

        @Test
        void isTakenOfTheRightThatItIsAbout() {
            var died = new ReplicaInput.Gone(RIGHT, Cause.DIED, "signal 9");
            assertThat(turn(RUNS, died)).isEqualTo(Turn.of(state(ENDED), new Tell(GONE)));
            assertNothing(RUNS, new ReplicaInput.Gone(OLDER, Cause.DIED, "signal 9"));
            var early = new ReplicaInput.StartedAndEnded(RIGHT, "signal 9");
            assertThat(turn(STARTS, early)).isEqualTo(Turn.of(state(ENDED), new Tell(GONE)));
            assertNothing(STARTS, new ReplicaInput.StartedAndEnded(OLDER, "signal 9"));
        }
    }

    @Nested
    class AQuestion {
        private static final String NONE = "no process of it was found on the server";

        @Test
        void aboutWhatEndedHearsHow() {
            assertOrders(ENDED, new ReplicaInput.Confirm(RIGHT, false), new Tell(GONE));
            assertOrders(
                    ENDED, new ReplicaInput.Confirm(OLDER, false), gone(OLDER, Cause.DIED, NONE));
        }

        @Test
        void aboutANewerRightKeepsItFromBeingBegunLater() {
            for (var standing : List.of(STARTS, ENDED, new Nothing())) {
                assertOrders(
                        standing,
                        new ReplicaInput.Confirm(NEWER, false),
                        new KeepFloor(E8),
                        gone(NEWER, Cause.DIED, NONE));
            }
        }

        @Test
        void aboutAnOlderRightWaitsForTheStartThatEndsIt() {
            assertNothing(STARTS, new ReplicaInput.Confirm(OLDER, false));
            assertNothing(STARTS, new ReplicaInput.Confirm(RIGHT, false));
        }

        /** A half that is told so of another pair would vouch for the wrong one. */
        @Test
        void notesLockstepWithTheOneThatItHas() {
            var leads = bound(new Leads(SECONDARY));
            assertOrders(
                    leads,
                    new ReplicaInput.Confirm(RIGHT, true, Optional.of(SECONDARY)),
                    new ReplicaCommand.NoteLockstep(RIGHT, SECONDARY));
            assertNothing(leads, new ReplicaInput.Confirm(RIGHT, true, Optional.of(LATER)));
            assertNothing(leads, new ReplicaInput.Confirm(RIGHT, true));
        }
    }

    @Nested
    class AFind {
        private static ReplicaInput found(RunRight right, boolean running) {
            return new ReplicaInput.Found(right, running, "pid 1");
        }

        @Test
        void ofANewerRightIsTaken() {
            assertThat(turn(ENDED, found(NEWER, true)))
                    .isEqualTo(
                            Turn.of(
                                    state(new Runs(NEWER, "pid 1", Optional.empty())),
                                    new Tell(new VmInput.ReplicaSeen(NEWER))));
        }

        @Test
        void ofWhatWasCalledEndedIsEnded() {
            for (var right : List.of(RIGHT, OLDER)) {
                assertThat(turn(ENDED, found(right, true)))
                        .isEqualTo(
                                Turn.of(
                                        state(new InStop(right, true, true)),
                                        new End(right, true)));
                assertNothing(ENDED, found(right, false));
            }
        }

        @Test
        void ofAnOlderRightIsEndedBesidesTheOneThatRuns() {
            assertThat(turn(RUNS, found(OLDER, true)))
                    .isEqualTo(Turn.of(state(RUNS), new End(OLDER, true)));
            assertNothing(RUNS, found(OLDER, false));
            assertNothing(RUNS, found(RIGHT, true));
        }
    }

    // ---- two servers

    private static Standing bound(Bond bond) {
        return new Runs(RIGHT, "pid 1", Optional.empty(), bond);
    }

    @Nested
    class OfAPair {
        private static ReplicaInput raise(RunRight secondary) {
            return new ReplicaInput.RaisePair(RIGHT, secondary, PAIR_ADDRESS);
        }

        @Test
        void whatIsRaisedIsToldAgain() {
            assertOrders(
                    bound(new Leads(SECONDARY)),
                    raise(SECONDARY),
                    new Tell(new VmInput.PairRaised(RIGHT, SECONDARY, List.of())));
        }

        @Test
        void aNewerSecondOneHasTheOldOneLeftAndAnOlderOneHasNot() {
            for (var bond : List.of(new Raising(SECONDARY, true), new Leads(SECONDARY))) {
                assertOrders(bound(bond), raise(LATER), new Part(RIGHT, SECONDARY));
                assertNothing(bound(bond), raise(OTHER));
            }
        }

        @Test
        void newsOfAnotherOneChangeNothing() {
            var raising = bound(new Raising(SECONDARY, true));
            assertNothing(raising, new ReplicaInput.Raised(RIGHT, OTHER, List.of()));
            assertNothing(raising, new ReplicaInput.RaiseBroke(RIGHT, OTHER, "why", true));
            assertNothing(raising, new ReplicaInput.RaiseStep(RIGHT, OTHER, RaiseStage.DISKS, 50));
            assertOrders(
                    raising,
                    new ReplicaInput.RaiseStep(RIGHT, SECONDARY, RaiseStage.DISKS, 50),
                    new Tell(new VmInput.RaiseAdvanced(RIGHT, SECONDARY, RaiseStage.DISKS, 50)));
            var parting = bound(new Parting(SECONDARY, 1, true));
            assertNothing(parting, new ReplicaInput.Parted(RIGHT, OTHER, List.of()));
            var follows = bound(new Follows(PRIMARY, Optional.empty()));
            assertNothing(follows, new ReplicaInput.Prepared(RIGHT, OTHER, PAIR_ADDRESS));
            assertOrders(
                    follows,
                    new ReplicaInput.Prepared(RIGHT, PRIMARY, PAIR_ADDRESS),
                    new Tell(new VmInput.SecondaryReady(RIGHT, PAIR_ADDRESS)));
        }

        @Test
        void theLastTroubleOfThePairIsTheOneThatIsToldAgain() {
            var first = new VmInput.PartnerLost(RIGHT, SECONDARY, "silent");
            var last = new VmInput.PartnerLost(RIGHT, SECONDARY, "QEMU says so");
            var state =
                    turn(bound(new Leads(SECONDARY)), new ReplicaInput.InTrouble(RIGHT, first))
                            .state();
            state = ReplicaLife.decide(state, new ReplicaInput.InTrouble(RIGHT, last)).state();

            assertThat(ReplicaLife.decide(state, new ReplicaInput.Confirm(RIGHT, true)).commands())
                    .containsExactly(new Tell(last));
        }

        @Test
        void whoListensToWhom() {
            assertThat(state(bound(new Leads(SECONDARY))).bond())
                    .contains(new Bonded(RIGHT, SECONDARY, true));
            assertThat(state(bound(new Raising(SECONDARY, false))).bond())
                    .contains(new Bonded(RIGHT, SECONDARY, true));
            assertThat(state(bound(new Follows(PRIMARY, Optional.empty()))).bond())
                    .contains(new Bonded(RIGHT, PRIMARY, false));
            for (var nobody :
                    List.of(
                            bound(new Raising(SECONDARY, true)),
                            bound(new Alone()),
                            bound(new Parting(SECONDARY, 1, true)),
                            stops(true, true))) {
                assertThat(state(nobody).bond()).isEmpty();
            }
        }
    }

    @Test
    void itRunsUnderItsOwnRightOnly() {
        assertThat(state(RUNS).runs(RIGHT)).isTrue();
        assertThat(state(RUNS).runs(OLDER)).isFalse();
        assertThat(state(STARTS).runs(RIGHT)).isFalse();
    }
}
