package dev.belay.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.Reachability;
import org.apache.pekko.cluster.UniqueAddress;
import org.junit.jupiter.api.Test;

class HeardNodesTest {
    private static final UniqueAddress ALPHA = node(1);
    private static final UniqueAddress BRAVO = node(2);
    private static final UniqueAddress WITNESS = node(3);
    private static final Set<UniqueAddress> ALL = Set.of(ALPHA, BRAVO, WITNESS);
    private static final UniqueAddress CHARLIE = node(4);
    private static final Set<UniqueAddress> FOUR = Set.of(ALPHA, BRAVO, WITNESS, CHARLIE);

    private static UniqueAddress node(int number) {
        return new UniqueAddress(new Address("pekko", "belay", "10.0.0." + number, 7355), number);
    }

    private static Reachability missing(UniqueAddress... observersAndSubjects) {
        var all = Reachability.empty();
        for (int i = 0; i < observersAndSubjects.length; i += 2) {
            all = all.unreachable(observersAndSubjects[i], observersAndSubjects[i + 1]);
        }
        return all;
    }

    @Test
    void twoThatOnlyMissEachOtherAreHeardByTheThird() {
        var cut = missing(ALPHA, BRAVO, BRAVO, ALPHA);
        for (var self : ALL) {
            var heard = new HeardNodes(self, ALL, ALL, cut);
            assertThat(heard.contains(ALPHA)).as("alpha at %s", self).isTrue();
            assertThat(heard.contains(BRAVO)).as("bravo at %s", self).isTrue();
        }
    }

    @Test
    void whoIsMissedByAllIsNot() {
        var heard = new HeardNodes(WITNESS, ALL, ALL, missing(WITNESS, ALPHA, BRAVO, ALPHA));
        assertThat(heard.contains(ALPHA)).isFalse();
        assertThat(heard.contains(BRAVO)).isTrue();
    }

    /** Also when what it said of the others just before it was cut off is known. */
    @Test
    void whoMissedOthersAndIsMissedByAllIsNot() {
        var heard =
                new HeardNodes(
                        WITNESS, ALL, ALL, missing(ALPHA, BRAVO, WITNESS, ALPHA, BRAVO, ALPHA));
        assertThat(heard.contains(ALPHA)).isFalse();
    }

    /** Their side does not have most of the voters: it has to go. */
    @Test
    void whoIsHeardOnTheSmallerSideIsNotSpared() {
        var split =
                missing(
                        ALPHA, BRAVO, ALPHA, WITNESS, CHARLIE, BRAVO, CHARLIE, WITNESS, BRAVO,
                        ALPHA);
        assertThat(new HeardNodes(CHARLIE, FOUR, ALL, split).contains(ALPHA)).isFalse();
    }

    /** Or nobody would ever agree that the third is gone. */
    @Test
    void oneEndOfTheWireGoesWithAThirdThatIsLost() {
        var cut =
                missing(
                        ALPHA, BRAVO, BRAVO, ALPHA, ALPHA, CHARLIE, BRAVO, CHARLIE, WITNESS,
                        CHARLIE);
        for (var self : ALL) {
            var heard = new HeardNodes(self, FOUR, ALL, cut);
            assertThat(heard.spares(ALPHA, true)).isTrue();
            assertThat(heard.spares(BRAVO, true)).isFalse();
            assertThat(heard.spares(WITNESS, true)).isTrue();
            assertThat(heard.spares(BRAVO, false)).isTrue();
            assertThat(heard.contains(CHARLIE)).isFalse();
        }
    }

    /** It hears nobody, so nobody of its side hears it either: it goes. */
    @Test
    void whoMissesAllIsNotHeardByItself() {
        var heard = new HeardNodes(ALPHA, ALL, ALL, missing(ALPHA, BRAVO, ALPHA, WITNESS));
        assertThat(heard.contains(ALPHA)).isFalse();
        assertThat(heard.contains(BRAVO)).isFalse();
    }

    @Test
    void theOtherSideIsNotHeardHere() {
        var split =
                missing(
                        WITNESS, ALPHA, WITNESS, CHARLIE, BRAVO, ALPHA, BRAVO, CHARLIE, ALPHA,
                        BRAVO, ALPHA, WITNESS, CHARLIE, BRAVO, CHARLIE, WITNESS);
        var heard = new HeardNodes(WITNESS, FOUR, ALL, split);
        assertThat(heard.contains(ALPHA)).isFalse();
        assertThat(heard.contains(CHARLIE)).isFalse();
        assertThat(heard.contains(BRAVO)).isTrue();
    }

    @Test
    void whoIsOnWhichSideAndWhichHasMostOfTheVoters() {
        var split =
                missing(
                        WITNESS, ALPHA, WITNESS, CHARLIE, BRAVO, ALPHA, BRAVO, CHARLIE, ALPHA,
                        BRAVO, ALPHA, WITNESS, CHARLIE, BRAVO, CHARLIE, WITNESS);
        var more = new HeardNodes(WITNESS, FOUR, ALL, split);
        assertThat(more.here()).containsExactlyInAnyOrder(WITNESS, BRAVO);
        assertThat(more.isMajority()).isTrue();
        var fewer = new HeardNodes(ALPHA, FOUR, ALL, split);
        assertThat(fewer.here()).containsExactlyInAnyOrder(ALPHA, CHARLIE);
        assertThat(fewer.isMajority()).isFalse();
    }
}
