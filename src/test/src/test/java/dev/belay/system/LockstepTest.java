package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.Lab;
import dev.belay.lab.SteadyClient;
import dev.belay.lab.TestVm;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A VM on two servers. Whatever is lost, somebody who holds one TCP connection through all of it
 * gets every reply, once, and no acknowledged line is lost.
 */
@Tag("system")
class LockstepTest {
    private static final String VM = "twin";

    /** Servers that are lost over and over are to be used over and over, without quarantine. */
    @RegisterExtension
    static final LabExtension LAB =
            new LabExtension(
                    "lockstep", options -> options.withSettings("belay.calm.cool-down = 1s"));

    /** More than a server that answers without joining is given until it counts as lost. */
    private static final Duration WIRE_IS_CUT = Duration.ofSeconds(20);

    /** What lockstep does not compare, IPv6 say. */
    private static final String HELD_BACK = "ether type != ";

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

    @AfterEach
    void nothingWasNoticedAndAllIsProtectedAgain() {
        LAB.lab().servers().forEach(LAB.lab()::start);
        LAB.lab().awaitReady(Cluster.PATIENCE);
        awaitLockstep();
        assertThat(guest.append("after")).isPresent();
    }

    @Test
    void aPowerCutOfEitherServerGoesUnnoticed() {
        for (int cut = 1; cut <= 2; cut++) {
            var dead = cluster.server(VM);
            goesUnnoticed(() -> cluster.lab().kill(dead), cluster.other(dead));
            cluster.lab().start(dead);
            cluster.lab().awaitReady(dead, Cluster.PATIENCE);
            awaitLockstep();
        }
        var second = cluster.other(cluster.server(VM));
        goesUnnoticed(() -> cluster.lab().kill(second), cluster.server(VM));
    }

    @Test
    void fiveQemusDieInARowOnOneConnection() {
        for (int death = 1; death <= 5; death++) {
            var primary = cluster.server(VM);
            var victim = death % 2 == 1 ? primary : cluster.other(primary);
            goesUnnoticed(() -> signal(victim, "KILL"), cluster.other(victim));
            awaitLockstep();
        }
    }

    @Test
    void aQemuThatHangsIsLeftBehind() {
        var primary = cluster.server(VM);
        goesUnnoticed(() -> signal(primary, "STOP"), cluster.other(primary));
    }

    @Test
    void twoThatLoseEachOtherAreOneAfterwards() {
        var primary = cluster.server(VM);
        goesUnnoticed(() -> cluster.lab().cut(primary, Lab.Direction.BOTH), "");
        cluster.lab().heal(primary);
    }

    /** Both live, both hear the quorum and both ask to go on. */
    @Test
    void twoThatOnlyDoNotHearEachOtherAreOneAfterwards() {
        awaitLeaderAmong(List.of("witness"));
        var primary = cluster.server(VM);
        var before = cluster.vm(VM).path("failovers").asInt();
        var lives = lives();
        goesUnnoticed(
                () -> {
                    cluster.lab().cut(primary, cluster.other(primary), Lab.Direction.BOTH);
                    await().atMost(Cluster.PATIENCE)
                            .ignoreExceptions()
                            .until(() -> cluster.vm(VM).path("failovers").asInt() > before);
                },
                "");
        // Each is heard by the witness, so nobody is lost, however long it takes.
        await().during(WIRE_IS_CUT)
                .atMost(Cluster.PATIENCE)
                .untilAsserted(() -> assertThat(lives()).isEqualTo(lives));
        assertThat(client.seen()).matches(SteadyClient.Seen::isFlawless);
        cluster.lab().heal(primary);
    }

    /** The process of each node, and the life of each server. */
    private static List<Object> lives() {
        return cluster.lab().status().nodes().stream()
                .<Object>map(node ->
                        List.of(
                                node.name(),
                                node.jvm(),
                                LAB.lab()
                                        .get("/api/v1/servers/" + node.name())
                                        .orElseThrow()
                                        .path("incarnation")
                                        .asText()))
                .toList();
    }

    @Test
    void theLevelChangesAndTheGuestMovesUnderAConnection() {
        var primary = cluster.server(VM);
        assertThat(gate(primary)).contains(HELD_BACK);
        goesUnnoticed(() -> post("/protect?level=restart"), primary);
        await().atMost(Cluster.PATIENCE).untilAsserted(() -> cluster.assertOneCopy(VM));
        assertThat(cluster.vm(VM).path("state").asText()).isEqualTo("Running");
        await().atMost(Cluster.PATIENCE)
                .untilAsserted(() ->
                        assertThat(gate(primary))
                                .contains("iifname @open accept")
                                .doesNotContain(HELD_BACK));
        post("/protect?level=system");
        awaitLockstep();
        goesUnnoticed(() -> post("/switchover"), cluster.other(primary));
    }

