package dev.belay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.belay.decision.VmInput;
import dev.belay.http.TestNode;
import dev.belay.model.Epoch;
import dev.belay.model.VmName;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

@Timeout(60)
class CliTest {
    private final TestNode node = new TestNode();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir Path folder;
    private String spec = "";

    @Command(name = "belay")
    private static final class Root {}

    @BeforeEach
    void writeSpec() throws IOException {
        spec = Files.writeString(folder.resolve("web.json"), TestNode.spec("web")).toString();
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void aVmIsCreatedAndShown() {
        assertThat(belay("vm create -f " + spec)).isZero();
        assertThat(out()).startsWith("web: ");
        assertThat(belay("vm list")).isZero();
        assertThat(out())
                .startsWith("NAME  LEVEL    DESIRED  STATE")
                .contains("web   RESTART  RUNNING  Running  PROTECTED")
                .contains("192.0.2.7");
        assertThat(belay("vm show web")).isZero();
        assertThat(out())
                .contains("explanation          Runs on server alpha.", "secondary            -");
    }

    @Test
    void yamlFilesAreTakenToo() throws IOException {
        var yaml =
                Files.writeString(
                        folder.resolve("db.yaml"),
                        "name: db\nmemoryMiB: 64\nkernel: /k\ninitrd: /i\n");

        assertThat(belay("vm create --no-start --wait -f " + yaml)).isZero();
        assertThat(out()).startsWith("db: Stopped");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"vms", "vms/web", "vms/web/failovers", "servers", "servers/alpha", "events"})
    void jsonIsTheApisOwn(String path) throws Exception {
        belay("vm create -f " + spec);
        var words =
                switch (path) {
                    case "vms" -> "vm list";
                    case "vms/web" -> "vm show web";
                    case "vms/web/failovers" -> "vm failovers web";
                    case "servers" -> "server list";
                    case "servers/alpha" -> "server show alpha";
                    default -> "events";
                };

        assertThat(belay(words + " --json")).isZero();
        assertThat(out()).isEqualTo(raw(path) + System.lineSeparator());
    }

    @Test
    void aVmIsStoppedStartedAndDeleted() {
        belay("vm create -f " + spec);
        assertThat(belay("vm stop web --kill --wait")).isZero();
        assertThat(out()).startsWith("web: Stopped");
        assertThat(belay("vm start web --wait --json")).isZero();
        assertThat(out()).contains("\"state\":\"Running\"");
        assertThat(belay("vm delete web")).isEqualTo(1);
        assertThat(err()).contains("not stopped").contains("explanation");
        assertThat(belay("vm delete --force web")).isZero();
        assertThat(belay("vm show web")).isEqualTo(1);
        assertThat(err())
                .isEqualTo(
                        "belay: There is no VM named 'web'.%n       See those that exist: belay vm list, or GET /api/v1/vms.%n"
                                .formatted());
    }

    @Test
    void aVmIsRaisedSwitchedOverAndLowered() {
        belay("vm create -f " + spec);

        assertThat(belay("vm protect web --level system --wait")).isZero();
        assertThat(out()).startsWith("web: Lockstep");
        assertThat(belay("vm switchover web")).isZero();
        node.admin.tell(new VmName("web"), new VmInput.BackOffOver(new Epoch(2)));
        assertThat(belay("vm list")).isZero();
        assertThat(out()).contains("SYSTEM  RUNNING  Lockstep", "beta     alpha");
        assertThat(belay("vm protect web --level restart --wait")).isZero();
        assertThat(out()).startsWith("web: Running");
        assertThat(belay("vm switchover web")).isEqualTo(1);
        assertThat(err()).contains("two servers");
        assertThat(err()).contains("Nothing was changed", "belay vm show web");
        assertThat(belay("vm protect web")).isEqualTo(2);
        assertThat(belay("vm protect web --level best")).isEqualTo(2);
        assertThat(err()).contains("expected restart or system, but got 'best'");
        assertThat(belay("vm protect web --level component")).isEqualTo(2);
        assertThat(err()).contains("level component is not built yet");
    }

