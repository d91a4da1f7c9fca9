package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.lab.TestVm;
import java.time.Instant;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An operator stops automatic moves for a while, and a server is lost again and again. */
@Tag("system")
class CalmTest {
    @RegisterExtension static final LabExtension LAB = new LabExtension("calm");

    private final Cluster cluster = new Cluster(LAB.lab());

    @Test
    void aDisarmedClusterMovesNothingAndArmsItselfAlsoWhenTheDeciderCrashesMeanwhile() {
        var guest = cluster.create("held", TestVm.Disk.EPHEMERAL);
        var before = cluster.server("held");
        var epoch = cluster.epoch("held");
        var disarmed =
                Api.call(
                        cluster.lab(),
                        "POST",
                        "/api/v1/disarm",
                        "{\"forSeconds\": 30, \"reason\": \"new switch\", \"by\": \"ada\"}");
        assertThat(disarmed.status()).as("%s", disarmed).isEqualTo(200);
        var until = Instant.parse(disarmed.body().path("until").asText());
        awaitExplanation("held", "by ada: new switch");

        cluster.lab().crash("witness");
        cluster.lab().awaitReady("witness", Cluster.PATIENCE);
        cluster.lab().kill(before);
        cluster.awaitNewer("held", epoch, guest);

        assertThat(cluster.server("held")).isEqualTo(cluster.other(before));
        assertThat(whenFenced(cluster.lastReport("held")))
                .as("when the move began")
                .isAfterOrEqualTo(until);
        assertThat(cluster.lab().get("/api/v1/disarm").orElseThrow().path("disarmed").asBoolean())
                .isFalse();
        cluster.assertOneCopy("held");
        cluster.delete("held");
        cluster.lab().start(before);
        cluster.lab().awaitReady(before, Cluster.PATIENCE);
    }

    @Test
    void aServerThatIsLostThreeTimesGetsNoNewVmUntilAnOperatorSaysSo() {
        var flapping = cluster.lab().servers().getFirst();
        while (!server(flapping).path("state").asText().equals("quarantined")) {
            assertThat(server(flapping).path("incarnation").asLong()).isLessThan(10);
            cluster.lab().kill(flapping);
            await().atMost(Cluster.PATIENCE)
                    .ignoreExceptions()
                    .until(() -> server(flapping).path("state").asText().startsWith("fenc"));
            cluster.lab().start(flapping);
            cluster.lab().awaitReady(flapping, Cluster.PATIENCE);
        }
        assertThat(server(flapping).path("explanation").asText())
                .contains("lost 3 times within an hour", "belay server release " + flapping);

        var spec =
                ControlPlaneLossTest.spec("picky")
                        .replace(
                                "\"cpus\"",
                                "\"placement\": {\"only\": [\"%s\"]}, \"cpus\""
                                        .formatted(flapping));
        assertThat(Api.call(cluster.lab(), "POST", "/api/v1/vms", spec).status()).isEqualTo(201);
        awaitExplanation("picky", flapping + ": it is quarantined");
        assertThat(cluster.lab().serversRunning("picky")).isEmpty();

        Api.call(cluster.lab(), "POST", "/api/v1/servers/" + flapping + "/release", "");
        cluster.awaitRunning("picky");
        assertThat(cluster.server("picky")).isEqualTo(flapping);
        cluster.delete("picky");
    }

    @Test
    void aVmThatCannotMoveStaysOnAServerInMaintenanceUntilItsRestartIsAskedFor() {
        var guest = cluster.createWithALine("stays");
        var emptied = cluster.server("stays");
        var epoch = cluster.epoch("stays");

        maintain(emptied, "");
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    var left = server(emptied).path("maintenance").path("remaining").path(0);
                    assertThat(left.path("vm").asText()).isEqualTo("stays");
                    assertThat(left.path("moves").asBoolean()).isFalse();
                    assertThat(left.path("why").asText()).contains("--restart-vms");
                });
        assertThat(cluster.epoch("stays")).isEqualTo(epoch);

        maintain(emptied, "?restartVms=true");
        cluster.awaitNewer("stays", epoch, guest);
        assertThat(cluster.server("stays")).isEqualTo(cluster.other(emptied));
        assertThat(guest.lines()).isEqualTo(1);
        cluster.assertOneCopy("stays");
        await().atMost(Cluster.PATIENCE)
                .until(() -> server(emptied).path("maintenance").path("empty").asBoolean());

        Api.call(cluster.lab(), "POST", "/api/v1/servers/" + emptied + "/activate", "");
        cluster.delete("stays");
    }

    private void maintain(String server, String how) {
        assertThat(
                        Api.call(
                                        cluster.lab(),
                                        "POST",
                                        "/api/v1/servers/" + server + "/maintenance" + how,
                                        "")
                                .status())
                .isEqualTo(202);
    }

    private static Instant whenFenced(JsonNode report) {
        return report.path("steps")
                .valueStream()
                .filter(step -> step.path("what").asText().startsWith("fenced "))
                .map(step -> Instant.parse(step.path("at").asText()))
                .findFirst()
                .orElseThrow();
    }

    private JsonNode server(String name) {
        return cluster.lab().get("/api/v1/servers/" + name).orElseThrow();
    }

    private void awaitExplanation(String vm, String part) {
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() ->
                        assertThat(cluster.vm(vm).path("explanation").asText()).contains(part));
    }
}
