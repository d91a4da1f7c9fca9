package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.belay.lab.Lab;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
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
    /** Far more than any lease lasts, and than a server is given to answer. */
    private static final Duration WITHOUT_A_QUORUM = Duration.ofSeconds(12);

    private static final List<String> SERVERS = List.of("alpha", "bravo");
    private static final List<String> WITNESSES = List.of("witness", "witness2");

    /**
     * Of these four one server and both witnesses vote. Without a quorum there is nobody to say
     * which of the two goes on when they do not hear each other for a moment, on a busy machine
     * say.
     */
    @RegisterExtension
    static final LabExtension LAB =
            new LabExtension(
                    "outofreach",
                    2,
                    2,
                    options -> options.withSettings("belay.lockstep.silence = 1s"));

    private static Twin twin;
    private static Optional<String> boot;

    @BeforeAll
    static void raiseAVm() {
        twin = Twin.raise(LAB.lab());
        boot = twin.guest().bootId();
    }

    @AfterAll
    static void hangUp() {
        if (twin != null) {
            twin.close();
        }
    }

    /** The journal stands still for everybody, and goes on; the two nodes have waited for that. */
    @Test
    void aPairLivesOnWhereNobodyHasAQuorum() {
        var processes = processes();
        livesOn(() -> WITNESSES.forEach(witness -> LAB.lab().cut(witness, Lab.Direction.BOTH)));

        WITNESSES.forEach(LAB.lab()::heal);
        awaitTheOldGuest();
        assertThat(processes()).isEqualTo(processes);
    }

    /**
     * The others have a quorum, could decide, and leave it alone. They have taken the two servers
     * out of the cluster, whose nodes start anew when they hear that, both at once; the two copies
     * wait for them.
     */
    @Test
    void aPairLivesOnWhereOthersHaveTheQuorum() {
        var processes = processes();
        livesOn(() ->
                SERVERS.forEach(server ->
                        WITNESSES.forEach(
                                witness -> LAB.lab().cut(server, witness, Lab.Direction.BOTH))));

        SERVERS.forEach(LAB.lab()::heal);
        await().atMost(Cluster.PATIENCE)
                .untilAsserted(
                        () -> assertThat(processes()).doesNotContainAnyElementsOf(processes));
        awaitTheOldGuest();
    }

    private static void awaitTheOldGuest() {
        twin.awaitAllIsWell();
        twin.awaitReplies();
        twin.assertFlawless();
        assertThat(twin.guest().bootId()).isEqualTo(boot);
    }

    private static void livesOn(Runnable cut) {
        twin.awaitLockstep();
        var copies = twin.qemus();
        assertThat(copies).hasSize(2);
        await().atMost(Cluster.PATIENCE)
                .untilAsserted(() -> assertThat(copies).allMatch(OutOfReachTest::isTold));
        cut.run();
        var since = System.nanoTime();
        await().atMost(Cluster.PATIENCE)
                .until(() -> System.nanoTime() - since > WITHOUT_A_QUORUM.toNanos());
        twin.awaitReplies();
        twin.append();
        assertThat(twin.qemus()).isEqualTo(copies);
        twin.assertFlawless();
    }

    /** The nodes' on the two servers. */
    private static List<Object> processes() {
        return LAB.lab().status().nodes().stream()
                .filter(node -> SERVERS.contains(node.name()))
                .<Object>map(node -> List.of(node.name(), node.jvm()))
                .toList();
    }

    /** That lockstep is stored; each of them keeps it, as its node's process may end. */
    private static boolean isTold(Lab.Qemu copy) {
        var folder =
                LAB.lab().data(copy.node()).resolveSibling("run").resolve("vm").resolve(Twin.VM);
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
}