    /** Waiting for it to run would be in vain. */
    @Test
    void aLevelOfAStoppedVmIsNotWaitedFor() {
        belay("vm create --no-start -f " + spec);

        assertThat(belay("vm protect web --level system --wait")).isZero();
        assertThat(out()).startsWith("web: Stopped");
        assertThat(belay("vm protect web --level restart --wait")).isZero();
        assertThat(out()).startsWith("web: Stopped");
    }

    @Test
    void whatIsWaitedForInVainIsCalledByItsName() {
        belay("vm create -f " + spec);
        node.admin.serversObey = false;

        assertThat(belay("vm protect web --level system --wait --timeout 1")).isEqualTo(1);
        assertThat(err())
                .contains("Expected VM 'web' to be Lockstep within 1 s, but it is Running");
    }

    @Test
    void aSwitchoverThatIsWaitedForEndsWhereTheVmRuns() {
        belay("vm create -f " + spec);
        belay("vm protect web --level system --wait");

        assertThat(belay("vm switchover web --wait")).isZero();
        assertThat(out()).startsWith("web: Running. Runs on server beta alone.");
    }

    @Test
    void waitingTellsProgressAndEndsInTime() {
        node.admin.serversObey = false;

        assertThat(belay("vm create --wait --timeout 1 -f " + spec)).isEqualTo(1);
        assertThat(out()).isEmpty();
        assertThat(err())
                .contains(
                        "Starting: Asking server alpha",
                        "Expected VM 'web' to be Running within 1 s",
                        "belay vm show web");
    }

    @Test
    void aFailoverIsToldAsATimeline() {
        belay("vm create -f " + spec);
        node.admin.loseAlpha(new VmName("web"));

        assertThat(belay("vm failovers web")).isZero();
        assertThat(out())
                .contains("Failover 1: stays on alpha, ", "s in all")
                .contains("began  2026-11-01T12:00:00Z")
                .containsPattern("\\+0\\.000 s  beta +no heartbeat from alpha")
                .contains("(took 0.042 s)");
    }

    @Test
    void serversAreListed() {
        assertThat(belay("server list")).isZero();
        assertThat(out())
                .contains("INCARNATION  MEMORY MiB  RESERVED MiB  QEMU ")
                .contains("alpha  server   up", "gamma  witness  up", "absent");
        assertThat(belay("server show delta")).isEqualTo(1);
        assertThat(err()).contains("alpha, beta, gamma");
    }

    @Test
    void eventsAreListedFromAnyPlace() {
        belay("vm create -f " + spec);

        assertThat(belay("events")).isZero();
        assertThat(out()).startsWith("     1  2026-11-01T12:00:00.100Z  vm web  VmCreated");
        assertThat(belay("events --from 2")).isZero();
        assertThat(out()).startsWith("     2  ").doesNotContain("VmCreated");
    }

    @Test
    void followingGoesOn() {
        var follower = new StringWriter();
        var thread = Thread.ofVirtual().start(() -> run(follower, "events --follow --json"));
        belay("vm create -f " + spec);

        Awaitility.await().until(() -> follower.toString().contains("VmStarted"));
        assertThat(follower.toString().lines().findFirst().orElse("")).startsWith("{\"offset\":1,");
        thread.interrupt();
    }

