package dev.belay.persistence.raft;

import static dev.belay.persistence.raft.VoterGuard.decide;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.persistence.raft.VoterRegister.Part;
import dev.belay.persistence.raft.VoterRegister.Standing;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a voter with an empty folder may conclude from what the others say. */
class VoterGuardTest {
    private static final Standing NEVER = Standing.NEVER;
    private static final Standing TAKEN = new Standing(Part.TAKEN, 1);
    private static final Standing READMITTED = new Standing(Part.READMITTED, 2);
    private static final Standing TAKEN_AGAIN = new Standing(Part.TAKEN, 3);

    @Test
    void aVoterAloneBegins() {
        assertThat(decide(1, List.of(), false)).contains(Part.NONE);
    }

    @Test
    void ofThreeBothOthersAreHeardFirst() {
        assertThat(decide(3, List.of(), false)).isEmpty();
        assertThat(decide(3, List.of(NEVER), false)).isEmpty();
        assertThat(decide(3, List.of(NEVER, NEVER), false)).contains(Part.NONE);
        assertThat(decide(3, List.of(NEVER, TAKEN), false)).contains(Part.TAKEN);
    }

    @Test
    void ofFiveThreeOthersAreEnoughAsEachMajorityHasOneOfThem() {
        assertThat(decide(5, List.of(NEVER, NEVER), false)).isEmpty();
        assertThat(decide(5, List.of(NEVER, NEVER, TAKEN), false)).contains(Part.TAKEN);
    }

    @Test
    void aCopyThatLagsDoesNotCount() {
        assertThat(decide(3, List.of(READMITTED, TAKEN), false)).contains(Part.READMITTED);
        assertThat(decide(3, List.of(READMITTED, TAKEN_AGAIN), false)).contains(Part.TAKEN);
    }

    @Test
    void aClusterCanBeFoundedWithoutAVoterThatDoesNotCome() {
        assertThat(decide(3, List.of(NEVER), true)).contains(Part.NONE);
        assertThat(decide(5, List.of(NEVER), true)).isEmpty();
        assertThat(decide(5, List.of(NEVER, NEVER), true)).contains(Part.NONE);
    }

    @Test
    void withoutAnAnswerNothingIsConcludedHoweverLongItLasts() {
        assertThat(decide(3, List.of(), true)).isEmpty();
    }

    @Test
    void oneWhoKnowsIsEnoughToRefuseAndNotEnoughToBeginAnew() {
        assertThat(decide(3, List.of(TAKEN), true)).contains(Part.TAKEN);
        assertThat(decide(3, List.of(READMITTED), true)).isEmpty();
    }
}
