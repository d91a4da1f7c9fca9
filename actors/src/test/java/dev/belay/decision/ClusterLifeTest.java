package dev.belay.decision;

import static dev.belay.decision.Samples.AT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.ClusterState.Armed;
import dev.belay.decision.ClusterState.Disarmed;
import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.Decision.Rejected;
import dev.belay.model.LeaseTerms;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The cluster as a whole: armed, and disarmed for a while. */
class ClusterLifeTest {
    private static final Duration HALF = Duration.ofMinutes(30);
    private static final ClusterInput.Disarm DISARM =
            new ClusterInput.Disarm(HALF, "ada", "new switch");

    private ClusterState state = ClusterState.NEW;

    private Decision<ClusterEvent, ClusterAction> hear(ClusterInput input) {
        var decision = ClusterLife.decide(state, AT, input);
        if (decision instanceof Accepted<ClusterEvent, ClusterAction>(var events, var actions)) {
            for (var event : events) {
                state = ClusterLife.apply(state, event);
            }
            assertThat(ClusterLife.pending(state)).as("asked for again").isEqualTo(actions);
        }
        return decision;
    }

    @Test
    void itIsDisarmedForAWhileAndArmsItself() {
        hear(DISARM);
        assertThat(state).isEqualTo(new Disarmed(1, Samples.DISARMING, Optional.empty()));
        assertThat(ClusterLife.pending(state))
                .isEqualTo(List.of(new ClusterAction.AwaitEnd(1, Samples.DISARMING)));

        hear(new ClusterInput.TimeOver(1));
        assertThat(state).isEqualTo(new Armed(1, Optional.empty()));
    }

    @Test
    void anOperatorArmsItEarlier() {
        hear(DISARM);
        hear(new ClusterInput.Arm());

        assertThat(state).isEqualTo(new Armed(1, Optional.empty()));
        assertThat(hear(new ClusterInput.Arm())).isInstanceOf(Ignored.class);
        assertThat(hear(new ClusterInput.TimeOver(1))).isInstanceOf(Ignored.class);
    }

    @Test
    void disarmedAgainItsTimeCountsFromThen() {
        hear(DISARM);
        hear(DISARM);

        assertThat(hear(new ClusterInput.TimeOver(1))).isInstanceOf(Ignored.class);
        assertThat(state.disarming()).isPresent();
        hear(new ClusterInput.TimeOver(2));
        assertThat(state.disarming()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT-1S", "PT24H0.001S", "P365D"})
    void itIsNeverWithoutProtectionForLong(String length) {
        assertThat(hear(new ClusterInput.Disarm(Duration.parse(length), "ada", "why")))
                .isInstanceOf(Rejected.class);
        assertThat(state).isEqualTo(ClusterState.NEW);
    }

    /** A process that takes over looks at its own clock, which may have jumped either way. */
    @ParameterizedTest(name = "its clock shows {0} after the disarming: {1} left")
    @CsvSource({
        "PT0S, PT30M",
        "PT10M, PT20M",
        "PT30M, PT0S",
        "PT70M, PT0S",
        "PT-50M, PT30M",
        "PT-1S, PT30M"
    })
    void noClockMakesItLastLongerThanTheWholeTimeAfresh(Duration shown, Duration left) {
        assertThat(Samples.DISARMING.left(AT.plus(shown))).isEqualTo(left);
    }

    // ---- lease terms

    private static final LeaseTerms LONGER =
            new LeaseTerms(Duration.ofSeconds(5), Samples.TERMS.renewal(), Samples.TERMS.margin());

    @Test
    void theFirstServerGivesTheClusterItsLeaseTerms() {
        hear(new ClusterInput.OfferTerms(Samples.TERMS, false));
        assertThat(state.terms()).contains(Samples.TERMS);

        assertThat(hear(new ClusterInput.OfferTerms(LONGER, false))).isInstanceOf(Ignored.class);
        assertThat(state.terms()).contains(Samples.TERMS);
    }

    @Test
    void theyOutlastADisarming() {
        hear(new ClusterInput.OfferTerms(Samples.TERMS, false));
        hear(DISARM);
        assertThat(state.terms()).contains(Samples.TERMS);
        hear(new ClusterInput.Arm());
        assertThat(state.terms()).contains(Samples.TERMS);
    }

    @Test
    void anOperatorChangesThem() {
        hear(new ClusterInput.OfferTerms(Samples.TERMS, true));
        hear(new ClusterInput.OfferTerms(LONGER, true));
        assertThat(state.terms()).contains(LONGER);
        assertThat(hear(new ClusterInput.OfferTerms(LONGER, true))).isInstanceOf(Ignored.class);
    }

    @Test
    void aNodeWithOthersHearsWhatDiffersAndWhatToDo() {
        assertThat(ClusterLife.refusal(LONGER, LONGER)).isEmpty();
        assertThat(ClusterLife.refusal(LONGER, Samples.TERMS).orElseThrow())
                .contains(
                        "It has belay.lease { duration = 3000 ms",
                        "the cluster { duration = 5000 ms",
                        "Give it the cluster's");
    }
}
