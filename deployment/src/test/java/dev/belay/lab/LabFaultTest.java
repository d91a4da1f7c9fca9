package dev.belay.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.lab.Lab.Direction;
import dev.belay.lab.LabStatus.Link;
import dev.belay.lab.LabStatus.State;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a fault in the lab does, and what it does not. Needs root: {@code -Preal}. */
@Tag("lab")
class LabFaultTest extends StandInLabs {
    @Test
    void aPowerCutReachesNobody() throws IOException {
        try (var lab = Lab.up(options(NAME));
                var client = new Socket(lab.api("alpha").getHost(), LabPlan.API_PORT)) {
            watchFarewells(lab);

            lab.kill("alpha");

            assertThat(lab.processIds("alpha")).isEmpty();
            var status = lab.status().nodes().getFirst();
            assertThat(status.state()).isEqualTo(State.OFF);
            assertThat(status.link()).isEqualTo(Link.DOWN);
            // Longer than a FIN's first repetitions would take.
            Shell.pause(1500);
            assertThat(farewells(lab)).isZero();
            client.setSoTimeout(200);
            assertThatThrownBy(() -> client.getInputStream().read())
                    .isInstanceOf(SocketTimeoutException.class);

            // The same watch does see processes that die on a machine that lives on.
            lab.killProcesses("bravo");

            until(() -> farewells(lab) > 0);
            assertThatThrownBy(() -> lab.kill("alpha")).hasMessage("alpha is off already");
        }
    }

    @Test
    void aNodeThatIsPoweredOnBootsAnewWithItsOldDisk() throws IOException {
        try (var lab = Lab.up(options(NAME))) {
            var boot = bootId(lab);
            Files.writeString(lab.data("alpha").resolve("journal"), "kept");
            var run = lab.folder().resolve("alpha/run/socket");
            Files.writeString(run, "lost");
            lab.kill("alpha");

            assertThat(lab.start("alpha")).isTrue();
            lab.awaitReady(PATIENCE);

            assertThat(lab.start("alpha")).isFalse();
            assertThat(bootId(lab)).isNotEqualTo(boot);
            assertThat(lab.data("alpha").resolve("journal")).hasContent("kept");
            assertThat(run).doesNotExist();
            assertThat(lab.status().nodes().getFirst().boots()).isEqualTo(2);
            // It hears the others again.
            send(lab, "bravo", "alpha", "welcome");
            until(() -> heard(lab, "alpha", "welcome"));
        }
    }

    @Test
    void aCrashedNodeIsBackAtOnceInTheSameBoot() throws IOException {
        try (var lab = Lab.up(options(NAME))) {
            var boot = bootId(lab);
            var jvm = lab.status().nodes().getFirst().jvm();

            lab.crash("alpha");
            until(() -> !lab.status().nodes().getFirst().jvm().equals(jvm));
            lab.awaitReady(PATIENCE);

            assertThat(bootId(lab)).isEqualTo(boot);

            lab.crashForGood("alpha");

            assertThat(lab.status().nodes().getFirst().state()).isEqualTo(State.STOPPED);
            assertThat(lab.start("alpha")).isTrue();
            lab.awaitReady(PATIENCE);
            assertThat(bootId(lab)).isEqualTo(boot);
        }
    }

    @Test
    void aCrashSparesWhatElseRunsOnTheNode() {
        try (var lab = Lab.up(options(NAME))) {
            Shell.detach(
                    home.resolve("guest.log"),
                    java.util.Map.of(),
                    List.of("ip", "netns", "exec", lab.namespace("alpha"), "sleep", "1000"));
            until(() -> lab.processIds("alpha").size() == 3);

            lab.crashForGood("alpha");

            assertThat(lab.processIds("alpha")).hasSize(1);

            lab.kill("alpha");

            assertThat(lab.processIds("alpha")).isEmpty();
        }
    }

    @Test
    void aPausedNodeDoesNothingUntilItIsResumed() {
        try (var lab = Lab.up(options(NAME))) {
            lab.pause("bravo");

            assertThat(lab.status().nodes().get(1).state()).isEqualTo(State.PAUSED);
            assertThat(LabApi.whyNotReady(lab.api("bravo"))).contains("does not answer");

            lab.resume("bravo");

            assertThat(lab.status().isReady()).isTrue();

            lab.pause("bravo");
            lab.kill("bravo");

            assertThat(lab.processIds("bravo")).isEmpty();
        }
    }

