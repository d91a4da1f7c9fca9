package dev.belay.http;

import static dev.belay.http.ProblemAssert.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.ServerState;
import dev.belay.model.VmName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Disarming, quarantine, and a person's word that a server is off. */
class CalmApiTest {
    private final TestNode node = new TestNode();

    @AfterEach
    void close() {
        node.close();
    }

    private TestNode.Answer disarm(String body) {
        return node.send("POST", "/api/v1/disarm", "application/json", body);
    }

    @Test
    void theClusterIsDisarmedForAWhileAndEverybodySeesIt() {
        assertThat(node.get("/api/v1/disarm").body().toString())
                .isEqualTo(
                        "{\"disarmed\":false,\"since\":null,\"until\":null,\"by\":null,\"reason\":null}");
        node.create("web");

        var answer = disarm("{\"forSeconds\": 1800, \"reason\": \"new switch\", \"by\": \"ada\"}");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body().path("disarmed").asBoolean()).isTrue();
        assertThat(answer.body().path("until").asText()).startsWith("2026-11-01T12:30:00");
        assertThat(node.get("/api/v1/disarm").body()).isEqualTo(answer.body());
        assertThat(node.get("/api/v1/health/ready").body().path("disarmed").asText())
                .contains("by ada: new switch");
        assertThat(node.get("/api/v1/vms/web").body().path("explanation").asText())
                .contains("by ada: new switch");
        assertThat(node.get("/api/v1/vms/web").body().path("protection").asText())
                .isEqualTo("DEGRADED");
        assertThat(node.get("/api/v1/events?from=1").body().toString())
                .contains("\"kind\":\"cluster\"", "ClusterDisarmed");

        assertThat(node.post("/api/v1/arm").body().path("disarmed").asBoolean()).isFalse();
        assertThat(node.get("/api/v1/health/ready").body().path("disarmed").isNull()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"forSeconds\": 86401, \"reason\": \"x\"} | forSeconds: expected a whole number from 1 to 86400",
                "{\"forSeconds\": 0, \"reason\": \"x\"} | forSeconds: expected a whole number from 1 to 86400",
                "{\"reason\": \"x\"} | forSeconds: missing",
                "{\"forSeconds\": 60} | reason: missing",
                "{\"forSeconds\": 60, \"reason\": \"\"} | reason: expected 1 to 200 characters",
                "{\"forSeconds\": 60, \"reason\": \"x\", \"untill\": 1} | untill: unknown field"
            })
    void aBodyThatIsWrongIsRefusedAndNothingChanges(String body, String detail) {
        assertProblem(disarm(body), 422, "invalid-body", detail);
        assertThat(node.get("/api/v1/disarm").body().path("disarmed").asBoolean()).isFalse();
    }

    @Test
    void aBodyThatIsNoObjectIsMalformed() {
        assertProblem(disarm("[]"), 400, "malformed-body", "forSeconds and reason");
        assertProblem(disarm(""), 400, "malformed-body", "it is empty");
    }

    @Test
    void aClusterThatDoesNotConfirmLeavesTheOutcomeUnknown() {
        node.admin.silent = true;

        assertProblem(disarm("{\"forSeconds\": 60, \"reason\": \"x\"}"), 503, "outcome-unknown");
        assertProblem(node.post("/api/v1/servers/alpha/release"), 503, "outcome-unknown");
    }

    @Test
    void aQuarantinedServerSaysWhyAndIsReleased() {
        node.admin.quarantineAlpha();
        assertThat(node.get("/api/v1/servers/alpha").body().path("explanation").asText())
                .contains("quarantined: lost 3 times within an hour")
                .contains("belay server release alpha");

        var released = node.post("/api/v1/servers/alpha/release");

        assertThat(released.status()).isEqualTo(202);
        assertThat(released.body().path("explanation").asText()).doesNotContain("quarantined");
        assertThat(node.post("/api/v1/servers/alpha/release").status()).as("again").isEqualTo(202);
        assertProblem(node.post("/api/v1/servers/delta/release"), 404, "server-not-found");
        assertProblem(
                node.post("/api/v1/servers/gamma/release"), 404, "server-not-found", "a witness");
        assertProblem(
                node.post("/api/v1/servers/beta/release"),
                404,
                "server-not-found",
                "never admitted");
    }

    @Test
    void aServerInMaintenanceTellsWhatIsLeftOnIt() {
        node.create("web");

        var begun = node.post("/api/v1/servers/alpha/maintenance");

        assertThat(begun.status()).isEqualTo(202);
        var maintenance = begun.body().path("maintenance");
        assertThat(maintenance.path("empty").asBoolean()).isFalse();
        assertThat(maintenance.path("restartVms").asBoolean()).isFalse();
        assertThat(maintenance.path("remaining").get(0).path("vm").asText()).isEqualTo("web");
        assertThat(maintenance.path("remaining").get(0).path("moves").asBoolean()).isFalse();
        assertThat(begun.body().path("explanation").asText())
                .contains("VMs on it, or down since they left it: 1, of which 1 stay");
        assertThat(
                        node.post("/api/v1/servers/alpha/maintenance?restartVms=true")
                                .body()
                                .path("maintenance")
                                .path("restartVms")
                                .asBoolean())
                .isTrue();

        var ended = node.post("/api/v1/servers/alpha/activate");
        assertThat(ended.status()).isEqualTo(202);
        assertThat(ended.body().path("maintenance").isNull()).isTrue();
        assertProblem(
                node.post("/api/v1/servers/alpha/maintenance?restart=true"),
                400,
                "invalid-parameter");
        assertProblem(node.post("/api/v1/servers/gamma/maintenance"), 404, "server-not-found");
    }

    private TestNode.Answer confirm(String name, String body) {
        return node.send(
                "POST", "/api/v1/servers/" + name + "/confirm-off", "application/json", body);
    }

    @Test
    void aPersonConfirmsThatAServerIsOff() {
        node.admin.alphaAnswers = false;

        var answer = confirm("alpha", "{\"confirm\": \"alpha\"}");

        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.body().path("explanation").asText())
                .contains("as soon as it is proved that it runs nothing");
        assertThat(node.admin.alpha).isInstanceOf(ServerState.Fencing.class);
    }

    @Test
    void aServerThatAnswersIsNotOff() {
        assertProblem(
                confirm("alpha", "{\"confirm\": \"alpha\"}"), 409, "conflict", "it is not off");
        assertThat(node.admin.alpha).isInstanceOf(ServerState.Live.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"{\"confirm\": \"beta\"} | but got 'beta'", "{} | confirm: missing"})
    void aConfirmationOfAnotherServerIsRefused(String body, String detail) {
        node.admin.alphaAnswers = false;

        assertProblem(confirm("alpha", body), 422, "invalid-body", detail);
        assertThat(node.admin.alpha).isInstanceOf(ServerState.Live.class);
    }

    @Test
    void aLostVmOfADisarmedClusterWaits() {
        node.create("web");
        disarm("{\"forSeconds\": 60, \"reason\": \"x\"}");
        node.admin.serversObey = false;
        node.admin.loseAlpha(new VmName("web"));

        assertThat(node.get("/api/v1/vms/web").body().path("primary").isNull()).isTrue();
    }
}
