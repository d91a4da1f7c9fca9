package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.Lab;
import dev.belay.lab.TestVm;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What decides dies, one part at a time, and then everything at once. */
@Tag("system")
class ControlPlaneLossTest {
    @RegisterExtension static final LabExtension LAB = new LabExtension("control");

    /** Longer than a lease, and than whoever waits it out. */
    private static final Duration WIRE_IS_CUT = Duration.ofSeconds(6);

    private final Cluster cluster = new Cluster(LAB.lab());

    /** The witness votes and is the arbiter of every VM. */
    @Test
    void nothingHappensToAVmWhenTheWitnessAndArbiterDies() {
        var guest = cluster.create("calm", TestVm.Disk.EPHEMERAL);
        var epoch = cluster.epoch("calm");
        var bootId = guest.bootId();

        cluster.lab().kill("witness");
        awaitWrites("after the witness died");
        assertThat(guest.bootId()).isEqualTo(bootId);
        assertThat(cluster.epoch("calm")).isEqualTo(epoch);

        // The decider has moved: it still answers QEMU's death.
        ProcessHandle.of(cluster.lab().qemus("calm").getFirst().pid())
                .orElseThrow()
                .destroyForcibly();
        cluster.awaitNewer("calm", epoch, guest);
        cluster.lab().start("witness");
        cluster.lab().awaitReady(Cluster.PATIENCE);
        cluster.delete("calm");
    }

    @Test
    void aVmOutlivesTheJournalsLeader() {
        var guest = cluster.create("led", TestVm.Disk.EPHEMERAL);
        var epoch = cluster.epoch("led");
        var bootId = guest.bootId();
        var leader = cluster.journalLeader();
        boolean hit = leader.equals(cluster.server("led"));

        cluster.lab().kill(leader);
        if (hit) {
            cluster.awaitNewer("led", epoch, guest);
        } else {
            awaitWrites("after the journal's leader died");
            assertThat(guest.bootId())
                    .as("boot of a VM that did not run on the leader")
                    .isEqualTo(bootId);
        }
        assertThat(cluster.journalLeader()).isNotEqualTo(leader);
        cluster.assertOneCopy("led");
        cluster.lab().start(leader);
        cluster.lab().awaitReady(Cluster.PATIENCE);
        cluster.delete("led");
    }

    /** The one that does not lead has its lease renewed by way of the witness. */
    @Test
    void aWireThatIsCutToTheJournalsLeaderCostsNoVm() {
        // So that a server leads, and keeps that.
        cluster.lab().kill("witness");
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .until(() -> cluster.lab().servers().contains(cluster.journalLeader()));
        cluster.lab().start("witness");
        cluster.lab().awaitReady(Cluster.PATIENCE);
        var vms = List.of("here", "there");
        for (var vm : vms) {
            cluster.lab().vm(TestVm.of(vm).withoutGuest());
            cluster.awaitRunning(vm);
        }
        assertThat(cluster.server("here")).isNotEqualTo(cluster.server("there"));
        var running = qemus(vms);
        assertThat(cluster.journalLeader()).isIn(cluster.lab().servers());

        cluster.lab().cut("alpha", "bravo", Lab.Direction.BOTH);
        await().during(WIRE_IS_CUT)
                .atMost(Cluster.PATIENCE)
                .untilAsserted(() -> assertThat(qemus(vms)).isEqualTo(running));
        cluster.lab().heal("alpha");
        cluster.lab().awaitReady(Cluster.PATIENCE);
        assertThat(qemus(vms)).isEqualTo(running);
        vms.forEach(cluster::delete);
    }

    private Map<String, List<Lab.Qemu>> qemus(List<String> vms) {
        return vms.stream().collect(Collectors.toMap(vm -> vm, cluster.lab()::qemus));
    }

    @Test
    void vmsStartByThemselvesAfterTheWholeClusterWasOff() {
        var guest = cluster.create("phoenix", TestVm.Disk.SHARED);
        assertThat(guest.append("before the power cut")).contains(1L);
        var epoch = cluster.epoch("phoenix");

        cluster.lab().nodes().forEach(cluster.lab()::kill);
        assertThat(cluster.lab().serversRunning("phoenix")).isEmpty();
        cluster.lab().nodes().forEach(cluster.lab()::start);
        cluster.lab().awaitReady(Cluster.PATIENCE);

        cluster.awaitNewer("phoenix", epoch, guest);
        assertThat(guest.lines()).isEqualTo(1);
        cluster.assertOneCopy("phoenix");
        cluster.delete("phoenix");
    }

    /** A decision goes through: a VM that no server can take is created, and removed again. */
    private void awaitWrites(String when) {
        await(when)
                .atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .until(() ->
                        Api.call(cluster.lab(), "POST", "/api/v1/vms?start=false", spec("probe"))
                                        .status()
                                == 201);
        Api.call(cluster.lab(), "DELETE", "/api/v1/vms/probe", "");
    }

    static String spec(String name) {
        return """
        {"name": "%s", "cpus": 1, "memoryMiB": 64, "disks": [{"name": "root", "kind": "ephemeral", "sizeMiB": 8}]}
        """
                .formatted(name);
    }
}
