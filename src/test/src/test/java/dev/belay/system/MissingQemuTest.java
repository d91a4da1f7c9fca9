package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Servers whose QEMU is not where their configuration says. */
@Tag("system")
class MissingQemuTest {
    @RegisterExtension
    static final LabExtension LAB =
            new LabExtension("noqemu", Map.of("BELAY_QEMU", "/no/such/qemu-system-x86_64"));

    private final Cluster cluster = new Cluster(LAB.lab());

    @Test
    void theServersSayItAndAVmThatNoneOfThemCanRunIsRefused() {
        await().atMost(Cluster.PATIENCE)
                .untilAsserted(() ->
                        assertThat(cluster.lab().lastLogLines("alpha", 400))
                                .anyMatch(line ->
                                        line.contains("this server cannot run VMs")
                                                && line.contains("/no/such/qemu-system")));

        var answer =
                Api.call(
                        cluster.lab(),
                        "POST",
                        "/api/v1/vms",
                        ControlPlaneLossTest.spec("hopeless"));

        assertThat(answer.status()).isEqualTo(422);
        assertThat(answer.body().toString())
                .contains("alpha", "bravo", "QEMU is missing", "/no/such/qemu-system", "Install");
        assertThat(cluster.lab().get("/api/v1/vms/hopeless")).as("nothing changed").isEmpty();
        assertThat(cluster.lab().status().isReady()).isTrue();
    }
}
