package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.Lab;
import dev.belay.lab.TestVm;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A server is there, but cannot be told from one that is not. One VM lives through all of it, and
 * its whole history is held against the one rule: never two active copies, no acknowledged write
 * lost.
 */
@Tag("system")
class LinkFaultTest {
    private static final String VM = "watched";

    /** Servers that are lost over and over are to be used over and over, without quarantine. */
    @RegisterExtension
    static final LabExtension LAB =
            new LabExtension(
                    "linkfaults", options -> options.withSettings("belay.calm.cool-down = 1s"));

    private static Cluster cluster;
    private static Guest guest;
    private static History history;

    @BeforeAll
    static void watchAVm() {
        cluster = new Cluster(LAB.lab());
        guest = cluster.create(VM, TestVm.Disk.SHARED);
        history = History.of(LAB.lab(), VM, guest, TestVm.Disk.SHARED);
    }

    @AfterEach
    void allIsCalmAgainAndTheHistoryIsRight() {
        cluster.lab().servers().forEach(cluster.lab()::heal);
        cluster.lab().awaitReady(Cluster.PATIENCE);
        cluster.awaitRunning(VM);
        cluster.awaitAnswer(guest);
        await().atMost(Cluster.PATIENCE)
                .untilAsserted(() ->
                        assertThat(cluster.lab().serversRunning(VM))
                                .containsExactly(cluster.server(VM)));
        history.check();
    }

    @AfterAll
    static void close() {
        history.close();
    }

    @ParameterizedTest
    @EnumSource(Lab.Direction.class)
    void aServerThatIsCutOffLosesItsVmToTheOther(Lab.Direction direction) {
        var before = cluster.server(VM);
        var epoch = cluster.epoch(VM);

        cluster.lab().cut(before, direction);
        cluster.awaitNewer(VM, epoch, guest);
        assertThat(cluster.server(VM)).isEqualTo(cluster.other(before));
        assertThat(cluster.lab().serversRunning(VM)).containsExactly(cluster.other(before));

        cluster.lab().heal(before);
        cluster.lab().awaitReady(before, Cluster.PATIENCE);
        assertThat(cluster.server(VM)).isEqualTo(cluster.other(before));
    }

    @Test
    void linksThatFlapForAMinuteLeaveAClusterThatCalmsDown() {
        var flapping =
                cluster.lab().servers().stream()
                        .map(server ->
                                CompletableFuture.runAsync(
                                        () ->
                                                cluster.lab()
                                                        .flap(
                                                                server,
                                                                Duration.ofSeconds(1),
                                                                Duration.ofMinutes(1)),
                                        Thread::startVirtualThread))
                        .toList();
        CompletableFuture.allOf(flapping.toArray(CompletableFuture[]::new)).join();

        cluster.lab().awaitReady(Cluster.PATIENCE);
        cluster.awaitRunning(VM);
        cluster.awaitAnswer(guest);
        await("no more decisions")
                .during(Duration.ofSeconds(8))
                .atMost(Cluster.PATIENCE)
                .until(() -> List.of(cluster.epoch(VM), guest.bootId()), new Unchanged<>());
    }
}
