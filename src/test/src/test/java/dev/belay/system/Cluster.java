package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.lab.Lab;
import dev.belay.lab.TestVm;
import java.time.Duration;
import java.util.List;

/**
 * What the tests ask of a lab's cluster, and wait for. Waits are bounded generously: they catch a
 * hang, they measure nothing.
 */
record Cluster(Lab lab) {
    static final Duration PATIENCE = Duration.ofSeconds(120);

    Guest create(String name, TestVm.Disk disk) {
        var vm = lab.vm(TestVm.of(name).withDisk(disk).withAwait(PATIENCE));
        awaitRunning(name);
        return new Guest(vm.address());
    }

    /** On a shared disk, with one acknowledged line in its file. */
    Guest createWithALine(String name) {
        var guest = create(name, TestVm.Disk.SHARED);
        assertThat(guest.append("kept")).contains(1L);
        return guest;
    }

    /** It runs once, on the other server, with its line; the report tells the node's refusals. */
    void assertMovedForRefusals(String name, Guest guest, String before) {
        assertThat(server(name)).isEqualTo(other(before));
        assertOneCopy(name);
        assertThat(guest.lines()).isEqualTo(1);
        assertThat(steps(lastReport(name)))
                .contains(
                        "connections to the node of %s are refused: its process is dead"
                                .formatted(before));
    }

    JsonNode vm(String name) {
        return lab.get("/api/v1/vms/" + name).orElseThrow();
    }

    String server(String name) {
        return vm(name).path("primary").asText();
    }

    long epoch(String name) {
        return vm(name).path("epoch").asLong();
    }

    void awaitRunning(String name) {
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .untilAsserted(
                        () -> assertThat(vm(name).path("state").asText()).isEqualTo("Running"));
    }

    void awaitAnswer(Guest guest) {
        await().atMost(PATIENCE).until(guest::answers);
    }

    /** The VM runs with a newer epoch than this, and its guest answers. */
    void awaitNewer(String name, long epoch, Guest guest) {
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    assertThat(epoch(name)).isGreaterThan(epoch);
                    assertThat(vm(name).path("state").asText()).isEqualTo("Running");
                });
        awaitAnswer(guest);
    }

    String other(String server) {
        return lab.servers().stream()
                .filter(name -> !name.equals(server))
                .findFirst()
                .orElseThrow();
    }

    /** Of the last failover. A node that is cut off, and answers first, may not know of it yet. */
    JsonNode lastReport(String name) {
        var reports =
                await().atMost(PATIENCE)
                        .ignoreExceptions()
                        .until(
                                () -> lab.get("/api/v1/vms/" + name + "/failovers").orElseThrow(),
                                told -> !told.isEmpty());
        return reports.get(reports.size() - 1);
    }

    List<String> steps(JsonNode report) {
        return report.path("steps").valueStream().map(step -> step.path("what").asText()).toList();
    }

    String journalLeader() {
        return lab.get("/api/v1/health/ready").orElseThrow().path("journalLeader").asText();
    }

    void delete(String name) {
        Api.call(lab, "DELETE", "/api/v1/vms/" + name + "?force=true", "");
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> lab.get("/api/v1/vms/" + name).isEmpty());
    }

    /** The process table's word, not Belay's: on how many servers a QEMU of the VM runs. */
    void assertOneCopy(String name) {
        assertThat(lab.serversRunning(name))
                .as("servers on which a QEMU of %s runs", name)
                .hasSize(1);
    }
}