    @Test
    void whatTheApiRefusesIsToldWithWhatToDo() throws IOException {
        var bad =
                Files.writeString(
                        folder.resolve("bad.yaml"), "name: Web\nmemoryMiB: -5\nimage: x\n");

        assertThat(belay("vm create -f " + bad)).isEqualTo(1);
        assertThat(out()).isEmpty();
        assertThat(err())
                .startsWith("belay: name: ")
                .contains("memoryMiB: ", "image: unknown field", "Correct these fields");
        assertThat(belay("vm create -f " + folder.resolve("none.yaml"))).isEqualTo(1);
        assertThat(err()).contains("There is no file");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vm",
                "server",
                "vm reboot web",
                "vm show",
                "vm create",
                "vm list extra",
                "vm start web --wait --timeout 0",
                "vm start web --wait --timeout -5",
                "server maintenance alpha --timeout soon",
                "vm list --colour",
                "events --from many",
                "vm list --api nonsense",
                "vm list --api http://127.0.0.1:1 --lab x",
                "vm list --lab ../etc"
            })
    void wrongUsageEndsWith2(String words) {
        assertThat(belay(words)).isEqualTo(2);
        assertThat(out()).isEmpty();
        assertThat(err()).isNotBlank();
    }

    @Test
    void anUnreachableNodeIsToldWithWhatToDo() throws IOException {
        var closed = "http://127.0.0.1:" + closedPort();

        assertThat(belay("vm list --api " + closed)).isEqualTo(1);
        assertThat(err())
                .contains(
                        "No node answers. Tried: " + closed,
                        "refused",
                        "--api",
                        "BELAY_API",
                        "--lab");
    }

    @Test
    void aLabsNodesAreTriedInTurn() throws IOException {
        Files.createDirectories(folder.resolve("small"));
        var lab =
                Map.of(
                        "nodes",
                        java.util.List.of(
                                Map.of("name", "a", "api", "http://127.0.0.1:" + closedPort()),
                                Map.of("name", "b", "api", node.uri().toString())));
        Files.writeString(
                folder.resolve("small/lab.json"), new ObjectMapper().writeValueAsString(lab));

        assertThat(belay("server --lab small list")).isZero();
        assertThat(belay("vm create --lab small -f " + spec)).isZero();
        assertThat(belay("vm list --lab none")).isEqualTo(1);
        assertThat(err()).contains("There is no lab 'none'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"vm show web", "vm show web --json", "vm failovers web"})
    void whatANodeOnlyLastKnewIsCalledSo(String words) {
        belay("vm create -f " + spec);
        assertThat(belay(words)).isZero();
        var current = out();
        assertThat(err()).isEmpty();
        node.admin.cutOff = true;

        assertThat(belay(words)).isZero();
        assertThat(err()).startsWith("NOT CURRENT: ").contains("last knew", "--api");
        assertThat(out())
                .isEqualTo(
                        current.replaceFirst("current  ( *)yes", "current  $1no")
                                .replace("\"current\":true", "\"current\":false"));
    }

    @Test
    void anotherNodeIsAskedWhatOneOnlyLastKnew() throws IOException {
        try (var cutOff = new TestNode()) {
            cutOff.admin.cutOff = true;
            assertThat(belay("vm create -f " + spec + " --api " + cutOff.uri())).isZero();
            belay("vm create -f " + spec);
            belay("vm stop web");
            Files.createDirectories(folder.resolve("cut"));
            var nodes =
                    Stream.of(cutOff.uri(), node.uri())
                            .map(uri -> Map.of("api", uri.toString()))
                            .toList();
            Files.writeString(
                    folder.resolve("cut/lab.json"),
                    new ObjectMapper().writeValueAsString(Map.of("nodes", nodes)));

            assertThat(belay("vm show web --lab cut --json")).isZero();
            assertThat(out()).contains("\"state\":\"Stopped\"");
            assertThat(err()).isEmpty();
            node.admin.silent = true;
            assertThat(belay("vm show web --lab cut --json")).isZero();
            assertThat(out()).contains("\"state\":\"Running\"");
            assertThat(err()).startsWith("NOT CURRENT: ");
        }
    }

    @Test
    void whatANodeOnlyLastKnewIsNotWaitedFor() {
        node.admin.cutOff = true;

        assertThat(belay("vm create --wait --timeout 1 -f " + spec)).isEqualTo(1);
        assertThat(err()).contains("it is Running: (not current) Runs on server alpha.");
    }

    @Test
    void theClusterIsDisarmedAndArmed() {
        assertThat(execute(out, "disarm", "--for", "30m", "--reason", "new switch")).isZero();
        assertThat(out())
                .startsWith("DISARMED until 2026-11-01T12:30:00Z by ")
                .contains("new switch");
        assertThat(belay("server list")).isZero();
        assertThat(out()).startsWith("DISARMED until").contains("NAME ");
        assertThat(belay("arm")).isZero();
        assertThat(out()).startsWith("Armed");
        assertThat(belay("server list")).isZero();
        assertThat(out()).startsWith("NAME ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "disarm --reason x",
                "disarm --for 30m",
                "disarm --for soon --reason x",
                "server confirm-off alpha"
            })
    void whatIsNotSaidInFullIsWrongUsage(String words) {
        node.admin.alphaAnswers = false;

        assertThat(belay(words)).isEqualTo(2);
        assertThat(belay("server list")).isZero();
        assertThat(out()).startsWith("NAME ");
    }

    @Test
    void aTimeThatIsTooLongIsRefused() {
        assertThat(belay("disarm --for 25h --reason x")).isEqualTo(1);
        assertThat(err()).contains("from 1 to 86400");
    }

    @Test
    void aServerIsReleasedAndConfirmedToBeOff() {
        node.admin.quarantineAlpha();
        assertThat(belay("server release alpha")).isZero();
        assertThat(out()).startsWith("alpha: ").doesNotContain("quarantined");

        assertThat(belay("server confirm-off alpha --yes-i-checked")).isEqualTo(1);
        assertThat(err()).contains("answers, so it is not off");
        node.admin.alphaAnswers = false;
        assertThat(belay("server confirm-off alpha --yes-i-checked")).isZero();
        assertThat(out()).contains("as soon as it is proved that it runs nothing");
    }

    @Test
    void aServerIsEmptiedAndActivatedAgain() {
        node.admin.emptyAlpha();
        assertThat(belay("server maintenance alpha")).isZero();
        assertThat(out()).contains("It is empty", "belay server activate alpha");
        assertThat(belay("server activate alpha")).isZero();
        assertThat(out()).doesNotContain("maintenance");
    }

    @Test
    void whatStaysOnAServerIsTold() {
        belay("vm create -f " + spec);
        assertThat(belay("server maintenance alpha --timeout 20")).isEqualTo(1);
        assertThat(err()).contains("'alpha' is not empty: web: ", "belay server activate alpha");
        assertThat(belay("server maintenance alpha --no-wait --restart-vms")).isZero();
        assertThat(out()).contains("alpha: ", "It is in maintenance");
    }

    /** The node that is asked learns of an order a moment after it was taken. */
    @Test
    void nothingIsConcludedBeforeTheOrderIsSeen() {
        node.admin.emptyAlpha();
        belay("vm create -f " + spec);
        node.admin.lag(3);
        assertThat(belay("server maintenance alpha --timeout 20")).isEqualTo(1);
        assertThat(err()).contains("--restart-vms");

        node.admin.lag(3);
        assertThat(belay("server maintenance alpha --restart-vms --timeout 20")).isZero();
        assertThat(err()).doesNotContain("--restart-vms");
        assertThat(out()).contains("It is empty");
    }

    @Test
    void aNodeThatLostItsDataIsReadmitted() {
        assertThat(belay("server readmit beta")).isZero();
        assertThat(out()).startsWith("beta: absent").contains("start it again");

        assertThat(belay("server readmit gamma")).as("a witness votes, too").isEqualTo(1);
        assertThat(err()).contains("gamma lost nothing");
        assertThat(belay("server readmit delta")).isEqualTo(1);
        assertThat(err()).contains("no server or witness named 'delta'");
    }

    @Test
    void everyCommandHasHelp() {
        for (var words :
                new String[] {
                    "vm --help",
                    "vm create --help",
                    "server list --help",
                    "events --help",
                    "disarm --help",
                    "arm --help",
                    "server confirm-off --help"
                }) {
            assertThat(belay(words)).as(words).isZero();
            assertThat(out()).contains("--api", "--json");
        }
    }

    private int belay(String words) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return run(out, words);
    }

    private int run(StringWriter to, String words) {
        return execute(to, words.split(" "));
    }

    private int execute(StringWriter to, String... words) {
        var variables =
                Map.of("BELAY_API", node.uri().toString(), "BELAY_LAB_HOME", folder.toString());
        var line = new CommandLine(new Root());
        CliCommands.all(name -> Optional.ofNullable(variables.get(name)))
                .forEach(line::addSubcommand);
        line.setOut(new PrintWriter(to)).setErr(new PrintWriter(err));
        return line.execute(words);
    }

    private String out() {
        return out.toString();
    }

    private String err() {
        return err.toString();
    }

    private String raw(String path) throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            var uri = URI.create(node.uri() + "/api/v1/" + path);
            return client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body();
        }
    }

    private static int closedPort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
