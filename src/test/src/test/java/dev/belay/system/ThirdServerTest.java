package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.Lab;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A VM on two of three servers: whatever one of the two suffers, the VM goes on on the other, and
 * is on the third as well before the lost one is back. All on one TCP connection.
 */
@Tag("system")
class ThirdServerTest {
    /** Servers that are lost over and over are to be used over and over, without quarantine. */
    @RegisterExtension
    static final LabExtension LAB =
            new LabExtension(
                    "third", 3, 1, options -> options.withSettings("belay.calm.cool-down = 1s"));

    private static Twin twin;

    @BeforeAll
    static void raiseAVm() {
        twin = Twin.raise(LAB.lab());
    }

    @AfterAll
    static void hangUp() {
        if (twin != null) {
            twin.close();
        }
    }

    @AfterEach
    void nothingWasNoticedAndAllIsProtectedAgain() {
        twin.awaitAllIsWell();
        twin.assertFlawless();
    }

    @Test
    void bothServersThatItWasOnMayBeLostOneAfterTheOther() {
        var first = twin.primary();
        var second = twin.secondary();
        var third = third();

        twin.goesUnnoticed(() -> LAB.lab().kill(first), second);
        awaitLockstepOn(second, third);
        // Without it no majority would be left: of the three servers two have a vote.
        LAB.lab().start(first);
        LAB.lab().awaitReady(first, Cluster.PATIENCE);
        awaitLockstepOn(second, third);

        twin.goesUnnoticed(() -> LAB.lab().kill(second), third);
    }

    @Test
    void aServerThatHangsIsLeftBehind() {
        var hung = twin.primary();
        var survivor = twin.secondary();
        var third = third();
        var loser = twin.qemu(hung);
        try (var gates = new OpenGates(LAB.lab(), Twin.VM)) {
            twin.goesUnnoticed(() -> LAB.lab().pause(hung), survivor);
            awaitLockstepOn(survivor, third);
            LAB.lab().resume(hung);
            Twin.awaitKilled(loser);
            gates.check();
        }
    }

    @Test
    void aServerWhoseProcessesAllDieIsNotMissed() {
        var emptied = twin.primary();
        var survivor = twin.secondary();
        var third = third();
        twin.goesUnnoticed(() -> LAB.lab().killProcesses(emptied), survivor);
        awaitLockstepOn(survivor, third);
    }

    @Test
    void theServerOfTheSecondCopyIsCutOff() {
        var survivor = twin.primary();
        var cut = twin.secondary();
        var third = third();
        var loser = twin.qemu(cut);
        twin.goesUnnoticed(() -> LAB.lab().cut(cut, Lab.Direction.BOTH), survivor);
        Twin.awaitKilled(loser);
        awaitLockstepOn(survivor, third);
        LAB.lab().heal(cut);
    }

    @Test
    void aNodesProcessThatDiesIsLeftBehindWithItsCopy() {
        var crashed = twin.primary();
        twin.goesUnnoticed(() -> LAB.lab().crash(crashed), twin.secondary());
    }

    /** The one server that the VM is not on. */
    private static String third() {
        return LAB.lab().servers().stream()
                .filter(server -> !server.equals(twin.primary()))
                .filter(server -> !server.equals(twin.secondary()))
                .findFirst()
                .orElseThrow();
    }

    /** Whichever of them is the first by then. */
    private static void awaitLockstepOn(String... servers) {
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    var vm = twin.view();
                    assertThat(vm.path("state").asText()).isEqualTo("Lockstep");
                    assertThat(List.of(vm.path("primary").asText(), vm.path("secondary").asText()))
                            .containsExactlyInAnyOrder(servers);
                });
    }
}
