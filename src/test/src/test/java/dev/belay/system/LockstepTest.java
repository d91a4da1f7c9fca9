package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.Lab;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
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
    private static final String VM = Twin.VM;

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
    private static Twin twin;

    @BeforeAll
    static void raiseAVm() {
        cluster = new Cluster(LAB.lab());
        twin = Twin.raise(LAB.lab());
    }

    @AfterAll
    static void hangUp() {
        if (twin != null) {
            twin.close();
        }
    }

    @AfterEach
    void nothingWasNoticedAndAllIsProtectedAgain() {
        twin.awaitAllIsWell();
    }

    @Test
    void aPowerCutOfEitherServerGoesUnnoticed() {
        for (int cut = 1; cut <= 2; cut++) {
            var dead = twin.primary();
            twin.goesUnnoticed(() -> cluster.lab().kill(dead), cluster.other(dead));
            cluster.lab().start(dead);
            cluster.lab().awaitReady(dead, Cluster.PATIENCE);
            twin.awaitLockstep();
        }
        var second = cluster.other(twin.primary());
        twin.goesUnnoticed(() -> cluster.lab().kill(second), twin.primary());
    }

    @Test
    void fiveQemusDieInARowOnOneConnection() {
        for (int death = 1; death <= 5; death++) {
            var primary = twin.primary();
            var victim = death % 2 == 1 ? primary : cluster.other(primary);
            twin.goesUnnoticed(() -> twin.signal(victim, "KILL"), cluster.other(victim));
            twin.awaitLockstep();
        }
    }

    /** Most deaths come in the middle of a checkpoint, as there is hardly anything else. */
    @Test
    void qemusMayDieWhileCheckpointsComeThick() {
        var lines = twin.append();
        try (var writer = new Chatter(twin.address(), 8);
                // What port 9 replies differs between the copies, so each reply is a checkpoint.
                var different = new Chatter(twin.address(), 9)) {
            for (int death = 1; death <= 3; death++) {
                var before = different.count();
                await().atMost(Cluster.PATIENCE).until(() -> different.count() > before + 10);
                var primary = twin.primary();
                twin.goesOn(() -> twin.signal(primary, "KILL"), cluster.other(primary));
                twin.awaitLockstep();
            }
            await().atMost(Cluster.PATIENCE)
                    .ignoreExceptions()
                    .until(() -> twin.view().path("lockstep").path("diverged").asInt() > 10);
            different.finish();
            var written = writer.finish();
            assertThat(written)
                    .as("numbers of the lines on its disk, each the next")
                    .isNotEmpty()
                    .isEqualTo(
                            LongStream.rangeClosed(lines + 1, lines + written.size())
                                    .mapToObj(Long::toString)
                                    .toList());
            assertThat(twin.guest().lines()).isEqualTo(lines + written.size());
        }
    }

    /** Until lockstep is reached the second copy is worth nothing: the guest boots anew. */
    @Test
    void aQemuThatDiesInTheMiddleOfARaiseIsRaisedAgain() {
        lower();
        var lines = twin.append();
        var boot = twin.guest().bootId();
        try (var gates = new OpenGates(LAB.lab(), VM)) {
            post("/protect?level=system");
            await().atMost(Cluster.PATIENCE)
                    .pollInterval(Duration.ofMillis(10))
                    .ignoreExceptions()
                    .until(() -> twin.view().path("progress").path("percent").asInt() > 0);
            twin.signal(twin.primary(), "KILL");
            await().atMost(Cluster.PATIENCE)
                    .until(twin.guest()::bootId, now -> now.isPresent() && !now.equals(boot));
            assertThat(twin.append()).as("number of the next line").isEqualTo(lines + 1);
            twin.awaitLockstep();
            gates.check();
        }
        twin.connectAnew();
        // It may have been raised while it booted, which an emulated second copy does not survive.
        twin.goesUnnoticed(
                () -> {
                    lower();
                    post("/protect?level=system");
                },
                twin.primary());
    }

    @Test
    void aQemuThatHangsIsLeftBehind() {
        var primary = twin.primary();
        twin.goesUnnoticed(() -> twin.signal(primary, "STOP"), cluster.other(primary));
    }

    @Test
    void twoThatLoseEachOtherAreOneAfterwards() {
        var primary = twin.primary();
        var secondary = twin.secondary();
        var loser = twin.qemu(primary);
        var winner = twin.qemu(secondary);
        try (var gates = new OpenGates(LAB.lab(), VM)) {
            twin.goesUnnoticed(() -> cluster.lab().cut(primary, Lab.Direction.BOTH), secondary);
            // Nobody can tell it: it ends by itself.
            Twin.awaitKilled(loser);
            assertThat(twin.qemus()).containsExactly(winner);
            assertThat(gates.looks()).isPositive();
            gates.check();
        }
        cluster.lab().heal(primary);
    }

    /** Both live, both hear the quorum and both ask to go on. */
    @Test
    void twoThatOnlyDoNotHearEachOtherAreOneAfterwards() {
        awaitLeaderAmong(List.of("witness"));
        var primary = twin.primary();
        var before = twin.view().path("failovers").asInt();
        var lives = lives();
        var copies = twin.qemus();
        try (var gates = new OpenGates(LAB.lab(), VM)) {
            twin.goesUnnoticed(
                    () -> {
                        cluster.lab().cut(primary, cluster.other(primary), Lab.Direction.BOTH);
                        await().atMost(Cluster.PATIENCE)
                                .ignoreExceptions()
                                .until(() -> twin.view().path("failovers").asInt() > before);
                    },
                    "");
            var winner = twin.primary();
            copies.stream().filter(copy -> !copy.node().equals(winner)).forEach(Twin::awaitKilled);
            assertThat(twin.qemu(winner)).isIn(copies);
            // Each is heard by the witness, so nobody is lost, however long it takes.
            await().during(WIRE_IS_CUT)
                    .atMost(Cluster.PATIENCE)
                    .untilAsserted(() -> assertThat(lives()).isEqualTo(lives));
            assertThat(gates.looks()).isPositive();
            gates.check();
        }
        twin.assertFlawless();
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
        var primary = twin.primary();
        assertThat(gate(primary)).contains(HELD_BACK);
        twin.goesUnnoticed(LockstepTest::lower, primary);
        await().atMost(Cluster.PATIENCE)
                .untilAsserted(() ->
                        assertThat(gate(primary))
                                .contains("iifname @open accept")
                                .doesNotContain(HELD_BACK));
        post("/protect?level=system");
        twin.awaitLockstep();
        twin.goesUnnoticed(() -> post("/switchover"), cluster.other(primary));
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
        var emptied = twin.primary();
        twin.goesUnnoticed(() -> tell(emptied, "/maintenance"), cluster.other(emptied));
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
        assertThat(twin.view().path("protection").asText()).isEqualTo("DEGRADED");
        assertThat(twin.view().path("explanation").asText())
                .contains("belay server activate " + emptied);

        twin.goesUnnoticed(
                () -> {
                    LAB.lab().kill(emptied);
                    LAB.lab().start(emptied);
                    LAB.lab().awaitReady(emptied, Cluster.PATIENCE);
                },
                cluster.other(emptied));
        assertThat(server(emptied).path("state").asText()).isEqualTo("maintenance");

        twin.goesUnnoticed(
                () -> {
                    tell(emptied, "/activate");
                    twin.awaitLockstep();
                },
                cluster.other(emptied));
    }

    /**
     * Then the loss of either needs no election before the other one goes on. The witness is also
     * what decides for the VM, until it dies.
     */
    @Test
    void theJournalIsLedFromNeitherOfItsServersAndNothingHappensWhenTheArbiterDies() {
        var pair = pair();
        // So that one of them leads first, and keeps that when the witness is back.
        LAB.lab().kill("witness");
        try {
            awaitLeaderAmong(LAB.lab().servers());
            // Somebody else decides for it by now, and knows it as it was.
            twin.goesUnnoticed(
                    () ->
                            await().atMost(Cluster.PATIENCE)
                                    .ignoreExceptions()
                                    .until(() -> twin.view().path("current").asBoolean()),
                    "");
            assertThat(pair()).isEqualTo(pair);
        } finally {
            LAB.lab().start("witness");
        }
        LAB.lab().awaitReady(Cluster.PATIENCE);
        awaitLeaderAmong(List.of("witness"));
        twin.assertFlawless();
    }

    /** Who runs it, by which rights and in which processes, and how often it went elsewhere. */
    private static List<Object> pair() {
        var vm = twin.view();
        return List.of(
                vm.path("state").asText(),
                vm.path("primary").asText(),
                vm.path("secondary").asText(),
                vm.path("epoch").asLong(),
                vm.path("failovers").asInt(),
                twin.qemus());
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

    private static void lower() {
        post("/protect?level=restart");
        await().atMost(Cluster.PATIENCE).untilAsserted(() -> cluster.assertOneCopy(VM));
        cluster.awaitRunning(VM);
    }

    private static void post(String what) {
        assertThat(Api.call(LAB.lab(), "POST", "/api/v1/vms/" + VM + what, "").status())
                .isEqualTo(202);
    }
}