    /** The rules for what guests send there. */
    private static String gate(String server) {
        try {
            var nft =
                    new ProcessBuilder(
                                    "ip",
                                    "netns",
                                    "exec",
                                    LAB.lab().namespace(server),
                                    "nft",
                                    "list",
                                    "ruleset")
                            .start();
            return new String(nft.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        } catch (java.io.IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theServerOfThePrimaryIsEmptiedUnderAConnection() {
        var emptied = cluster.server(VM);
        goesUnnoticed(() -> tell(emptied, "/maintenance"), cluster.other(emptied));
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    var maintenance = server(emptied).path("maintenance");
                    assertThat(maintenance.path("empty").asBoolean())
                            .as("%s", maintenance)
                            .isTrue();
                    assertThat(maintenance.path("unprotected").path(0).asText()).isEqualTo(VM);
                });
        cluster.assertOneCopy(VM);
        assertThat(cluster.vm(VM).path("protection").asText()).isEqualTo("DEGRADED");
        assertThat(cluster.vm(VM).path("explanation").asText())
                .contains("belay server activate " + emptied);

        goesUnnoticed(
                () -> {
                    LAB.lab().kill(emptied);
                    LAB.lab().start(emptied);
                    LAB.lab().awaitReady(emptied, Cluster.PATIENCE);
                },
                cluster.other(emptied));
        assertThat(server(emptied).path("state").asText()).isEqualTo("maintenance");

        goesUnnoticed(
                () -> {
                    tell(emptied, "/activate");
                    awaitLockstep();
                },
                cluster.other(emptied));
    }

    /** Then the loss of either needs no election before the other one goes on. */
    @Test
    void theJournalIsLedFromNeitherOfItsServers() {
        // So that one of them leads first, and keeps that when the witness is back.
        LAB.lab().kill("witness");
        try {
            awaitLeaderAmong(LAB.lab().servers());
        } finally {
            LAB.lab().start("witness");
        }
        LAB.lab().awaitReady(Cluster.PATIENCE);
        awaitLeaderAmong(List.of("witness"));
        assertThat(guest.append("line")).isPresent();
    }

    /** For long: one that handed over before rests first. */
    private static void awaitLeaderAmong(List<String> nodes) {
        await().atMost(Cluster.PATIENCE.multipliedBy(2))
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(cluster.journalLeader()).isIn(nodes));
    }

    private static void tell(String server, String what) {
        assertThat(Api.call(LAB.lab(), "POST", "/api/v1/servers/" + server + what, "").status())
                .isEqualTo(202);
    }

    private static com.fasterxml.jackson.databind.JsonNode server(String name) {
        return cluster.lab().get("/api/v1/servers/" + name).orElseThrow();
    }

    /**
     * @param survivor where it must run afterwards; empty: on either
     */
    private static void goesUnnoticed(Runnable event, String survivor) {
        long before = lines();
        var seen = client.seen();
        event.run();
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    var vm = cluster.vm(VM);
                    assertThat(vm.path("state").asText()).isIn("Running", "Raising", "Lockstep");
                    assertThat(vm.path("primary").asText())
                            .matches(primary -> survivor.isEmpty() || primary.equals(survivor));
                    assertThat(client.seen().replies()).isGreaterThan(seen.replies() + 20);
                });
        assertThat(client.seen())
                .as("what the client of %s saw", VM)
                .matches(SteadyClient.Seen::isFlawless);
        assertThat(guest.append("line")).as("number of the next line").contains(before + 1);
    }

    private static long lines() {
        return guest.append("line").orElseThrow();
    }

    private static void awaitLockstep() {
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    assertThat(cluster.vm(VM).path("state").asText()).isEqualTo("Lockstep");
                    assertThat(cluster.vm(VM).path("protection").asText()).isEqualTo("PROTECTED");
                });
    }

    private static void post(String what) {
        assertThat(Api.call(LAB.lab(), "POST", "/api/v1/vms/" + VM + what, "").status())
                .isEqualTo(202);
    }

    private static void signal(String server, String signal) {
        var pid =
                LAB.lab().qemus(VM).stream()
                        .filter(qemu -> qemu.node().equals(server))
                        .findFirst()
                        .orElseThrow()
                        .pid();
        try {
            assertThat(
                            new ProcessBuilder("kill", "-" + signal, Long.toString(pid))
                                    .start()
                                    .waitFor())
                    .isZero();
        } catch (java.io.IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
