package dev.belay.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LabPlanTest {
    @Test
    void theSmallestClusterIsTwoServersAndAWitnessAndAllOfThemVote() {
        var nodes = LabPlan.nodes(2, 1);

        assertThat(nodes)
                .containsExactly(
                        new LabPlan.Planned("alpha", LabPlan.Role.SERVER, true, 0),
                        new LabPlan.Planned("bravo", LabPlan.Role.SERVER, true, 1),
                        new LabPlan.Planned("witness", LabPlan.Role.WITNESS, true, 2));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 0, alpha",
        "2, 0, alpha bravo",
        "3, 0, alpha bravo charlie",
        "3, 1, alpha bravo witness",
        "4, 0, alpha bravo charlie",
        "4, 1, alpha bravo charlie delta witness",
        "2, 2, alpha witness witness2",
        "10, 1, alpha bravo charlie delta witness",
        "1, 5, witness witness2 witness3 witness4 witness5",
    })
    void threeOrFiveVoteWhereThereAreMoreAndWitnessesComeFirst(
            int servers, int witnesses, String voters) {
        var names =
                LabPlan.nodes(servers, witnesses).stream()
                        .filter(LabPlan.Planned::voter)
                        .map(LabPlan.Planned::name)
                        .toList();

        assertThat(names).containsExactlyInAnyOrder(voters.split(" "));
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "11, 1", "2, -1", "2, 6"})
    void aSizeThatCannotBeIsRefused(int servers, int witnesses) {
        assertThatThrownBy(() -> LabPlan.nodes(servers, witnesses))
                .isInstanceOf(LabException.class)
                .hasMessageContaining("a lab has");
    }

    @Test
    void everyLabHasItsOwnNetworks() {
        assertThat(LabPlan.clusterAddress(7, 0)).isEqualTo("10.90.7.11");
        assertThat(LabPlan.clientAddress(7, 2)).isEqualTo("10.91.7.13");
        assertThat(LabPlan.gateway(7)).isEqualTo("10.91.7.1");
        assertThat(LabPlan.mac(7, 1, 2)).isEqualTo("02:be:1a:07:01:0d");
    }

    @Test
    void guestsGetTheLowestFreeAddress() {
        assertThat(LabPlan.freeGuestAddress(3, List.of())).isEqualTo("10.91.3.101");
        assertThat(LabPlan.freeGuestAddress(3, List.of("10.91.3.101", "10.91.3.103")))
                .isEqualTo("10.91.3.102");
    }

    @Test
    void labsGetTheLowestFreeNumber() {
        assertThat(LabPlan.freeNumber(List.of())).isZero();
        assertThat(LabPlan.freeNumber(List.of(0, 1, 3))).isEqualTo(2);
        var all = java.util.stream.IntStream.rangeClosed(0, 99).boxed().toList();
        assertThatThrownBy(() -> LabPlan.freeNumber(all)).isInstanceOf(LabException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Lab", "1st", "a b", "a/b", "..", "a-", "abcdefghijklmnopqrstu"})
    void aNameThatIsNoPartOfAFileNameIsRefused(String name) {
        assertThatThrownBy(() -> LabPlan.checkedLabName(name)).isInstanceOf(LabException.class);
    }

    @Test
    void interfaceNamesFitTheKernel() {
        var longest = 15;
        assertThat(LabPlan.uplink(99, 14)).hasSizeLessThanOrEqualTo(longest);
        for (var node : LabPlan.nodes(10, 5)) {
            assertThat(LabPlan.port(node.name())).hasSizeLessThanOrEqualTo(longest);
            // Namespaces are told apart by what comes after the last '-'.
            assertThat(node.name()).doesNotContain("-");
        }
    }
}
