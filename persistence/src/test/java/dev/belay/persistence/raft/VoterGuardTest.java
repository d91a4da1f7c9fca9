package dev.belay.persistence.raft;

import static dev.belay.persistence.raft.VoterGuard.decide;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.persistence.raft.VoterGuard.Extent;
import dev.belay.persistence.raft.VoterGuard.Testimony;
import dev.belay.persistence.raft.VoterRegister.Part;
import dev.belay.persistence.raft.VoterRegister.Standing;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a voter with an empty folder may conclude from what the others say. */
class VoterGuardTest {
    private static final Testimony EMPTY = new Testimony(Standing.NEVER, Extent.NOTHING_STORED);
    private static final Testimony NEVER = whole(Part.NONE, 0);
    private static final Testimony TAKEN = whole(Part.TAKEN, 1);
    private static final Testimony READMITTED = whole(Part.READMITTED, 2);
    private static final Testimony TAKEN_AGAIN = whole(Part.TAKEN, 3);

    private static Testimony whole(Part part, long changes) {
        return new Testimony(new Standing(part, changes), Extent.WHOLE);
    }

    private static Testimony partial(Testimony of) {
        return new Testimony(of.standing(), Extent.PARTIAL);
    }

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
        assertThat(decide(3, List.of(EMPTY), true)).contains(Part.NONE);
        assertThat(decide(3, List.of(EMPTY, EMPTY), false)).contains(Part.NONE);
        assertThat(decide(5, List.of(EMPTY), true)).isEmpty();
        assertThat(decide(5, List.of(EMPTY, EMPTY), true)).contains(Part.NONE);
    }

    @Test
    void oneThatHasAJournalDoesNotFoundItAgainWithoutTheOneThatIsSilent() {
        assertThat(decide(3, List.of(NEVER), true)).isEmpty();
        assertThat(decide(5, List.of(NEVER, EMPTY), true)).isEmpty();
        assertThat(decide(5, List.of(NEVER, EMPTY, EMPTY), true)).contains(Part.NONE);
    }

    @Test
    void aCopyThatLacksWhatItsVoterStoredDoesNotSayNever() {
        var unread = partial(NEVER);
        assertThat(decide(3, List.of(unread, unread), true)).isEmpty();
        assertThat(decide(3, List.of(NEVER, unread), true)).isEmpty();
        assertThat(decide(3, List.of(EMPTY, unread), false)).isEmpty();
        assertThat(decide(3, List.of(READMITTED, unread), true)).isEmpty();
        assertThat(decide(5, List.of(NEVER, NEVER, unread), true)).isEmpty();
        assertThat(decide(5, List.of(NEVER, NEVER, NEVER, unread), false)).contains(Part.NONE);
    }

    @Test
    void whatSuchACopyKnowsIsTrueAllTheSame() {
        assertThat(decide(3, List.of(partial(TAKEN)), true)).contains(Part.TAKEN);
        assertThat(decide(5, List.of(NEVER, NEVER, NEVER, partial(TAKEN)), false))
                .contains(Part.TAKEN);
    }

    @Test
    void aCopyIsWholeWhenItHoldsWhatTheLogHeld() {
        assertThat(VoterGuard.extent(-1, -1)).isEqualTo(Extent.NOTHING_STORED);
        assertThat(VoterGuard.extent(-1, 0)).isEqualTo(Extent.PARTIAL);
        assertThat(VoterGuard.extent(6, 7)).isEqualTo(Extent.PARTIAL);
        assertThat(VoterGuard.extent(7, 7)).isEqualTo(Extent.WHOLE);
        assertThat(VoterGuard.extent(9, 7)).isEqualTo(Extent.WHOLE);
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
