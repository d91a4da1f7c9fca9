package dev.belay.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.belay.lab.Lab.Direction;
import dev.belay.lab.LabStatus.Link;
import dev.belay.lab.LabStatus.State;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real namespaces and cables, with stand-ins for the nodes. Needs root: {@code -Preal}. */
@Tag("lab")
class LabTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String NAME = "lab-test";

    private Path home = Path.of("/nowhere");

    @BeforeEach
    void makeHome() throws IOException {
        home = Files.createTempDirectory(Path.of("/tmp"), "lab");
    }

    @AfterEach
    void leaveNothing() {
        for (var name : Lab.list(home)) {
            Lab.open(name, home).down();
        }
        LabStore.deleteTree(home);
    }

    @Test
    void aLabComesUpAndGoesWithoutATrace() {
        var before = traces();

        var lab = Lab.up(options(NAME));

        assertThat(lab.status().isReady()).isTrue();
        assertThat(lab.nodes()).containsExactly("alpha", "bravo", "witness");
        assertThat(lab.api("bravo").getHost()).startsWith("10.91.").endsWith(".12");
        var pids = lab.nodes().stream().flatMap(node -> lab.processIds(node).stream()).toList();
        assertThat(pids).hasSize(6);

        lab.down();

        assertThat(pids).noneMatch(pid -> ProcessHandle.of(pid).isPresent() && !isZombie(pid));
        assertThat(traces()).isEqualTo(before);
        assertThat(home).isEmptyDirectory();
        lab.down();
    }

    @Test
    void labsStandSideBySide() {
        try (var one = Lab.up(options(NAME));
                var two = Lab.up(options(NAME + "-2"))) {
            assertThat(one.status().isReady()).isTrue();
            assertThat(two.status().isReady()).isTrue();
            assertThat(one.api("alpha")).isNotEqualTo(two.api("alpha"));
            assertThat(Lab.list(home)).containsExactly(NAME, NAME + "-2");

            one.down();

            assertThat(two.status().isReady()).isTrue();
        }
    }

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
    void aLabThatIsUpIsNotReplacedUnasked() {
        try (var lab = Lab.up(options(NAME))) {
            assertThatThrownBy(() -> Lab.up(options(NAME)))
                    .isInstanceOf(LabException.class)
                    .hasMessageContaining("is up");
            assertThat(lab.status().isReady()).isTrue();

            Lab.up(options(NAME).withReplace(true));

            assertThat(lab.status().isReady()).isTrue();
        }
    }

    @Test
    void whatAKilledLabLeftGoesWithTheNextUp() throws Exception {
        var before = traces();
        var orphaned = boundLab(NAME + "-o");
        until(() -> Lab.list(home).contains(NAME + "-o") && isUp(NAME + "-o"));
        var halfBuilt = boundLab(NAME + "-h");
        until(() -> NodeProcesses.namespaces().contains("belay-" + NAME + "-h-bravo"));
        halfBuilt.destroyForcibly().waitFor();
        orphaned.destroyForcibly().waitFor();
        assertThat(Lab.list(home)).containsExactly(NAME + "-h", NAME + "-o");

        var lab = Lab.up(options(NAME + "-h"));

        assertThat(Lab.list(home)).containsExactly(NAME + "-h");
        assertThat(lab.status().isReady()).isTrue();
        assertThat(NodeProcesses.namespaces()).noneMatch(name -> name.contains(NAME + "-o-"));

        // Its files are lost: the bridge still tells.
        LabStore.deleteTree(home.resolve(NAME + "-h"));
        Lab.up(options(NAME)).down();

        assertThat(traces()).isEqualTo(before);
    }

    @Test
    void aNodeThatCannotStartIsReportedWithItsLastWordsAndNothingIsLeft() {
        var before = traces();
        var hopeless = options(NAME).withProgram(List.of("sh", "-c", "echo no such thing; exit 3"));

        assertThatThrownBy(() -> Lab.up(hopeless))
                .isInstanceOf(LabException.class)
                .hasMessageContaining("keeps ending")
                .hasMessageContaining("no such thing")
                .hasMessageContaining("ended with code 3");

        assertThat(traces()).isEqualTo(before);
    }

    // --- helpers ---

    private LabOptions options(String name) {
        return LabOptions.of(name, 2, 1)
                .withHome(home)
                .withPatience(PATIENCE)
                .withProgram(standIn());
    }

    private static List<String> standIn() {
        return java("dev.belay.lab.StandInNode");
    }

    private static List<String> java(String main) {
        return List.of(
                System.getProperty("java.home") + "/bin/java",
                "-Xmx64m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                main);
    }

    private Process boundLab(String name) throws IOException {
        var command = new ArrayList<>(java("dev.belay.lab.BoundLab"));
        command.addAll(List.of(home.toString(), name));
        command.addAll(standIn());
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(home.resolve(name + ".log").toFile())
                .start();
    }

    private boolean isUp(String name) {
        return new LabStore(home)
                .read(name)
                .filter(state -> state.phase() == LabState.Phase.UP)
                .isPresent();
    }

    /** Namespaces and bridges of this test's labs, whatever else is on the machine. */
    private static List<String> traces() {
        var traces = new ArrayList<String>();
        NodeProcesses.namespaces().stream()
                .filter(name -> name.startsWith("belay-" + NAME))
                .forEach(traces::add);
        LabNetwork.traces().stream()
                .filter(trace -> trace.lab().startsWith(NAME))
                .forEach(trace -> traces.add(trace.toString()));
        return traces;
    }

    private static boolean isZombie(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") Z ");
        } catch (IOException e) {
            return true;
        }
    }

    private static String bootId(Lab lab) throws IOException {
        return Files.readString(lab.folder().resolve("alpha/belay.conf"))
                .lines()
                .filter(line -> line.contains("boot-id"))
                .findFirst()
                .orElseThrow();
    }

    private static Link link(Lab lab) {
        return lab.status().nodes().getFirst().link();
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

    private static void until(BooleanSupplier condition) {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
            Shell.pause(50);
        }
    }
}
