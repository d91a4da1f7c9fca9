package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.BOTH;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SECONDARY;
import static dev.belay.decision.Samples.paired;
import static dev.belay.decision.Samples.vm;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Raising;
import dev.belay.decision.VmState.Stopping;
import dev.belay.model.Desired;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A stop is asked of the guest, or is a kill: also one that comes after it was only asked. */
class VmRequestsTest {
    private static final VmInput ASK = new VmInput.Stop(false);
    private static final VmInput KILL = new VmInput.Stop(true);
    private static final VmAction KILL_ALPHA = new VmAction.StopReplica(RIGHT, true);
    private static final VmAction KILL_BETA = new VmAction.StopReplica(SECONDARY, true);

    private static List<VmAction> actions(VmState state, VmInput input) {
        return ((Accepted<VmEvent, VmAction>) VmLife.decide(state, BOTH, input)).actions();
    }

    private static void assertIgnored(VmState state, VmInput input) {
        assertThat(VmLife.decide(state, BOTH, input)).isInstanceOf(Ignored.class);
    }

    @Test
    void aStopThatWasAskedCanBeHurried() {
        var asked = new Stopping(vm(Desired.STOPPED), RIGHT, false, false);

        assertThat(actions(asked, KILL)).containsExactly(KILL_ALPHA);
        assertIgnored(asked, ASK);
        assertIgnored(new Stopping(vm(Desired.STOPPED), RIGHT, true, false), KILL);
    }

    @Test
    void oneThatIsEndedToStartElsewhereIsKilledWhenItIsToStop() {
        var moving = new Stopping(vm(Desired.RUNNING), RIGHT, false, true);

        assertThat(actions(moving, KILL)).containsExactly(KILL_ALPHA);
        assertThat(actions(moving, ASK)).isEmpty();
    }

    @Test
    void theGuestOfAPairIsAskedWhenItIsAlone() {
        var raising = new Raising(paired().at(E8), RIGHT, SECONDARY, RaiseStage.DISKS, 0);

        assertThat(actions(raising, ASK))
                .containsExactly(new VmAction.GoSolo(RIGHT, SECONDARY), KILL_BETA);
        assertThat(actions(raising, KILL)).containsExactly(KILL_BETA, KILL_ALPHA);
    }

    @Test
    void oneThatIsOnItsWayToBeAloneIsKilledAtOnceWhenThatIsWanted() {
        var alone = new GoingSolo(paired().at(E8), RIGHT, SECONDARY);
        var unwanted =
                new GoingSolo(paired().at(E8).desiring(Desired.STOPPED, false), RIGHT, SECONDARY);

        assertThat(actions(alone, ASK)).isEmpty();
        assertThat(actions(alone, KILL)).containsExactly(KILL_ALPHA);
        assertThat(actions(unwanted, KILL)).containsExactly(KILL_ALPHA);
    }

    /** Neither answered when it was asked. */
    @Test
    void aPairThatWasToStopIsKilledAtTheSecondWord() {
        var vm = paired().at(E8).newestOn(ALPHA, BETA).desiring(Desired.STOPPED, false);

        assertThat(actions(new Lockstep(vm, RIGHT, SECONDARY), KILL))
                .containsExactly(KILL_BETA, KILL_ALPHA);
        assertIgnored(new Lockstep(vm, RIGHT, SECONDARY), ASK);
    }

    @Test
    void aDiskThatIsMirroredIsNotWhatSpeaksAgainstTwoServers() {
        assertThat(VmLevels.whyNever(Samples.PAIR_SPEC)).isEmpty();
    }
}
