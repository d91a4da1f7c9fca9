package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.TestVm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** One cluster, and each name in it once. */
@Tag("system")
class NodeIdentityTest {
    @RegisterExtension static final LabExtension LAB = new LabExtension("identity");

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

    /** What it prints until it has ended, which it must not do with success. */
    private String startAnother(String name, String machine, String config)
            throws IOException, InterruptedException {
        var file = Files.writeString(folder.resolve("belay.conf"), config);
        var log = folder.resolve("node.log");
        var command =
                new ArrayList<>(List.of("ip", "netns", "exec", cluster.lab().namespace(machine)));
        command.addAll(cluster.lab().program());
        command.add(file.toString());
        var process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        try {
            assertThat(process.waitFor(Cluster.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as("a second node named %s has ended by itself: %s", name, log)
                    .isTrue();
            assertThat(process.exitValue()).isNotZero();
            return Files.readString(log);
        } finally {
            process.destroyForcibly();
        }
    }

    private String elsewhere(String server) throws IOException {
        return Files.readString(cluster.lab().config(server))
                .replace(cluster.lab().data(server).toString(), folder.resolve("data").toString())
                .replace(
                        cluster.lab().data(server).resolveSibling("run").toString(),
                        folder.resolve("run").toString());
    }
}
