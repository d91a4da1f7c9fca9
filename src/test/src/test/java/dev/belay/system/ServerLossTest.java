package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.TestVm;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A server loses its power, silently. */
@Tag("system")
class ServerLossTest {
    @RegisterExtension static final LabExtension LAB = new LabExtension("serverloss");

    private final Cluster cluster = new Cluster(LAB.lab());

    @Test
    void itsVmRunsOnTheOtherServerWithEveryAcknowledgedWriteAndAReport() {
        var guest = cluster.create("web", TestVm.Disk.SHARED);
        var before = cluster.server("web");
        var epoch = cluster.epoch("web");
        for (int line = 1; line <= 20; line++) {
            assertThat(guest.append("line " + line)).contains((long) line);
        }

        cluster.lab().kill(before);
        cluster.awaitNewer("web", epoch, guest);

        assertThat(cluster.server("web")).isEqualTo(cluster.other(before));
        cluster.assertOneCopy("web");
        assertThat(guest.lines()).as("lines on its disk").isEqualTo(20);
        var report = cluster.lastReport("web");
        assertThat(report.path("from").asText()).isEqualTo(before);
        assertThat(report.path("to").asText()).isEqualTo(cluster.other(before));
        assertThat(report.path("totalMs").asLong()).isPositive();
        assertThat(cluster.steps(report))
                .anyMatch(step -> step.startsWith("no heartbeats from " + before))
                .anyMatch(step -> step.startsWith("fenced " + before))
                .anyMatch(step -> step.contains("its lease was waited out"))
                .anyMatch(step -> step.startsWith("runs on " + cluster.other(before)));
        assertThat(
                        report.path("steps")
                                .valueStream()
                                .mapToLong(step -> step.path("tookMs").asLong(-1))
                                .max()
                                .orElse(-1))
                .as("an effect with its duration")
                .isPositive();

        cluster.lab().start(before);
        cluster.lab().awaitReady(before, Cluster.PATIENCE);
        assertThat(cluster.server("web"))
                .as("where it runs when the lost server is back")
                .isEqualTo(cluster.other(before));
        cluster.assertOneCopy("web");
        assertThat(cluster.vm("web").path("protection").asText()).isEqualTo("PROTECTED");
        cluster.delete("web");
    }

    @Test
    void aServerWhoseProcessesAllDiedIsFencedByWhatItsKernelRefuses() {
        var guest = cluster.createWithALine("emptied");
        var before = cluster.server("emptied");
        var epoch = cluster.epoch("emptied");

        cluster.lab().killProcesses(before);
        cluster.awaitNewer("emptied", epoch, guest);

        cluster.assertMovedForRefusals("emptied", guest, before);
        assertThat(cluster.steps(cluster.lastReport("emptied")))
                .anyMatch(step -> step.contains("nothing that Belay started lives there"))
                .anyMatch(step -> step.startsWith("fenced " + before))
                // Refusals are evidence and no proof.
                .anyMatch(step -> step.contains("its lease was waited out"));
        cluster.lab().start(before);
        cluster.lab().awaitReady(before, Cluster.PATIENCE);
        cluster.delete("emptied");
    }

    /**
     * Paused longer than any lease, it goes on as if nothing had been, but nobody hears its VM. A
     * disk of its own: a shared one stays locked by a server that is paused, and so cannot be had.
     */
    @Test
    void aServerThatIsPausedBeyondItsLeaseAndGoesOnIsMute() {
        var guest = cluster.create("pausable", TestVm.Disk.EPHEMERAL);
        var before = cluster.server("pausable");
        var epoch = cluster.epoch("pausable");
        try (var history = History.of(cluster.lab(), "pausable", guest, TestVm.Disk.EPHEMERAL)) {
            cluster.lab().pause(before);
            cluster.awaitNewer("pausable", epoch, guest);
            var bootId = guest.bootId();
            cluster.lab().resume(before);

            await().atMost(Cluster.PATIENCE)
                    .untilAsserted(() ->
                            assertThat(cluster.lab().serversRunning("pausable"))
                                    .containsExactly(cluster.other(before)));
            cluster.lab().awaitReady(before, Cluster.PATIENCE);
            assertThat(guest.bootId()).isEqualTo(bootId);
            history.check();
        }
        cluster.delete("pausable");
    }
}
