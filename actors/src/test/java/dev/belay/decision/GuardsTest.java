package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SECONDARY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.model.JournalGuard;
import dev.belay.model.RunRight;
import java.util.List;
import org.junit.jupiter.api.Test;

/** For which incarnations the journal is asked, and whose replica an order is for (safety.md 3). */
class GuardsTest {
    private static final JournalGuard ON_ALPHA = new JournalGuard.Grants(ALPHA, I2);
    private static final JournalGuard ON_BETA = new JournalGuard.Grants(BETA, I1);

    @Test
    void eachRightIsGuardedByTheIncarnationThatItIsFor() {
        assertThat(new VmEvent.RightGranted(AT, RIGHT).guards()).containsExactly(ON_ALPHA);
        assertThat(new VmEvent.PairGranted(AT, RIGHT, SECONDARY).guards()).containsExactly(ON_BETA);
        assertThat(new VmEvent.LockstepReached(AT, RIGHT, SECONDARY).guards())
                .containsExactly(ON_ALPHA, ON_BETA);
        assertThat(new VmEvent.SoloGranted(AT, SECONDARY, RIGHT, "why").guards())
                .containsExactly(ON_BETA);
    }

    @Test
    void aServersIncarnationIsFencedAndAdmittedByTheJournal() {
        assertThat(new ServerEvent.ServerFenced(AT, ALPHA, I2, List.of()).guards())
                .containsExactly(new JournalGuard.Fences(ALPHA, I2));
        assertThat(new ServerEvent.ServerAdmitted(AT, ServerLifeTest.SERVER).guards())
                .containsExactly(new JournalGuard.Admits(ALPHA, I2));
    }

    private static void assertFor(RunRight right, VmAction.Order order) {
        assertThat(order.right()).as("%s", order).isEqualTo(right);
    }

    @Test
    void anOrderIsForTheRightThatItsServerRuns() {
        assertFor(SECONDARY, new VmAction.PrepareSecondary(SECONDARY, RIGHT, Samples.PAIR_SPEC));
        assertFor(SECONDARY, new VmAction.AwaitLockstep(SECONDARY, RIGHT));
        assertFor(RIGHT, new VmAction.RaisePair(RIGHT, SECONDARY, Samples.PAIR_ADDRESS));
        assertFor(SECONDARY, new VmAction.GoSolo(SECONDARY, RIGHT));
        assertFor(RIGHT, new VmAction.PassCheckpoint(RIGHT, SECONDARY, true));
    }
}
