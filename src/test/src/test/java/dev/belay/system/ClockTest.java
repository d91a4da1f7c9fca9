package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.TestVm;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Wall clocks jump; leases, leashes and failure detectors do not care. */
@Tag("system")
class ClockTest {
    @RegisterExtension
    static final LabExtension LAB =
            new LabExtension("clocks", options -> options.withFakeClock(true));

    private final Cluster cluster = new Cluster(LAB.lab());

    @Test
    void nothingHappensWhenAServersClockJumpsAndFailoverStillWorks() {
        var guest = cluster.create("timeless", TestVm.Disk.SHARED);
        var epoch = cluster.epoch("timeless");
        var server = cluster.server("timeless");
        try (var history = History.of(cluster.lab(), "timeless", guest, TestVm.Disk.SHARED)) {
            for (var jump : List.of(Duration.ofHours(1), Duration.ofHours(-1))) {
                cluster.lab().clock(server, jump);
                // The jump is seen within a second; then longer than a lease.
                await("calm after a jump by " + jump)
                        .during(Duration.ofSeconds(6))
                        .atMost(Cluster.PATIENCE)
                        .until(
                                () -> List.of(cluster.epoch("timeless"), guest.bootId()),
                                new Unchanged<>());
                cluster.lab().awaitReady(Cluster.PATIENCE);
            }
            assertThat(history.boots()).isEqualTo(1);
            assertThat(cluster.epoch("timeless")).isEqualTo(epoch);

            // An hour behind, the server dies; the others' clocks are right.
            cluster.lab().kill(server);
            cluster.awaitNewer("timeless", epoch, guest);
            history.check();
        }
        // And it comes back with its wrong clock.
        cluster.lab().start(server);
        cluster.lab().awaitReady(Cluster.PATIENCE);
        cluster.assertOneCopy("timeless");
        cluster.delete("timeless");
    }
}
