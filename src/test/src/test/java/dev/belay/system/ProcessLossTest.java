package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.TestVm;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A process on a server dies: the node's JVM, QEMU, or the guest's kernel inside of it.
 *
 * <p>A lease that also covers the start of a JVM on a machine that is busy with something else: how
 * fast that start is, and that the default lease covers it, is for the benchmark to say.
 */
@Tag("system")
class ProcessLossTest {
    @RegisterExtension
    static final LabExtension LAB =
            new LabExtension(
                    "processloss",
                    options ->
                            options.withSettings(
                                    "belay { lease.duration = 12s, membership.confirm-refused = 11s }"));

    private final Cluster cluster = new Cluster(LAB.lab());

    @Test
    void aVmRunsOnWhileItsNodesProcessDiesAndIsAdopted() {
        var guest = cluster.create("adopted", TestVm.Disk.EPHEMERAL);
        var server = cluster.server("adopted");
        var epoch = cluster.epoch("adopted");
        var bootId = guest.bootId();
        var qemu = cluster.lab().qemus("adopted");

        cluster.lab().crash(server);
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .until(() ->
                        cluster.lab().lastLogLines(server, 400).stream()
                                .anyMatch(line ->
                                        line.contains("found adopted e" + epoch)
                                                && line.contains("running")));
        cluster.lab().awaitReady(server, Cluster.PATIENCE);

        assertThat(guest.bootId()).as("boot of the guest").isEqualTo(bootId);
        assertThat(cluster.lab().qemus("adopted")).isEqualTo(qemu);
        assertThat(cluster.epoch("adopted")).isEqualTo(epoch);
        // Adopted means watched: its death is noticed again.
        ProcessHandle.of(qemu.getFirst().pid()).orElseThrow().destroyForcibly();
        cluster.awaitNewer("adopted", epoch, guest);
        cluster.delete("adopted");
    }

    @Test
    void aNodesProcessMayDieThreeTimesInARow() {
        var guest = cluster.create("sturdy", TestVm.Disk.SHARED);
        var server = cluster.server("sturdy");
        var epoch = cluster.epoch("sturdy");
        var qemu = cluster.lab().qemus("sturdy");
        try (var history = History.of(cluster.lab(), "sturdy", guest, TestVm.Disk.SHARED)) {
            for (int crash = 1; crash <= 3; crash++) {
                cluster.lab().crash(server);
                cluster.lab().awaitReady(server, Cluster.PATIENCE);
            }

            cluster.awaitAnswer(guest);
            assertThat(cluster.lab().qemus("sturdy")).isEqualTo(qemu);
            assertThat(cluster.epoch("sturdy")).isEqualTo(epoch);
            assertThat(history.boots()).isEqualTo(1);
            history.check();
        }
        cluster.delete("sturdy");
    }

    @Test
    void aVmWhoseNodeStaysDeadRunsElsewhereOnceItsLeashHasEndedIt() {
        var guest = cluster.createWithALine("orphan");
        var server = cluster.server("orphan");
        var epoch = cluster.epoch("orphan");

        cluster.lab().crashForGood(server);
        cluster.awaitNewer("orphan", epoch, guest);

        cluster.assertMovedForRefusals("orphan", guest, server);
        // Whether its leash or the patience with its node ended first: the report says what was
        // seen.
        assertThat(cluster.steps(cluster.lastReport("orphan")))
                .anyMatch(step ->
                        step.contains("its leashes accept connections")
                                || step.contains("nothing that Belay started lives there"));
        cluster.lab().start(server);
        cluster.lab().awaitReady(server, Cluster.PATIENCE);
        cluster.delete("orphan");
    }

    @Test
    void aVmWhoseQemuDiesStartsAgainOnTheSameServer() {
        var guest = cluster.createWithALine("killed");
        var server = cluster.server("killed");
        var epoch = cluster.epoch("killed");

        ProcessHandle.of(cluster.lab().qemus("killed").getFirst().pid())
                .orElseThrow()
                .destroyForcibly();
        cluster.awaitNewer("killed", epoch, guest);

        assertThat(cluster.server("killed")).isEqualTo(server);
        assertThat(guest.lines()).isEqualTo(1);
        assertThat(cluster.lastReport("killed").path("cause").asText()).contains("QEMU ended");
        cluster.assertOneCopy("killed");
        cluster.delete("killed");
    }

    @Test
    void aVmWhoseKernelPanicsStartsAgain() {
        var guest = cluster.create("panics", TestVm.Disk.EPHEMERAL);
        var epoch = cluster.epoch("panics");
        var bootId = guest.bootId();

        guest.panic();
        cluster.awaitNewer("panics", epoch, guest);

        assertThat(guest.bootId()).isNotEqualTo(bootId);
        assertThat(cluster.lastReport("panics").path("cause").asText()).contains("panicked");
        cluster.delete("panics");
    }

    @Test
    void aStoppedVmStaysStoppedAndStartsWhenToldTo() {
        var guest = cluster.create("stopped", TestVm.Disk.EPHEMERAL);
        Api.call(cluster.lab(), "POST", "/api/v1/vms/stopped/stop", "");
        await().atMost(Cluster.PATIENCE)
                .until(() -> cluster.vm("stopped").path("state").asText().equals("Stopped"));
        assertThat(cluster.lab().serversRunning("stopped")).isEmpty();

        Api.call(cluster.lab(), "POST", "/api/v1/vms/stopped/start", "");
        cluster.awaitRunning("stopped");
        await().atMost(Duration.ofSeconds(120)).until(guest::answers);
        cluster.delete("stopped");
    }
}
