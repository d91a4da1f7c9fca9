package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.Lab;
import dev.belay.lab.TestVm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** One cluster, and each name in it once. */
@Tag("system")
class NodeIdentityTest {
    /** Servers that are lost again and again are to be used again, without quarantine. */
    @RegisterExtension
    static final LabExtension LAB =
            new LabExtension(
                    "identity", options -> options.withSettings("belay.calm.cool-down = 1s"));

    private final Cluster cluster = new Cluster(LAB.lab());

    @TempDir Path folder;

    @AfterEach
    void allNodesAreInOneCluster() {
        cluster.lab().awaitReady(Cluster.PATIENCE);
        for (var node : cluster.lab().nodes()) {
            await().atMost(Cluster.PATIENCE)
                    .ignoreExceptions()
                    .untilAsserted(() ->
                            assertThat(
                                            Api.call(
                                                            cluster.lab().api(node),
                                                            "GET",
                                                            "/api/v1/servers",
                                                            "")
                                                    .body()
                                                    .findValuesAsText("state"))
                                    .as("how %s sees the nodes", node)
                                    .containsOnly("up"));
        }
    }

    /** It is in everybody's list first, and so the one that could think of founding a cluster. */
    @Test
    void theFirstOfTheListRestartsWhileTheOthersLiveAndThereIsNoSecondCluster() {
        var first = cluster.lab().nodes().getFirst();
        for (int crash = 1; crash <= 2; crash++) {
            cluster.lab().crash(first);
            cluster.lab().awaitReady(first, Cluster.PATIENCE);
        }

        // It is ready a moment before it has told the journal that it joined, and says so.
        await().atMost(Cluster.PATIENCE)
                .untilAsserted(() ->
                        assertThat(cluster.lab().lastLogLines(first, 10_000))
                                .filteredOn(
                                        line -> line.contains("member of the cluster, generation"))
                                .hasSize(3)
                                .allMatch(line -> line.endsWith("generation 1")));
    }

    @Test
    void aSecondNodeOfAServersNameDoesNotStartAndTheFirstGoesOn() throws Exception {
        cluster.create("calm", TestVm.Disk.NONE);
        var server = cluster.server("calm");
        var epoch = cluster.epoch("calm");

        assertThat(startAnother(server, server, Files.readString(cluster.lab().config(server))))
                .as("with the same folder")
                .contains("Another process uses the data folder");
        assertThat(startAnother(server, server, elsewhere(server)))
                .as("on the same machine, with a folder of its own")
                .contains("Address already in use");
        assertThat(startAnother(server, cluster.other(server), elsewhere(server)))
                .as("on another machine")
                .contains("Cannot assign requested address");

        assertThat(cluster.server("calm")).isEqualTo(server);
        assertThat(cluster.epoch("calm")).as("undisturbed").isEqualTo(epoch);
        cluster.assertOneCopy("calm");
        cluster.delete("calm");
    }

    @Test
    void aServersNodeAtAnotherAddressIsNotAdmittedAndTheServerGoesOn() throws Exception {
        var running = run("alone");
        var server = cluster.other(cluster.server("alone"));
        try (var there = new OtherAddress(cluster.lab(), server, "witness")) {
            assertThat(startAnother(server, "witness", there.in(elsewhere(server))))
                    .as("with a vote")
                    .contains("Expected the data of voter " + server, "a name of its own");
            var readmission = "/api/v1/servers/" + server + "/readmit";
            assertThat(Api.call(cluster.lab(), "POST", readmission, "").status())
                    .as("the server itself lost nothing")
                    .isEqualTo(409);

            var stranger = begin("witness", withoutVote(there, server));
            try {
                await().atMost(Cluster.PATIENCE)
                        .untilAsserted(() ->
                                assertThat(cluster.lab().nodes())
                                        .anySatisfy(node ->
                                                assertSaid(node, "calls itself " + server)));
            } finally {
                stranger.destroyForcibly().waitFor();
            }
        }
        assertUndisturbed("alone", running);
        cluster.delete("alone");
    }

