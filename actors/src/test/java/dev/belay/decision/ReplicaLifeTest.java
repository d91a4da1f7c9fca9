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
import dev.belay.decision.ReplicaCommand.Tell;
import dev.belay.decision.ReplicaState.ClearingUp;
import dev.belay.decision.ReplicaState.Ended;
import dev.belay.decision.ReplicaState.InStart;
import dev.belay.decision.ReplicaState.InStop;
import dev.belay.decision.ReplicaState.Leads;
import dev.belay.decision.ReplicaState.Nothing;
import dev.belay.decision.ReplicaState.Raising;
import dev.belay.decision.ReplicaState.Runs;
import dev.belay.decision.ReplicaState.Standing;
import dev.belay.decision.VmInput.Cause;
import dev.belay.model.Epoch;
import dev.belay.model.PairAddress;
import dev.belay.model.RunRight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReplicaLifeTest {
    private static final RunRight OLDER =
            new RunRight(WEB, E6, RIGHT.server(), RIGHT.incarnation());
    private static final RunRight NEWER =
            new RunRight(WEB, E8, RIGHT.server(), RIGHT.incarnation());

    /** Of a pair in which this server has the second one. */
    private static final RunRight PRIMARY = new RunRight(WEB, E6, GAMMA, I1);

    private static final Epoch E9 = E8.next();
    private static final VmInput.ReplicaStartFailed FAILED =
            new VmInput.ReplicaStartFailed(RIGHT, "no image", false, true);
    private static final VmInput.ReplicaGone GONE =
            new VmInput.ReplicaGone(RIGHT, Cause.DIED, "signal 9");

    private static ReplicaState at(Epoch floor, Standing standing) {
        return new ReplicaState(WEB, floor, standing);
    }

    private static ReplicaInput.Start start(RunRight right) {
        return new ReplicaInput.Start(right, SPEC, true);
    }

    /** From one input to the next; the commands of the last. */
    private static Turn<ReplicaState, ReplicaCommand> walk(
            ReplicaState from, ReplicaInput... inputs) {
        var turn = Turn.<ReplicaState, ReplicaCommand>of(from);
        for (var input : inputs) {
            turn = ReplicaLife.decide(turn.state(), input);
        }
        return turn;
    }

    @Test
    void theFloorIsOnDiskBeforeAnythingStarts() {
        assertThat(walk(at(E6, new Nothing()), start(RIGHT)))
                .isEqualTo(
                        Turn.of(
                                at(E7, new InStart(RIGHT, Optional.empty())),
                                new KeepFloor(E7),
                                new Launch(RIGHT, SPEC)));
    }

    @Test
    void anOrderOfAnEarlierProcessLifeStartsNothingThatWasBegunBefore() {
        // The process of the node is new, and adoption found nothing.
        var turn = walk(ReplicaState.of(WEB, E7), start(RIGHT));
        assertThat(turn.state().standing()).isEqualTo(new Nothing());
        assertThat(turn.commands())
                .singleElement()
                .isInstanceOfSatisfying(
                        Tell.class,
                        tell -> assertThat(tell.news()).isInstanceOf(VmInput.ReplicaGone.class));
    }

    @Test
    void aFailedStartIsToldOnlyWhenNothingOfItRuns() {
        var begun = walk(at(E6, new Nothing()), start(RIGHT)).state();
        var failed = walk(begun, new ReplicaInput.StartFailed(RIGHT, "no image", false, true));
        assertThat(failed.commands()).containsExactly(new End(RIGHT, true));
        var stuck = walk(failed.state(), new ReplicaInput.StopFailed(RIGHT, "hangs"));
        assertThat(stuck.commands()).isEmpty();
        var again = walk(stuck.state(), start(RIGHT));
        assertThat(again.commands()).containsExactly(new End(RIGHT, true));
        var done = walk(again.state(), new ReplicaInput.StopDone(RIGHT));
        assertThat(done.commands()).containsExactly(new Tell(FAILED));
        assertThat(walk(done.state(), start(RIGHT)).commands()).containsExactly(new Tell(FAILED));
    }

    @Test
    void withoutALeaseNothingStarts() {
        var turn = walk(at(E6, new Nothing()), new ReplicaInput.Start(RIGHT, SPEC, false));
        assertThat(turn.commands()).hasSize(2).first().isEqualTo(new KeepFloor(E7));
        assertThat(walk(turn.state(), start(RIGHT)).commands())
                .singleElement()
                .isInstanceOfSatisfying(
                        Tell.class,
                        tell ->
                                assertThat(tell.news())
                                        .isInstanceOf(VmInput.ReplicaStartFailed.class));
    }

    @Test
    void aStopDuringTheStartIsDoneAfterIt() {
        var begun = walk(at(E6, new Nothing()), start(RIGHT), new ReplicaInput.Stop(RIGHT, true));
        assertThat(begun.commands()).isEmpty();
        var started = walk(begun.state(), new ReplicaInput.Started(RIGHT, 5, "pid 1"));
        assertThat(started.commands()).hasSize(2).last().isEqualTo(new End(RIGHT, true));
        assertThat(started.state().standing()).isEqualTo(new InStop(RIGHT, true, true));
    }

    @Test
    void aStopOfWhatNeverStartedIsRememberedBeforeItIsAnswered() {
        var stopping = walk(at(E6, new Nothing()), new ReplicaInput.Stop(RIGHT, true));
        assertThat(stopping.commands()).containsExactly(new KeepFloor(E7), new End(RIGHT, true));
        var done = walk(stopping.state(), new ReplicaInput.StopDone(RIGHT));
        assertThat(walk(done.state(), start(RIGHT)).commands())
                .isEqualTo(done.commands())
                .noneMatch(Launch.class::isInstance);
    }

    @Test
    void whatCouldNotBeStoppedIsNotCalledGone() {
        var stuck =
                walk(
                        at(E7, new Runs(RIGHT, "pid 1", Optional.empty())),
                        new ReplicaInput.Stop(RIGHT, false),
                        new ReplicaInput.StopFailed(RIGHT, "hangs"));
        assertThat(stuck.commands()).isEmpty();
        assertThat(walk(stuck.state(), new ReplicaInput.Confirm(RIGHT, false)).commands())
                .containsExactly(new End(RIGHT, true));
    }

    @Test
    void ofTwoReplicasThatAreFoundTheOlderIsEnded() {
        var turn =
                walk(
                        ReplicaState.of(WEB, E8),
                        new ReplicaInput.Found(RIGHT, true, "pid 1"),
                        new ReplicaInput.Found(NEWER, true, "pid 2"));
        assertThat(turn.state().standing()).isEqualTo(new Runs(NEWER, "pid 2", Optional.empty()));
        assertThat(turn.commands()).contains(new End(RIGHT, true));
    }

    @Test
    void troubleIsToldAgainWhenAsked() {
        var panicked = new VmInput.GuestPanicked(RIGHT);
        var turn =
                walk(
                        at(E7, new Runs(RIGHT, "pid 1", Optional.empty())),
                        new ReplicaInput.InTrouble(RIGHT, panicked),
                        new ReplicaInput.Confirm(RIGHT, true));
        assertThat(turn.commands()).containsExactly(new Tell(panicked));
    }

    // ---- two servers

    private static ReplicaState alone() {
        return at(E7, new Runs(RIGHT, "pid 1", Optional.empty()));
    }

    private static ReplicaInput.RaisePair raise(RunRight secondary) {
        return new ReplicaInput.RaisePair(RIGHT, secondary, PAIR_ADDRESS);
    }

    @Test
    void aSecondaryIsBegunOnceLikeAnyOther() {
        var order = new ReplicaInput.Start(NEWER, SPEC, true, Optional.of(PRIMARY));
        var turn = walk(at(E7, new Nothing()), order);
        assertThat(turn.commands())
                .containsExactly(
                        new KeepFloor(E8), new ReplicaCommand.Prepare(NEWER, PRIMARY, SPEC));
        var ready = walk(turn.state(), new ReplicaInput.Prepared(NEWER, PRIMARY, PAIR_ADDRESS));
        assertThat(ready.commands())
                .containsExactly(new Tell(new VmInput.SecondaryReady(NEWER, PAIR_ADDRESS)));
        assertThat(walk(ready.state(), order).commands()).isEqualTo(ready.commands());
        assertThat(walk(ReplicaState.of(WEB, E8), order).commands())
                .singleElement()
                .isInstanceOf(Tell.class);
    }

    /** A process that came up since knows no more than its hypervisor. */
    @Test
    void onlyTheHypervisorKnowsWhetherASecondaryIsInLockstep() {
        for (var at : List.of(Optional.of(PAIR_ADDRESS), Optional.<PairAddress>empty())) {
            var follows = at(E7, follows(at));
            var asked = walk(follows, new ReplicaInput.AwaitLockstep(RIGHT, PRIMARY));
            assertThat(asked).isEqualTo(Turn.of(follows, new ReplicaCommand.Await(RIGHT, PRIMARY)));
            assertThat(walk(follows, new ReplicaInput.InLockstep(RIGHT, PRIMARY)).commands())
                    .containsExactly(new Tell(new VmInput.LockstepSeen(PRIMARY, RIGHT)));
        }
    }

    @Test
    void oneThatFollowsNobodyOrAnotherOneIsNotInLockstep() {
        var other = new RunRight(WEB, E9, PRIMARY.server(), PRIMARY.incarnation());
        for (var state : List.of(alone(), at(E7, follows(Optional.empty())))) {
            for (var input :
                    List.of(
                            new ReplicaInput.AwaitLockstep(RIGHT, other),
                            new ReplicaInput.InLockstep(RIGHT, other))) {
                assertThat(walk(state, input)).isEqualTo(Turn.of(state));
            }
        }
    }

    private static Runs follows(Optional<PairAddress> at) {
        return new Runs(RIGHT, "pid 1", Optional.empty(), new ReplicaState.Follows(PRIMARY, at));
    }

    @Test
    void aRaiseIsOnDiskBeforeItBegins() {
        assertThat(walk(alone(), raise(SECONDARY)))
                .isEqualTo(
                        Turn.of(
                                at(
                                        E8,
                                        new Runs(
                                                RIGHT,
                                                "pid 1",
                                                Optional.empty(),
                                                new Raising(SECONDARY, true))),
                                new KeepFloor(E8),
                                new ReplicaCommand.Raise(RIGHT, SECONDARY, PAIR_ADDRESS)));
    }

    @Test
    void aRaiseThatIsOverIsNotBegunAgain() {
        var over =
                walk(
                        alone(),
                        raise(SECONDARY),
                        new ReplicaInput.RaiseBroke(RIGHT, SECONDARY, "no route", true));
        assertThat(over.commands())
                .containsExactly(new Tell(new VmInput.RaiseFailed(RIGHT, SECONDARY, "no route")));
        assertThat(walk(over.state(), raise(SECONDARY)).commands())
                .singleElement()
                .isInstanceOfSatisfying(
                        Tell.class,
                        tell -> assertThat(tell.news()).isInstanceOf(VmInput.RaiseFailed.class));
    }

    /** Its guest may stand still: that it is over is not said before it goes on. */
    @Test
    void aRaiseThatCouldNotBeUndoneIsToldUntilItIsToGoOnAlone() {
        var broke = new ReplicaInput.RaiseBroke(RIGHT, SECONDARY, "QEMU hangs", false);
        var stuck = walk(alone(), raise(SECONDARY), broke);
        var news = new Tell(new VmInput.PartnerLost(RIGHT, SECONDARY, "QEMU hangs"));
        assertThat(stuck.commands()).containsExactly(news);
        var asked = walk(stuck.state(), new ReplicaInput.Confirm(RIGHT, true));
        assertThat(asked.commands()).containsExactly(news);
        var left = walk(asked.state(), new ReplicaInput.GoSolo(RIGHT, SECONDARY));
        assertThat(left.commands()).containsExactly(new ReplicaCommand.Part(RIGHT, SECONDARY));
        var over = walk(left.state(), new ReplicaInput.Parted(RIGHT, SECONDARY, List.of()));
        assertThat(over.commands())
                .containsExactly(new Tell(new VmInput.SoloDone(RIGHT, SECONDARY, List.of())));
        assertThat(walk(over.state(), new ReplicaInput.Confirm(RIGHT, true)).commands()).isEmpty();
    }

    /** The order to raise was held up on its way, and the pair is given up. */
    @Test
    void aRaiseWithOneThatWasGivenUpIsNotBegun() {
        var turn = walk(alone(), new ReplicaInput.GoSolo(RIGHT, SECONDARY), raise(SECONDARY));
        assertThat(turn.commands()).noneMatch(ReplicaCommand.Raise.class::isInstance);
        assertThat(turn.state().floor()).isEqualTo(E8);
    }

    @Test
    void aLateOrderToLeaveAnEarlierPartnerLeavesThePresentOne() {
        var later = new RunRight(WEB, E9, SECONDARY.server(), SECONDARY.incarnation());
        var turn =
                walk(
                        alone(),
                        raise(later),
                        new ReplicaInput.Raised(RIGHT, later, List.of()),
                        new ReplicaInput.GoSolo(RIGHT, SECONDARY));
        assertThat(turn.commands())
                .containsExactly(new Tell(new VmInput.SoloDone(RIGHT, SECONDARY, List.of())));
        assertThat(((Runs) turn.state().standing()).bond()).isEqualTo(new Leads(later));
    }

    @Test
    void whatNeverGoesOnAloneIsKilledInTheEnd() {
        var turn =
                walk(
                        alone(),
                        raise(SECONDARY),
                        new ReplicaInput.Raised(RIGHT, SECONDARY, List.of()));
        for (int tries = 0; tries < ReplicaErrands.TRIES; tries++) {
            turn = walk(turn.state(), new ReplicaInput.GoSolo(RIGHT, SECONDARY));
            assertThat(turn.commands()).containsExactly(new ReplicaCommand.Part(RIGHT, SECONDARY));
            turn = walk(turn.state(), new ReplicaInput.PartFailed(RIGHT, SECONDARY, "no answer"));
        }
        assertThat(walk(turn.state(), new ReplicaInput.GoSolo(RIGHT, SECONDARY)).commands())
                .containsExactly(new End(RIGHT, true));
    }

    @Test
    void theGuestsOwnTroubleIsNotForgottenForThatOfThePair() {
        var broken = new VmInput.DiskFailed(RIGHT, "root", "I/O error");
        var silent = new VmInput.PartnerLost(RIGHT, SECONDARY, "silent");
        var turn =
                walk(
                        alone(),
                        raise(SECONDARY),
                        new ReplicaInput.Raised(RIGHT, SECONDARY, List.of()),
                        new ReplicaInput.InTrouble(RIGHT, broken),
                        new ReplicaInput.InTrouble(RIGHT, silent));
        assertThat(turn.commands()).containsExactly(new Tell(silent));
        var left =
                walk(
                        turn.state(),
                        new ReplicaInput.GoSolo(RIGHT, SECONDARY),
                        new ReplicaInput.Parted(RIGHT, SECONDARY, List.of()),
                        new ReplicaInput.Confirm(RIGHT, true));
        assertThat(left.commands()).containsExactly(new Tell(broken));
    }

    /** How far it is the hypervisor knows: it answers the same. */
    @Test
    void aPairThatIsFoundIsRaisedByTheSameOrder() {
        var turn =
                walk(
                        ReplicaState.of(WEB, E8),
                        new ReplicaInput.Found(RIGHT, true, "pid 1", new Raising(SECONDARY, false)),
                        raise(SECONDARY));
        assertThat(turn.commands())
                .containsExactly(new ReplicaCommand.Raise(RIGHT, SECONDARY, PAIR_ADDRESS));
    }

    // ---- every state with every input

    private static Standing bound(ReplicaState.Bond bond) {
        return new Runs(
                RIGHT,
                "pid 1",
                Optional.of(new VmInput.PartnerLost(RIGHT, SECONDARY, "silent")),
                bond);
    }

    static Stream<ReplicaState> states() {
        var stop = new ReplicaInput.Stop(RIGHT, true);
        var standings =
                List.of(
                        new InStart(RIGHT, Optional.empty()),
                        new InStart(RIGHT, Optional.of(stop)),
                        new Runs(RIGHT, "pid 1", Optional.empty()),
                        new Runs(RIGHT, "pid 1", Optional.of(new VmInput.GuestPanicked(RIGHT))),
                        bound(new Raising(SECONDARY, true)),
                        bound(new Raising(SECONDARY, false)),
                        bound(new Leads(SECONDARY)),
                        bound(new ReplicaState.Follows(PRIMARY, Optional.empty())),
                        bound(new ReplicaState.Follows(PRIMARY, Optional.of(PAIR_ADDRESS))),
                        bound(new ReplicaState.Parting(SECONDARY, 1, true)),
                        bound(new ReplicaState.Parting(SECONDARY, 1, false)),
                        bound(new ReplicaState.Parting(SECONDARY, ReplicaErrands.TRIES, false)),
                        new InStop(RIGHT, true, true),
                        new InStop(RIGHT, false, true),
                        new InStop(RIGHT, true, false),
                        new ClearingUp(RIGHT, FAILED, true),
                        new ClearingUp(RIGHT, FAILED, false),
                        new Ended(RIGHT, GONE),
                        new Ended(RIGHT, FAILED));
        var states = new ArrayList<ReplicaState>();
        for (var floor : List.of(Epoch.NONE, E6, E7, E8)) {
            states.add(at(floor, new Nothing()));
        }
        standings.forEach(standing -> states.add(at(E7, standing)));
        standings.forEach(standing -> states.add(at(E8, standing)));
        // Found by a process that knows no floor.
        states.add(at(Epoch.NONE, new Runs(RIGHT, "pid 1", Optional.empty())));
        return states.stream();
    }

    static List<ReplicaInput> inputs() {
        var inputs = new ArrayList<ReplicaInput>();
        for (var right : List.of(OLDER, RIGHT, NEWER)) {
            for (boolean flag : List.of(true, false)) {
                inputs.add(new ReplicaInput.Start(right, SPEC, flag));
                inputs.add(new ReplicaInput.Stop(right, flag));
                inputs.add(new ReplicaInput.Confirm(right, flag));
                inputs.add(new ReplicaInput.Found(right, flag, "found"));
                inputs.add(new ReplicaInput.StartFailed(right, "why", flag, !flag));
            }
            for (var other : List.of(PRIMARY, SECONDARY)) {
                inputs.add(new ReplicaInput.Start(right, SPEC, true, Optional.of(other)));
                inputs.add(new ReplicaInput.Prepared(right, other, PAIR_ADDRESS));
                inputs.add(new ReplicaInput.AwaitLockstep(right, other));
                inputs.add(new ReplicaInput.InLockstep(right, other));
                inputs.add(new ReplicaInput.RaisePair(right, other, PAIR_ADDRESS));
                inputs.add(new ReplicaInput.RaiseStep(right, other, RaiseStage.DISKS, 50));
                inputs.add(new ReplicaInput.Raised(right, other, List.of()));
                inputs.add(new ReplicaInput.RaiseBroke(right, other, "why", true));
                inputs.add(new ReplicaInput.RaiseBroke(right, other, "why", false));
                inputs.add(new ReplicaInput.GoSolo(right, other));
                inputs.add(new ReplicaInput.Parted(right, other, List.of()));
                inputs.add(new ReplicaInput.PartFailed(right, other, "why"));
                inputs.add(
                        new ReplicaInput.InTrouble(
                                right, new VmInput.PartnerLost(right, other, "silent")));
                inputs.add(new ReplicaInput.Found(right, true, "found", new Raising(other, false)));
            }
            inputs.add(new ReplicaInput.Started(right, 5, "pid 1"));
            inputs.add(new ReplicaInput.StartedAndEnded(right, "exit 1"));
            inputs.add(new ReplicaInput.StopDone(right));
            inputs.add(new ReplicaInput.StopFailed(right, "hangs"));
            for (var cause : Cause.values()) {
                inputs.add(new ReplicaInput.Gone(right, cause, "gone"));
            }
            inputs.add(new ReplicaInput.InTrouble(right, new VmInput.GuestPanicked(right)));
        }
        return inputs;
    }

    @ParameterizedTest
    @MethodSource("states")
    void everyInputInEveryStateKeepsTheRules(ReplicaState state) {
        for (var input : inputs()) {
            ServerSideRules.check(state, input, ReplicaLife.decide(state, input));
        }
    }
}
