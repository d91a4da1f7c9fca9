package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.belay.lab.Lab;
import dev.belay.lab.SteadyClient;
import dev.belay.lab.TestVm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Both servers of a pair lose the quorum, and not each other. The halves live by each other's word:
 * who holds a connection to the guest notices nothing, and nobody else starts it.
 */
@Tag("system")
class OutOfReachTest {
    private static final String VM = "twin";

    /** Far more than any lease lasts, and than a server is given to answer. */
    private static final Duration WITHOUT_A_QUORUM = Duration.ofSeconds(12);

    private static final List<String> SERVERS = List.of("alpha", "bravo");
    private static final List<String> WITNESSES = List.of("witness", "witness2");

    /** Of these four one server and both witnesses vote. */
    @RegisterExtension
    static final LabExtension LAB = new LabExtension("outofreach", 2, 2, options -> options);

    private static Cluster cluster;
    private static Guest guest;
    private static SteadyClient client;

    @BeforeAll
    static void raiseAVm() {
        cluster = new Cluster(LAB.lab());
        var vm =
                cluster.lab()
                        .vm(
                                TestVm.of(VM)
                                        .withLevel("SYSTEM")
                                        .withDisk(TestVm.Disk.MIRRORED)
                                        .withAwait(Cluster.PATIENCE));
        guest = new Guest(vm.address(), (int) Cluster.PATIENCE.toMillis());
        awaitLockstep();
        client = new SteadyClient(vm.address());
    }

    @AfterAll
    static void hangUp() {
        if (client != null) {
            client.close();
        }
    }

    /** The journal stands still for everybody, and goes on as if nothing had been. */
    @Test
    void aPairLivesOnWhereNobodyHasAQuorum() {
        var before = cluster.vm(VM);
        livesOn(() -> WITNESSES.forEach(witness -> LAB.lab().cut(witness, Lab.Direction.BOTH)));

        WITNESSES.forEach(LAB.lab()::heal);
        LAB.lab().awaitReady(Cluster.PATIENCE);
        awaitLockstep();
        awaitReplies();
        var after = cluster.vm(VM);
        assertThat(after.path("epoch")).isEqualTo(before.path("epoch"));
        assertThat(after.path("primary")).isEqualTo(before.path("primary"));
        assertThat(client.seen()).matches(SteadyClient.Seen::isFlawless);
        assertThat(guest.append("with a quorum again")).isPresent();
    }

    /**
     * The others have a quorum, could decide, and leave it alone. They have taken the two servers
     * out of the cluster, whose nodes start anew when they hear that.
     */
    @Test
    void aPairLivesOnWhereOthersHaveTheQuorum() {
        var boot = guest.bootId().orElseThrow();
        livesOn(() ->
                SERVERS.forEach(server ->
                        WITNESSES.forEach(
                                witness -> LAB.lab().cut(server, witness, Lab.Direction.BOTH))));

        SERVERS.forEach(LAB.lab()::heal);
        LAB.lab().awaitReady(Cluster.PATIENCE);
        awaitLockstep();
        awaitReplies();
        assertThat(client.seen()).matches(SteadyClient.Seen::isFlawless);
        assertThat(guest.append("in the cluster again")).isPresent();
        assertThat(guest.bootId().orElseThrow()).isEqualTo(boot);
    }

    private static void livesOn(Runnable cut) {
        var copies = LAB.lab().qemus(VM);
        assertThat(copies).hasSize(2);
        await().atMost(Cluster.PATIENCE)
                .untilAsserted(() -> assertThat(copies).allMatch(OutOfReachTest::isTold));
        cut.run();
        var since = System.nanoTime();
        await().atMost(Cluster.PATIENCE)
                .until(() -> System.nanoTime() - since > WITHOUT_A_QUORUM.toNanos());
        awaitReplies();
        assertThat(guest.append("without a quorum")).isPresent();
        assertThat(LAB.lab().qemus(VM)).isEqualTo(copies);
        assertThat(client.seen()).matches(SteadyClient.Seen::isFlawless);
    }

    /** That lockstep is stored; each of them keeps it, as its node's process may end. */
    private static boolean isTold(Lab.Qemu copy) {
        var folder = LAB.lab().data(copy.node()).resolveSibling("run").resolve("vm").resolve(VM);
        try (var files = Files.walk(folder)) {
            return files.filter(file -> file.endsWith("pair.json"))
                    .map(OutOfReachTest::read)
                    .anyMatch(state -> state.path("stored").asBoolean());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonNode read(Path file) {
        try {
            return new ObjectMapper().readTree(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void awaitReplies() {
        long before = client.seen().replies();
        await().atMost(Duration.ofSeconds(30)).until(() -> client.seen().replies() > before + 20);
    }

    private static void awaitLockstep() {
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() ->
                        assertThat(cluster.vm(VM).path("state").asText()).isEqualTo("Lockstep"));
    }
}