    @Test
    void aCutIsSilentAndStopsOneDirectionOrBoth() {
        try (var lab = Lab.up(options(NAME))) {
            watchFarewells(lab);

            lab.cut("alpha", Direction.OUT);
            assertThat(link(lab)).isEqualTo(Link.CUT_OUT);
            passes(lab, "1", false, true);

            lab.heal("alpha");
            assertThat(link(lab)).isEqualTo(Link.UP);
            passes(lab, "2", true, true);

            lab.cut("alpha", Direction.IN);
            assertThat(link(lab)).isEqualTo(Link.CUT_IN);
            passes(lab, "3", true, false);

            lab.cut("alpha", Direction.BOTH);
            assertThat(link(lab)).isEqualTo(Link.CUT);
            passes(lab, "4", false, false);
            // Twice is as good as once; the API and the neighbours are not concerned.
            lab.cut("alpha", Direction.BOTH);
            assertThat(lab.status().isReady()).isTrue();
            send(lab, "bravo", "witness", "neighbour");
            until(() -> heard(lab, "witness", "neighbour"));

            lab.heal("alpha");
            passes(lab, "5", true, true);
            assertThat(farewells(lab)).isZero();
            assertThat(lab.lastLogLines("bravo", 100)).noneMatch(line -> line.contains("ended"));
        }
    }

    @Test
    void aCutBetweenTwoConcernsNobodyElse() {
        try (var lab = Lab.up(options(NAME))) {
            lab.cut("alpha", "bravo", Direction.OUT);
            assertThat(link(lab)).isEqualTo(Link.CUT_PAIR);
            passes(lab, "1", false, true);

            lab.cut("alpha", "bravo", Direction.BOTH);
            passes(lab, "2", false, false);
            send(lab, "alpha", "witness", "from alpha");
            send(lab, "bravo", "witness", "from bravo");
            until(() -> heard(lab, "witness", "from alpha") && heard(lab, "witness", "from bravo"));

            // Whichever of the two is healed.
            lab.heal("bravo");
            assertThat(link(lab)).isEqualTo(Link.UP);
            passes(lab, "3", true, true);
            assertThatThrownBy(() -> lab.cut("alpha", "alpha", Direction.BOTH))
                    .isInstanceOf(LabException.class);
        }
    }

    @Test
    void aFlappingLinkIsWholeAfterwards() {
        try (var lab = Lab.up(options(NAME))) {
            var flapping =
                    CompletableFuture.runAsync(
                            () -> lab.flap("alpha", Duration.ofSeconds(2), Duration.ofSeconds(11)),
                            Thread::startVirtualThread);
            until(() -> link(lab) == Link.CUT);
            until(() -> link(lab) == Link.UP);
            until(() -> link(lab) == Link.CUT);
            assertThat(flapping).succeedsWithin(PATIENCE);
            assertThat(link(lab)).isEqualTo(Link.UP);
        }
    }

    @Test
    void aWallClockJumpsBothWaysAndTheClockThatMeasuresGoesOn() {
        try (var lab = Lab.up(options(NAME).withFakeClock(true))) {
            var before = clock(lab);

            lab.clock("alpha", Duration.ofHours(1));
            until(() -> clock(lab).path("wall").asLong() - System.currentTimeMillis() > 3_500_000);
            lab.clock("alpha", Duration.ofHours(-1));
            until(() -> clock(lab).path("wall").asLong() - System.currentTimeMillis() < -3_500_000);

            var passed = clock(lab).path("monotonic").asLong() - before.path("monotonic").asLong();
            assertThat(passed).isBetween(0L, 60_000_000_000L);
        }
    }

    @Test
    void clocksThatWereNotAskedForCannotJump() {
        try (var lab = Lab.up(options(NAME))) {
            assertThatThrownBy(() -> lab.clock("alpha", Duration.ofHours(1)))
                    .isInstanceOf(LabException.class)
                    .hasMessageContaining("--fake-clock");
        }
    }

    @Test
    void aFenceAgentThatWorksCutsThePowerAndConfirmsIt() {
        try (var lab = Lab.up(options(NAME).withFence(Fence.WORKS))) {
            watchFarewells(lab);
            assertThat(fence(lab, "alpha", "status")).isZero();

            assertThat(fence(lab, "alpha", "off")).isZero();
            assertThat(fence(lab, "alpha", "status")).isEqualTo(2);

            assertThat(lab.processIds("alpha")).isEmpty();
            assertThat(lab.status().nodes().getFirst().state()).isEqualTo(State.OFF);
            assertThat(farewells(lab)).isZero();
            // Off already: confirmed again.
            assertThat(fence(lab, "alpha", "off")).isZero();
            assertThat(lab.start("alpha")).isTrue();
            lab.awaitReady(PATIENCE);
            assertThat(fence(lab, "alpha", "status")).isZero();
            lab.kill("bravo");
            assertThat(fence(lab, "bravo", "off")).isZero();
            assertThat(fence(lab, "bravo", "status")).isEqualTo(2);
        }
    }