    @Test
    void aServerThatLostItsDataDoesNotVoteUntilItIsReadmitted() throws Exception {
        var running = run("kept");
        var server = cluster.other(cluster.server("kept"));
        var lab = cluster.lab();

        lab.kill(server);
        Files.move(lab.data(server), lab.data(server).resolveSibling("lost"));
        lab.start(server);
        awaitSaid(server, "Expected the data of voter " + server);
        awaitSaid(server, "ended with code 4; not starting it again");
        assertSaid(server, "run 'belay server readmit " + server + "' against another node");
        create("meanwhile", server);
        assertUndisturbed("kept", running);

        lab.post("/api/v1/servers/" + server + "/readmit");
        assertThat(lab.start(server)).isTrue();
        lab.awaitReady(server, Cluster.PATIENCE);
        await("its vote counts again")
                .atMost(Cluster.PATIENCE)
                .until(() -> Files.notExists(lab.data(server).resolve("journal/begins-anew")));
        assertKnown(server, "kept", "meanwhile");
        assertUndisturbed("kept", running);
        List.of("kept", "meanwhile").forEach(cluster::delete);
    }

    @Test
    void aServerWhoseJournalsDiskIsFullSaysSoAndIsBackWhenThereIsRoom() throws Exception {
        var running = run("wet");
        var server = cluster.other(cluster.server("wet"));
        try (var disk = SmallDisk.mount(cluster.lab(), server)) {
            cluster.lab().awaitReady(server, Cluster.PATIENCE);

            disk.fill();
            var large = createLargeOnesUntil(server, "so this process ends: The disk with the");
            awaitSaid(server, "ended with code 3; starting it again");
            awaitSaid(server, "This voter does not start: the disk with the journal's folder");
            await().atMost(Cluster.PATIENCE)
                    .ignoreExceptions()
                    .untilAsserted(() ->
                            assertThat(
                                            Api.call(
                                                            cluster.lab().api(server),
                                                            "GET",
                                                            "/api/v1/health/ready",
                                                            "")
                                                    .body()
                                                    .path("why")
                                                    .asText())
                                    .contains("is full"));
            create("meanwhile", server);
            assertUndisturbed("wet", running);

            disk.makeRoom();
            cluster.lab().awaitReady(server, Cluster.PATIENCE);
            assertKnown(server, "wet", "meanwhile", large.getFirst(), large.getLast());
            assertUndisturbed("wet", running);
            assertThat(cluster.lab().lastLogLines(server, 10_000))
                    .as("it goes on where it is")
                    .noneMatch(line -> line.contains("leaving to join anew"));
            for (var vm : large) {
                Api.call(cluster.lab(), "DELETE", "/api/v1/vms/" + vm + "?force=true", "");
            }
        }
        List.of("wet", "meanwhile").forEach(cluster::delete);
    }

    /** It would renew, before it can tell the journal, what others wait too shortly for. */
    @Test
    void aServerWhoseLeaseTermsWereChangedDoesNotStartUntilItHasTheOldOnes() throws Exception {
        var server = cluster.lab().servers().getLast();
        var config = cluster.lab().config(server);
        var before = Files.readString(config);
        try {
            Files.writeString(config, before + "\nbelay.lease.duration = 5s\n");
            cluster.lab().crash(server);
            await().atMost(Cluster.PATIENCE)
                    .untilAsserted(() ->
                            assertThat(cluster.lab().lastLogLines(server, 200))
                                    .anyMatch(line ->
                                            line.contains(
                                                    "The lease terms of this server have changed, from 3000/500/250ms")));
        } finally {
            Files.writeString(config, before);
            cluster.lab().kill(server);
            cluster.lab().start(server);
        }
    }

    /** A VM; its QEMU process, wherever it is. */
    private List<Lab.Qemu> run(String vm) {
        cluster.lab().vm(TestVm.of(vm).withoutGuest());
        cluster.awaitRunning(vm);
        return cluster.lab().qemus(vm);
    }

    /** The same process, and no other. */
    private void assertUndisturbed(String vm, List<Lab.Qemu> running) {
        assertThat(running).hasSize(1);
        assertThat(cluster.lab().qemus(vm)).isEqualTo(running);
        assertThat(cluster.epoch(vm)).isEqualTo(1);
    }

