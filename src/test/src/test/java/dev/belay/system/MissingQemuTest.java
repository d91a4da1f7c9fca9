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
    void theServerSaysItAndAVmPausesAndTheJournalSaysWhy() {
        await().atMost(Cluster.PATIENCE)
                .untilAsserted(() ->
                        assertThat(cluster.lab().lastLogLines("alpha", 400))
                                .anyMatch(line ->
                                        line.contains("this server cannot run VMs")
                                                && line.contains("/no/such/qemu-system")));
        Api.call(cluster.lab(), "POST", "/api/v1/vms", ControlPlaneLossTest.spec("hopeless"));
        await("a pause instead of tries without end")
                .atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() ->
                        assertThat(cluster.vm("hopeless").path("explanation").asText())
                                .contains("times in a row", "after a pause"));
        var events = cluster.lab().get("/api/v1/events?max=1000").orElseThrow().path("events");
        assertThat(events)
                .as("what the journal says of the VM")
                .anyMatch(event ->
                        event.path("name").asText().equals("hopeless")
                                && event.toString().contains("/no/such/qemu-system"));
        assertThat(cluster.lab().status().isReady()).isTrue();
        cluster.delete("hopeless");
    }
}
