package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.I3;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SPEC;
import static dev.belay.decision.Samples.right;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.TenureCommand.Adopt;
import dev.belay.decision.TenureCommand.Clean;
import dev.belay.decision.TenureCommand.HoldLease;
import dev.belay.decision.TenureCommand.Join;
import dev.belay.decision.TenureCommand.Keep;
import dev.belay.decision.TenureState.Adopting;
import dev.belay.decision.TenureState.Asking;
import dev.belay.decision.TenureState.Cleaning;
import dev.belay.decision.TenureState.Serving;
import dev.belay.model.Incarnation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TenureTest {
    private static Turn<TenureState, TenureCommand> on(TenureState state, TenureInput input) {
        return Tenure.decide(state, input);
    }

    @Test
    void aWelcomeIsOnDiskBeforeItsLeaseIsHeld() {
        assertThat(on(new Asking(I1, true), new TenureInput.Welcome(I2)))
                .isEqualTo(Turn.of(new Serving(I2), new Keep(I2, false), new HoldLease(I2)));
    }

    @Test
    void aFencedIncarnationIsEndedBeforeTheNextIsAskedFor() {
        var cleaning = on(new Serving(I2), new TenureInput.MustClean(I2, true));
        assertThat(cleaning.commands())
                .containsExactly(new HoldLease(Incarnation.NONE), new Clean(I2));
        assertThat(on(cleaning.state(), new TenureInput.CleanDone()))
                .isEqualTo(Turn.of(new Asking(I2, true), new Keep(I2, true), new Join(I2, true)));
    }

    @Test
    void aLateWelcomeRevivesNothingThatWasDeclaredCleanBeforeTheProcessCameUp() {
        var asking = on(new Adopting(I2, true, false), new TenureInput.Adopted());
        assertThat(asking.commands()).containsExactly(new Join(I2, true));
        assertThat(on(asking.state(), new TenureInput.Welcome(I2)))
                .isEqualTo(Turn.of(asking.state()));
    }

    @Test
    void afterARebootALateWelcomeToTheLifeBeforeItIsNotTaken() {
        var cleaning = on(new Adopting(I2, false, true), new TenureInput.Adopted());
        assertThat(cleaning.commands()).contains(new Clean(I2));
        assertThat(on(cleaning.state(), new TenureInput.Welcome(I2)))
                .isEqualTo(Turn.of(cleaning.state()));
        var asking = on(cleaning.state(), new TenureInput.CleanDone());
        assertThat(on(asking.state(), new TenureInput.Welcome(I2)))
                .isEqualTo(Turn.of(asking.state()));
    }

    @Test
    void aNewerIncarnationIsNotTakenWhileTheOlderMayRun() {
        for (var state : List.of(new Asking(I2, false), new Serving(I2))) {
            assertThat(on(state, new TenureInput.Welcome(I3)).state())
                    .isEqualTo(new Cleaning(I2, I3, true));
        }
    }

    @Test
    void whatCannotBeEndedIsTriedAgainAndSaidNothingOf() {
        var failed = on(new Cleaning(I2, I2, true), new TenureInput.CleanFailed());
        assertThat(failed.commands()).isEmpty();
        assertThat(on(failed.state(), new TenureInput.Tick()).commands()).contains(new Clean(I2));
    }

    @Test
    void nothingIsTakenOrSaidBeforeItIsKnownWhatRuns() {
        var adopting = new Adopting(I2, false, false);
        assertThat(on(adopting, new TenureInput.Tick()).commands()).containsExactly(new Adopt());
        for (var input : inputs()) {
            if (!(input instanceof TenureInput.Tick || input instanceof TenureInput.Adopted)) {
                assertThat(on(adopting, input)).isEqualTo(Turn.of(adopting));
            }
        }
    }

    @Test
    void aRefusedLeaseMakesItAskAgain() {
        assertThat(on(new Serving(I2), new TenureInput.LeaseRefused(I2)))
                .isEqualTo(Turn.of(new Asking(I2, false), new Join(I2, false)));
    }

    @Test
    void aRefusedLeaseOfAnotherIncarnationIsNoNews() {
        for (var state : List.of(new Asking(I2, false), new Serving(I2))) {
            assertThat(on(state, new TenureInput.LeaseRefused(I1))).isEqualTo(Turn.of(state));
        }
        assertThat(on(new Asking(I2, false), new TenureInput.LeaseRefused(I2)).commands())
                .containsExactly(new Join(I2, false));
    }

    @Test
    void anOrderToCleanIsTakenForWhatMayStillRun() {
        for (var upTo : List.of(Incarnation.NONE, I2, I3)) {
            assertThat(on(new Asking(I2, false), new TenureInput.MustClean(upTo, true)).state())
                    .isEqualTo(new Cleaning(I2, upTo, true));
        }
        assertThat(on(new Asking(I1, true), new TenureInput.MustClean(I2, true)).state())
                .isEqualTo(new Cleaning(I1, I2, true));
        assertThat(on(new Serving(I2), new TenureInput.MustClean(I3, false)).state())
                .isEqualTo(new Cleaning(I2, I3, true));
    }

    /** It is late: all that was there then has ended, or it was told to go on since. */
    @Test
    void anOrderToCleanOfALifeThatIsOverIsNot() {
        assertIgnored(new Asking(I2, false), new TenureInput.MustClean(I1, true));
        assertIgnored(new Asking(I2, true), new TenureInput.MustClean(I2, true));
        assertIgnored(new Serving(I2), new TenureInput.MustClean(I1, true));
        assertIgnored(new Serving(I2), new TenureInput.MustClean(I2, false));
    }

    private static void assertIgnored(TenureState state, TenureInput input) {
        assertThat(on(state, input)).isEqualTo(Turn.of(state));
    }

    @Test
    void onlyWhatIsForAReplicaIsPassedOn() {
        for (var action :
                List.of(
                        new VmAction.Reserve(ALPHA, E7, 1024),
                        new VmAction.Release(ALPHA, E7),
                        new VmAction.AskStanding(ALPHA, I2),
                        new VmAction.WakeAfter(Duration.ofSeconds(1), E7),
                        new VmAction.OutliveAfter(RIGHT),
                        new VmAction.InsistAfter(Duration.ofSeconds(1), E7),
                        new VmAction.OverdueAfter(Duration.ofSeconds(1), E7),
                        new VmAction.HandOverAfter(Duration.ofSeconds(1), RIGHT, RIGHT, true),
                        new VmAction.SettleAfter(Duration.ofSeconds(1), E7))) {
            assertIgnored(new Serving(I2), new TenureInput.Ordered(action));
        }
    }

    // ---- every state with every input

    static Stream<TenureState> states() {
        var states = new ArrayList<TenureState>();
        for (var held : List.of(Incarnation.NONE, I1, I2)) {
            for (boolean flag : List.of(true, false)) {
                states.add(new Adopting(held, flag, true));
                states.add(new Adopting(held, flag, false));
                states.add(new Asking(held, flag));
                states.add(new Cleaning(held, held, flag));
                states.add(new Cleaning(held, I2, flag));
            }
            states.add(new Serving(held));
        }
        return states.stream().distinct();
    }

    static List<TenureInput> inputs() {
        var inputs = new ArrayList<TenureInput>();
        inputs.add(new TenureInput.Adopted());
        inputs.add(new TenureInput.Tick());
        inputs.add(new TenureInput.CleanDone());
        inputs.add(new TenureInput.CleanFailed());
        for (var incarnation : List.of(Incarnation.NONE, I1, I2, I3)) {
            inputs.add(new TenureInput.Welcome(incarnation));
            inputs.add(new TenureInput.LeaseRefused(incarnation));
            inputs.add(new TenureInput.MustClean(incarnation, true));
            inputs.add(new TenureInput.MustClean(incarnation, false));
            var right = right(E7, ALPHA, incarnation);
            for (var order :
                    List.of(
                            new VmAction.StartReplica(right, SPEC),
                            new VmAction.StopReplica(right, true),
                            new VmAction.Confirm(right, SPEC.level()))) {
                inputs.add(new TenureInput.Ordered(order));
            }
        }
        inputs.add(new TenureInput.Ordered(new VmAction.Release(ALPHA, E7)));
        return inputs;
    }

    @ParameterizedTest
    @MethodSource("states")
    void everyInputInEveryStateKeepsTheRules(TenureState state) {
        for (var input : inputs()) {
            ServerSideRules.check(state, input, on(state, input));
        }
    }
}