    /** The others have a quorum: they store a VM that runs nowhere. */
    private void create(String vm, String lost) {
        var api = cluster.lab().api(cluster.other(lost));
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .until(() ->
                        Api.call(
                                                api,
                                                "POST",
                                                "/api/v1/vms?start=false",
                                                ControlPlaneLossTest.spec(vm))
                                        .status()
                                == 201);
    }

    /** What the log and the store have reserved on the disk takes some writes yet. */
    private List<String> createLargeOnesUntil(String lost, String words) {
        var disks =
                IntStream.range(0, 16)
                        .mapToObj(
                                "{\"name\": \"disk%d\", \"kind\": \"ephemeral\", \"sizeMiB\": 8}"
                                        ::formatted)
                        .collect(Collectors.joining(", "));
        var created = new ArrayList<String>();
        await().atMost(Cluster.PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .untilAsserted(() -> {
                    var name = "large" + created.size();
                    var spec =
                            "{\"name\": \"%s\", \"memoryMiB\": 64, \"disks\": [%s]}"
                                    .formatted(name, disks);
                    var api = cluster.lab().api(cluster.other(lost));
                    assertThat(Api.call(api, "POST", "/api/v1/vms?start=false", spec).status())
                            .isEqualTo(201);
                    created.add(name);
                    assertSaid(lost, words);
                });
        return created;
    }

    private void assertKnown(String node, String... vms) {
        for (var vm : vms) {
            await().atMost(Cluster.PATIENCE)
                    .ignoreExceptions()
                    .untilAsserted(() ->
                            assertThat(
                                            Api.call(
                                                            cluster.lab().api(node),
                                                            "GET",
                                                            "/api/v1/vms/" + vm,
                                                            "")
                                                    .status())
                                    .as("%s, asked for %s", node, vm)
                                    .isEqualTo(200));
        }
    }

    private void awaitSaid(String node, String words) {
        await().atMost(Cluster.PATIENCE).untilAsserted(() -> assertSaid(node, words));
    }

    private void assertSaid(String node, String words) {
        assertThat(cluster.lab().lastLogLines(node, 10_000))
                .as("what %s said", node)
                .anyMatch(line -> line.contains(words));
    }

    /** What it prints until it has ended, which it must not do with success. */
    private String startAnother(String name, String machine, String config)
            throws IOException, InterruptedException {
        var process = begin(machine, config);
        try {
            assertThat(process.waitFor(Cluster.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as("a second node named %s has ended by itself: %s", name, log())
                    .isTrue();
            assertThat(process.exitValue()).isNotZero();
            return Files.readString(log());
        } finally {
            process.destroyForcibly();
        }
    }

    private Process begin(String machine, String config) throws IOException {
        var file = Files.writeString(folder.resolve("belay.conf"), config);
        var command =
                new ArrayList<>(List.of("ip", "netns", "exec", cluster.lab().namespace(machine)));
        command.addAll(cluster.lab().program());
        command.add(file.toString());
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log().toFile())
                .start();
    }

    private Path log() {
        return folder.resolve("node.log");
    }

    /** The servers' names are mixed up: the new one has the old one's. */
    private String withoutVote(OtherAddress there, String server) throws IOException {
        var config = elsewhere(server);
        var old =
                config.lines()
                        .filter(line -> line.contains("{ name = \"%s\",".formatted(server)))
                        .findFirst()
                        .orElseThrow();
        var own = there.in(old);
        return there.in(config)
                .replace(
                        own,
                        own.replace("voter = true", "voter = false")
                                + "\n"
                                + old.replace('"' + server + '"', "\"charlie\""));
    }

    private String elsewhere(String server) throws IOException {
        return Files.readString(cluster.lab().config(server))
                .replace(cluster.lab().data(server).toString(), folder.resolve("data").toString())
                .replace(
                        cluster.lab().data(server).resolveSibling("run").toString(),
                        folder.resolve("run").toString());
    }
}
