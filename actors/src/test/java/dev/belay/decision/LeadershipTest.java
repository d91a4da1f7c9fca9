package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.GAMMA;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SECONDARY;
import static dev.belay.decision.Samples.paired;
import static dev.belay.decision.Samples.wanted;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Leadership.Voter;
import dev.belay.model.ServerName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Who leads the journal, and when that changes. Gamma is the witness. */
class LeadershipTest {
    private static final Voter WITNESS = new Voter(GAMMA, true, true, 0);

    private static Voter server(ServerName name, int burden) {
        return new Voter(name, false, true, burden);
    }

    /** What is handed over at each of so many looks that all see the same. */
    private static List<ServerName> handedTo(int looks, Voter... voters) {
        var handed = new ArrayList<ServerName>();
        var state = Leadership.NEW;
        for (int look = 0; look < looks; look++) {
            var next = state.look(ALPHA, List.of(voters));
            next.handTo().ifPresent(handed::add);
            state = next.next();
        }
        return handed;
    }

    @Test
    void aLeaderThatRunsAVmOfLevelSystemHandsOverToTheWitness() {
        assertThat(handedTo(Leadership.STEADY, server(ALPHA, 2), server(BETA, 1), WITNESS))
                .containsExactly(GAMMA);
    }

    @Test
    void withoutAWitnessToTheServerThatHasLeastToLose() {
        assertThat(
                        handedTo(
                                Leadership.STEADY,
                                server(ALPHA, 2),
                                server(BETA, 1),
                                new Voter(GAMMA, true, false, 0)))
                .containsExactly(BETA);
    }

    @Test
    void aWitnessIsPreferredAmongEquals() {
        assertThat(handedTo(Leadership.STEADY, server(ALPHA, 2), server(BETA, 0), WITNESS))
                .containsExactly(GAMMA);
    }

    @Test
    void whatIsSeenForAMomentMovesNobody() {
        assertThat(handedTo(Leadership.STEADY - 1, server(ALPHA, 2), WITNESS)).isEmpty();
        var almost = new Leadership(Optional.of(GAMMA), Leadership.STEADY - 1, 1_000_000, 0);
        var none = almost.look(ALPHA, List.of(server(ALPHA, 0), WITNESS));
        assertThat(none.handTo()).isEmpty();
        assertThat(none.next().look(ALPHA, List.of(server(ALPHA, 2), WITNESS)).handTo())
                .as("counted from the beginning")
                .isEmpty();
    }

    @Test
    void itIsNotTriedAgainAndAgain() {
        assertThat(handedTo(2 * Leadership.STEADY + Leadership.REST - 1, server(ALPHA, 2), WITNESS))
                .hasSize(1);
        assertThat(handedTo(2 * Leadership.STEADY + Leadership.REST, server(ALPHA, 2), WITNESS))
                .hasSize(2);
    }

    @Test
    void theRestGoesOnWhileAnotherOneLeads() {
        var handed = afterHandingOver();
        var back = away(handed, Leadership.REST - 1);
        assertThat(looksUntilHandedOver(back)).isEqualTo(1 + Leadership.STEADY);
        assertThat(looksUntilHandedOver(away(handed, 5)))
                .as("it came back at once")
                .isEqualTo(Leadership.REST - 5 + Leadership.STEADY);
        assertThat(looksUntilHandedOver(away(handed, Leadership.REST)))
                .isEqualTo(Leadership.STEADY);
    }

    @Test
    void theLongerTheRestTheMoreOftenItCameBack() {
        int changes = 0;
        var state = Leadership.NEW;
        // The witness gets it each time, and loses it two minutes later: for a day.
        for (int look = 0, away = 0; look < 86_400; look++) {
            if (away > 0) {
                away--;
                state = state.notLeading();
                continue;
            }
            var next = state.look(ALPHA, List.of(server(ALPHA, 2), WITNESS));
            state = next.next();
            if (next.handTo().isPresent()) {
                changes++;
                away = 120;
            }
        }
        assertThat(changes).isBetween(20, 30);
    }

    @Test
    void whatHeldForLongIsForgotten() {
        var state = afterHandingOver();
        for (int vain = 1; vain <= 3; vain++) {
            state = handOver(state);
            assertThat(state.vain()).isEqualTo(vain);
        }
        var held = away(state, Leadership.SOON * (Leadership.REST << 3));
        assertThat(handOver(held).vain()).isZero();
    }

    private static Leadership afterHandingOver() {
        return handOver(Leadership.NEW);
    }

    private static Leadership away(Leadership before, int looks) {
        var state = before;
        for (int look = 0; look < looks; look++) {
            state = state.notLeading();
        }
        return state;
    }

    private static Leadership handOver(Leadership before) {
        var state = before;
        while (true) {
            var next = state.look(ALPHA, List.of(server(ALPHA, 2), WITNESS));
            state = next.next();
            if (next.handTo().isPresent()) {
                return state;
            }
        }
    }

    private static int looksUntilHandedOver(Leadership before) {
        var state = before;
        for (int look = 1; ; look++) {
            var next = state.look(ALPHA, List.of(server(ALPHA, 2), WITNESS));
            if (next.handTo().isPresent()) {
                return look;
            }
            state = next.next();
        }
    }

    @Test
    void noneThatIsNoBetterTakesOver() {
        assertThat(handedTo(100, server(ALPHA, 2), server(BETA, 2))).isEmpty();
        assertThat(handedTo(100, server(ALPHA, 0), server(BETA, 0), WITNESS)).isEmpty();
    }

    @Test
    void whatAServerHasToLose() {
        var pair = new VmState.Lockstep(paired().at(E8), RIGHT, SECONDARY);
        assertThat(Leadership.burden(ALPHA, List.of(pair), false)).isEqualTo(2);
        assertThat(Leadership.burden(BETA, List.of(pair), false)).isEqualTo(1);
        assertThat(Leadership.burden(GAMMA, List.of(pair), false)).isZero();
        assertThat(Leadership.burden(GAMMA, List.of(pair), true)).isEqualTo(1);

        var single = new VmState.Running(wanted(), RIGHT);
        assertThat(Leadership.burden(ALPHA, List.of(single), false))
                .as("a VM at level RESTART waits for the lease anyway")
                .isZero();
    }
}
