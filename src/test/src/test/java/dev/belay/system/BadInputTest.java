package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.lab.TestVm;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a real cluster says to what it cannot do: a clear error, and nothing changed. */
@Tag("system")
class BadInputTest {
    @RegisterExtension static final LabExtension LAB = new LabExtension("badinput");

    private final Cluster cluster = new Cluster(LAB.lab());

    @Test
    void aMissingImageIsNamedWithTheServersThatLackIt() {
        refused(
                """
                {"name": "noimage", "memoryMiB": 64, "disks": [{"name": "root", "kind": "ephemeral", "image": "/no/such/image.qcow2"}]}
                """,
                422,
                "/no/such/image.qcow2");
    }

    @Test
    void anImageThatIsNoneIsRefused() throws IOException {
        var image = Files.createDirectories(cluster.lab().sharedFolder()).resolve("garbage.qcow2");
        Files.write(image, new byte[] {1, 2, 3});
        refused(
                """
                {"name": "badimage", "memoryMiB": 64, "disks": [{"name": "root", "kind": "shared", "path": "%s"}]}
                """
                        .formatted(image),
                422,
                "garbage.qcow2");
    }

    /** Root may read everything but a folder and what is not there any more. */
    @Test
    void anImageThatCannotBeReadIsRefused() throws IOException {
        var folder = Files.createDirectories(cluster.lab().sharedFolder().resolve("folder.raw"));
        refused(
                """
                {"name": "unread", "memoryMiB": 64, "disks": [{"name": "root", "kind": "ephemeral", "image": "%s"}]}
                """
                        .formatted(folder),
                422,
                "folder.raw");
    }

    @Test
    void ofTwoCreatesOfOneNameAtOnceAtTwoNodesExactlyOneWins() {
        for (int round = 1; round <= 5; round++) {
            var name = "race" + round;
            var spec = ControlPlaneLossTest.spec(name);
            var creates =
                    cluster.lab().apis().stream()
                            .map(api ->
                                    CompletableFuture.supplyAsync(
                                            () ->
                                                    Api.call(
                                                            api,
                                                            "POST",
                                                            "/api/v1/vms?start=false",
                                                            spec),
                                            Thread::startVirtualThread))
                            .toList();
            var answers = creates.stream().map(create -> create.join().status()).sorted().toList();
            assertThat(answers).containsExactly(201, 409, 409);
            cluster.delete(name);
        }
    }

    @Test
    void unknownFieldsZeroMemoryAndOddNamesAreRefusedByName() {
        var good = ControlPlaneLossTest.spec("odd");
        refused(good.replace("\"cpus\"", "\"memroy\": 1, \"cpus\""), 422, "memroy");
        refused(good.replace("\"memoryMiB\": 64", "\"memoryMiB\": 0"), 422, "memoryMiB");
        refused(good.replace("\"odd\"", "\"../etc\""), 422, "name");
    }

    @Test
    void aNameThatIsTakenIsRefused() {
        assertThat(
                        Api.call(
                                        cluster.lab(),
                                        "POST",
                                        "/api/v1/vms?start=false",
                                        ControlPlaneLossTest.spec("taken"))
                                .status())
                .isEqualTo(201);
        for (var api : cluster.lab().apis()) {
            var again =
                    Api.call(
                            api,
                            "POST",
                            "/api/v1/vms?start=false",
                            ControlPlaneLossTest.spec("taken"));
            assertThat(again.status()).isEqualTo(409);
            assertThat(again.detail()).contains("taken");
        }
        cluster.delete("taken");
    }

    @Test
    void aVmThatIsLargerThanEveryServerIsRefused() {
        refused(
                ControlPlaneLossTest.spec("huge")
                        .replace("\"memoryMiB\": 64", "\"memoryMiB\": 4000000"),
                422,
                "4000000 are needed");
    }

    /** Each server has as much, but for what runs there. */
    @Test
    void aVmThatFitsNowhereNowWaitsAndSaysWhy() {
        for (var server : List.of("alpha", "bravo")) {
            create(
                    ControlPlaneLossTest.spec("on-" + server)
                            .replace(
                                    "\"cpus\"",
                                    "\"placement\": {\"only\": [\"%s\"]}, \"cpus\""
                                            .formatted(server)));
            cluster.awaitRunning("on-" + server);
        }
        var whole =
                cluster.lab().get("/api/v1/servers/alpha").orElseThrow().path("memoryMiB").asInt();
        create(
                ControlPlaneLossTest.spec("large")
                        .replace("\"memoryMiB\": 64", "\"memoryMiB\": " + whole));
        await().atMost(Cluster.PATIENCE)
                .untilAsserted(() -> {
                    var vm = cluster.vm("large");
                    assertThat(vm.path("state").asText()).isEqualTo("Waiting");
                    assertThat(vm.path("explanation").asText())
                            .contains(whole + " are needed", "alpha", "bravo");
                });
        List.of("large", "on-alpha", "on-bravo").forEach(cluster::delete);
    }

    @Test
    void aMegabyteOfGarbageDoesNoHarm() throws IOException {
        var guest = cluster.create("unharmed", TestVm.Disk.NONE);
        var api = cluster.lab().apis().getFirst();
        var garbage = new byte[1 << 20];
        new Random(1).nextBytes(garbage);
        try (var socket = new Socket(api.getHost(), api.getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(garbage);
            socket.getInputStream().readNBytes(64);
        } catch (IOException closedByTheServer) {
            assertThat(closedByTheServer).isNotNull();
        }
        assertThat(Api.call(api, "GET", "/api/v1/vms/unharmed", "").status()).isEqualTo(200);
        assertThat(guest.answers()).isTrue();
        cluster.delete("unharmed");
    }

    private void create(String spec) {
        assertThat(Api.call(cluster.lab(), "POST", "/api/v1/vms", spec).status()).isEqualTo(201);
    }

    private void refused(String spec, int status, String named) {
        var before = cluster.lab().get("/api/v1/vms").orElseThrow();
        var answer = Api.call(cluster.lab(), "POST", "/api/v1/vms", spec);
        assertThat(answer.status()).as(String.valueOf(answer.body())).isEqualTo(status);
        assertThat(answer.detail()).contains(named);
        assertThat(cluster.lab().get("/api/v1/vms").orElseThrow()).isEqualTo(before);
    }
}