    @Test
    void aFenceAgentThatLiesLeavesTheServerAlone() {
        try (var lab = Lab.up(options(NAME).withFence(Fence.LIES))) {
            assertThat(fence(lab, "alpha", "off")).isZero();
            assertThat(fence(lab, "alpha", "status")).isEqualTo(2);
            assertThat(lab.status().isReady()).isTrue();
        }
    }

    // --- helpers ---

    /** Asks the stand-in for its clocks. */
    private static JsonNode clock(Lab lab) {
        return LabApi.get(List.of(lab.api("alpha")), "/clock").orElseThrow();
    }

    /** Calls the fence agent as the witness's configuration says, from within its namespace. */
    private static int fence(Lab lab, String victim, String action) {
        var agent =
                Shell.run("cat", lab.folder().resolve("witness/belay.conf").toString())
                        .lines()
                        .map(String::strip)
                        .filter(line -> line.startsWith(victim + " { program"))
                        .findFirst()
                        .orElseThrow();
        var program = agent.replaceAll(".*program = \"([^\"]+)\".*", "$1");
        var options =
                agent.replaceAll(".*options \\{ (.*) } }", "$1")
                        .replace("\"", "")
                        .replace(" = ", "=")
                        .replace(", ", "\n");
        return Shell.attempt(
                        options + "\naction=" + action + "\n",
                        "ip",
                        "netns",
                        "exec",
                        lab.namespace("witness"),
                        program)
                .code();
    }

    private static String bootId(Lab lab) throws IOException {
        return Files.readString(lab.folder().resolve("alpha/belay.conf"))
                .lines()
                .filter(line -> line.contains("boot-id"))
                .findFirst()
                .orElseThrow();
    }

    private static Link link(Lab lab) {
        var labs = Objects.requireNonNull(lab.folder().getParent());
        var state = new LabStore(labs).read(lab.name()).orElseThrow();
        return Objects.requireNonNull(new LabNetwork(state).links().get("alpha"));
    }

    /** Counts FIN and RST on the way between nodes. */
    private static void watchFarewells(Lab lab) {
        Shell.feed(
                """
                table bridge watch {
                  chain farewells {
                    type filter hook forward priority -400; policy accept;
                    tcp flags & (fin|rst) != 0 counter
                  }
                }
                """,
                "ip",
                "netns",
                "exec",
                lab.switchNamespace(),
                "nft",
                "-f",
                "-");
    }

    private static long farewells(Lab lab) {
        var listing =
                Shell.run(
                        "ip",
                        "netns",
                        "exec",
                        lab.switchNamespace(),
                        "nft",
                        "list",
                        "chain",
                        "bridge",
                        "watch",
                        "farewells");
        return Long.parseLong(listing.replaceAll("(?s).*counter packets (\\d+).*", "$1"));
    }

    /** Sends a datagram; the sender must not be told of any trouble. */
    private static void send(Lab lab, String from, String to, String text) {
        Shell.run(
                "ip",
                "netns",
                "exec",
                lab.namespace(from),
                "bash",
                "-c",
                "echo " + text + " >/dev/udp/" + lab.clusterAddress(to) + "/7355");
    }

    private static boolean heard(Lab lab, String node, String text) {
        return lab.lastLogLines(node, 1000).contains("heard " + text);
    }

    private static void passes(Lab lab, String round, boolean out, boolean in) {
        send(lab, "alpha", "bravo", "out" + round);
        send(lab, "bravo", "alpha", "in" + round);
        // What is to arrive does so within milliseconds; a held ARP request, within a second.
        var deadline = System.nanoTime() + 2_000_000_000L;
        while (System.nanoTime() < deadline
                && !(heard(lab, "bravo", "out" + round) && heard(lab, "alpha", "in" + round))) {
            Shell.pause(50);
        }
        assertThat(heard(lab, "bravo", "out" + round)).as("sent by alpha").isEqualTo(out);
        assertThat(heard(lab, "alpha", "in" + round)).as("sent to alpha").isEqualTo(in);
    }
}
