package dev.belay.http;

import static dev.belay.http.ProblemAssert.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.admin.Admin.Readiness;
import dev.belay.decision.Evidence;
import dev.belay.decision.Proof;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmState;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.VmName;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpApiTest {
    private static final VmName WEB = new VmName("web");
    private final TestNode node = new TestNode();

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void aVmIsCreatedFromJsonAndRuns() {
        var answer = node.create("web");

        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.raw().headers().firstValue("Location")).hasValue("/api/v1/vms/web");
        assertThat(answer.body().path("name").asText()).isEqualTo("web");
        assertThat(node.get("/api/v1/vms/web").body().path("state").asText()).isEqualTo("Running");
    }

    @Test
    void aVmIsCreatedFromYamlAndIsNotStartedWhenThatIsNotWanted() {
        var yaml =
                """
                name: db
                memoryMiB: 256
                disks:
                  - {name: root, kind: shared, path: /srv/db.qcow2}
                nics:
                  - {bridge: br0, mac: "52:54:00:12:34:56"}
                """;

        var answer =
                node.send(
                        "POST", "/api/v1/vms?start=false", "application/yaml; charset=utf-8", yaml);

        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.body().path("state").asText()).isEqualTo("Stopped");
        assertThat(answer.body().path("desired").asText()).isEqualTo("STOPPED");
        assertThat(answer.body().at("/disks/0/format").asText()).isEqualTo("qcow2");
        assertThat(answer.body().at("/nics/0/mac").asText()).isEqualTo("52:54:00:12:34:56");
    }

    @Test
    void aVmShowsAllItsFieldsAlways() {
        node.admin.serversObey = false;
        var body = node.create("web").body();

        assertThat(names(body))
                .containsExactly(
                        "name",
                        "level",
                        "desired",
                        "state",
                        "protection",
                        "primary",
                        "secondary",
                        "progress",
                        "lockstep",
                        "epoch",
                        "explanation",
                        "current",
                        "address",
                        "failovers",
                        "failures",
                        "deleting",
                        "cpus",
                        "memoryMiB",
                        "priority",
                        "latencyBudgetMillis",
                        "placement",
                        "kernel",
                        "initrd",
                        "commandLine",
                        "disks",
                        "nics");
        assertThat(body.path("primary").isNull()).isTrue();
        assertThat(body.path("address").asText()).isEqualTo("192.0.2.7");
        assertThat(body.path("epoch").asLong()).isZero();
        assertThat(body.path("placement").toString())
                .isEqualTo("{\"only\":[],\"prefer\":[],\"avoid\":[]}");
    }

    @Test
    void vmsAreListedByName() {
        node.create("web");
        node.create("db");

        var body = node.get("/api/v1/vms").body();

        assertThat(body.findValuesAsText("name")).containsExactly("db", "web");
    }

    @Test
    void aVmIsStoppedStartedAndDeleted() {
        node.create("web");

        assertThat(node.post("/api/v1/vms/web/stop").status()).isEqualTo(202);
        assertThat(node.post("/api/v1/vms/web/start").body().path("primary").asText())
                .isEqualTo("alpha");
        assertThat(node.post("/api/v1/vms/web/stop?kill=true").body().path("state").asText())
                .isEqualTo("Stopped");
        var deleted = node.send("DELETE", "/api/v1/vms/web", "", "");

        assertThat(deleted.status()).isEqualTo(202);
        assertThat(deleted.body().path("state").asText()).isEqualTo("Absent");
        assertThat(node.admin.requests)
                .contains(
                        new VmInput.Stop(false), new VmInput.Stop(true), new VmInput.Delete(false));
        assertProblem(node.get("/api/v1/vms/web"), 404, "vm-not-found", "web");
    }

    @Test
    void aVmIsRaisedSwitchedOverAndLowered() {
        node.create("web");

        var raised = node.post("/api/v1/vms/web/protect?level=system");
        assertThat(raised.status()).isEqualTo(202);
        var vm = node.get("/api/v1/vms/web").body();
        assertThat(vm.path("level").asText()).isEqualTo("SYSTEM");
        assertThat(vm.path("state").asText()).isEqualTo("Lockstep");
        assertThat(vm.path("primary").asText()).isEqualTo("alpha");
        assertThat(vm.path("secondary").asText()).isEqualTo("beta");
        assertThat(vm.path("progress").isNull()).isTrue();
        assertThat(node.get("/api/v1/servers/beta").body().path("secondaries").toString())
                .isEqualTo("[\"web\"]");
        assertThat(node.get("/api/v1/servers/alpha").body().path("secondaries")).isEmpty();

        assertThat(node.post("/api/v1/vms/web/switchover").status()).isEqualTo(202);
        node.admin.tell(WEB, new VmInput.BackOffOver(new Epoch(2)));
        vm = node.get("/api/v1/vms/web").body();
        assertThat(vm.path("primary").asText()).isEqualTo("beta");
        assertThat(vm.path("secondary").asText()).isEqualTo("alpha");

        assertThat(node.post("/api/v1/vms/web/protect?level=restart").status()).isEqualTo(202);
        vm = node.get("/api/v1/vms/web").body();
        assertThat(vm.path("state").asText()).isEqualTo("Running");
        assertThat(vm.path("secondary").isNull()).isTrue();
        assertProblem(node.post("/api/v1/vms/web/switchover"), 409, "conflict", "two servers");
    }

    @Test
    void aVmOnItsWayToTwoServersTellsHowFarItIs() {
        node.create("web");
        node.admin.serversObey = false;
        node.post("/api/v1/vms/web/protect?level=system");
        node.admin.tell(
                WEB, new VmInput.Reserved(FakeAdmin.BETA, new Incarnation(1), new Epoch(2)));

        var vm = node.get("/api/v1/vms/web").body();

        assertThat(vm.path("state").asText()).isEqualTo("Raising");
        assertThat(vm.path("progress").toString()).isEqualTo("{\"stage\":\"DISKS\",\"percent\":0}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "?level=", "?level=high"})
    void aLevelThatIsNoneIsRefused(String query) {
        node.create("web");
        assertProblem(
                node.post("/api/v1/vms/web/protect" + query),
                400,
                "invalid-parameter",
                "level",
                "one of restart, system");
        assertThat(node.get("/api/v1/vms/web").body().path("level").asText()).isEqualTo("RESTART");
    }

    @Test
    void aLevelThatIsNotBuiltYetIsCalledSo() {
        node.create("web");

        assertProblem(
                node.post("/api/v1/vms/web/protect?level=component"),
                422,
                "unsupported",
                "Level COMPONENT is not built yet: choose RESTART or SYSTEM.");
    }

    @Test
    void aFailoverIsTold() {
        node.create("web");
        var lost = new Incarnation(1);
        var seen = new Evidence(FakeAdmin.START, "beta", "no heartbeat from alpha");
        node.admin.tell(WEB, new VmInput.ServerLost(FakeAdmin.ALPHA, lost, List.of(seen)));

        var during = node.get("/api/v1/vms/web/failovers").body();
        assertThat(during).hasSize(1);
        assertThat(during.at("/0/endedAt").isNull()).isTrue();
        assertThat(during.at("/0/totalMs").isNull()).isTrue();
        var vm = node.get("/api/v1/vms/web").body();
        assertThat(vm.path("state").asText()).isEqualTo("FailingOver");
        assertThat(vm.path("primary").isNull()).isTrue();

        var proof = new Proof(Proof.Kind.LEASE, "waited 5 s", FakeAdmin.START);
        node.admin.tell(WEB, new VmInput.FenceProved(FakeAdmin.ALPHA, lost, proof));
        var report = node.get("/api/v1/vms/web/failovers").body().path(0);

        assertThat(names(report))
                .containsExactly(
                        "number",
                        "cause",
                        "from",
                        "to",
                        "startedAt",
                        "endedAt",
                        "totalMs",
                        "steps");
        assertThat(report.path("from").asText()).isEqualTo("alpha");
        assertThat(report.path("totalMs").asLong()).isPositive();
        var first = report.at("/steps/0");
        assertThat(names(first)).containsExactly("at", "afterMs", "where", "what", "tookMs");
        assertThat(first.path("what").asText()).contains("no heartbeat from alpha");
        assertThat(first.path("afterMs").asLong()).isZero();
        assertThat(first.path("tookMs").isNull()).isTrue();
        assertThat(report.path("steps").findValuesAsText("tookMs")).contains("42");
        assertThat(node.get("/api/v1/vms/web").body().path("failovers").asInt()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatThisNodeOnlyLastKnewIsCalledSo(boolean cutOff) {
        assertThat(node.create("web").body().path("current").asBoolean()).isTrue();
        node.admin.cutOff = cutOff;

        var vm = node.get("/api/v1/vms/web");
        assertThat(vm.body().path("current").toString()).isEqualTo(String.valueOf(!cutOff));
        for (var answer : List.of(vm, node.get("/api/v1/vms/web/failovers"))) {
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.raw().headers().firstValue("Belay-Current"))
                    .hasValue(String.valueOf(!cutOff));
        }
        assertThat(node.get("/api/v1/vms").body().at("/0/current").isNull()).isTrue();
    }

    @Test
    void serversAndWitnessesAreShown() {
        var all = node.get("/api/v1/servers").body();

        assertThat(all.findValuesAsText("name")).containsExactly("alpha", "beta", "gamma");
        var alpha = node.get("/api/v1/servers/alpha").body();
        assertThat(alpha.path("incarnation").asLong()).isEqualTo(1);
        assertThat(alpha.path("memoryMiB").asInt()).isEqualTo(1024);
        assertThat(alpha.path("reservedMiB").asInt()).isEqualTo(128);
        assertThat(alpha.path("qemu").asText()).isEqualTo("11.1.3");
        assertThat(alpha.path("machine").asText()).isEqualTo("pc-i440fx-11.1");
        assertThat(alpha.path("lockstep").asBoolean()).isTrue();
        assertThat(alpha.path("vms").toString()).isEqualTo("[\"web\"]");
        assertThat(all.path(2).path("memoryMiB").isNull()).isTrue();
        assertThat(all.path(2).path("qemu").isNull()).isTrue();
        assertThat(all.findValuesAsText("explanation")).noneMatch(String::isBlank);
        assertProblem(node.get("/api/v1/servers/delta"), 404, "server-not-found");
    }

    @Test
    void whatLockstepCostsIsMeasured() {
        var answer = node.get("/api/v1/metrics");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.raw().body())
                .contains(
                        "# TYPE belay_lockstep_checkpoints_total counter",
                        "belay_lockstep_checkpoints_total{vm=\"web\"} 120",
                        "belay_lockstep_pause_seconds{vm=\"web\"} 0.02",
                        "belay_lockstep_checkpoint_delay_seconds{vm=\"web\"} 0.4")
                .doesNotContain("null");
    }

    @Test
    void eventsComeInPages() {
        node.create("web");

        var page = node.get("/api/v1/events?from=1&max=2").body();

        assertThat(page.path("events")).hasSize(2);
        assertThat(page.path("next").asLong()).isEqualTo(3);
        var first = page.at("/events/0");
        assertThat(names(first))
                .containsExactly("offset", "entity", "kind", "name", "sequenceNr", "at", "event");
        assertThat(first.path("entity").asText()).isEqualTo("vm|web");
        assertThat(first.path("kind").asText()).isEqualTo("vm");
        assertThat(first.path("name").asText()).isEqualTo("web");
        assertThat(first.at("/event/type").asText()).isEqualTo("VmCreated");
        assertThat(first.at("/event/spec/name").asText()).isEqualTo("web");
        assertThat(first.at("/event/spec").has("pinned")).isFalse();
        assertThat(first.path("at").asText()).startsWith("2026-11-01T12:00");
        assertThat(node.get("/api/v1/events?from=1000").body().path("next").asLong())
                .isEqualTo(1000);
    }

    @Test
    void healthIsTold() {
        assertThat(node.get("/api/v1/health/live").status()).isEqualTo(200);
        assertThat(node.get("/api/v1/health/ready").body().toString())
                .isEqualTo(
                        "{\"ready\":true,\"why\":\"\",\"node\":\"alpha\",\"journalLeader\":\"alpha\",\"disarmed\":null}");

        node.admin.readiness =
                new Readiness(false, "no journal leader", FakeAdmin.ALPHA, Optional.empty());

        var answer = node.get("/api/v1/health/ready");
        assertProblem(answer, 503, "not-ready", "no journal leader");
        assertThat(answer.body().path("ready").asBoolean(true)).isFalse();
        assertThat(answer.body().path("journalLeader").isNull()).isTrue();
        assertThat(answer.body().path("node").asText()).isEqualTo("alpha");
    }

    @Test
    void aTakenNameIsRefused() {
        node.create("web");

        assertProblem(node.create("web"), 409, "name-taken", "web");
    }

    @Test
    void aVmThatNoServerCanRunIsRefusedWithEachServersReason() {
        node.admin.obstacles =
                Map.of(
                        FakeAdmin.ALPHA, List.of("there is no /boot/vmlinuz"),
                        FakeAdmin.BETA, List.of("it has 1 MiB free", "there is no bridge br0"));

        var answer = node.create("web");

        assertProblem(answer, 422, "no-server-fits", "alpha: there is no /boot/vmlinuz", "br0");
        assertThat(answer.body().at("/servers/beta")).hasSize(2);
        assertThat(node.admin.requests).isEmpty();
    }

    @Test
    void whatServersHaveInCommonIsToldOnce() {
        var why = List.of("This server has no bridge 'br7'.");
        node.admin.obstacles = Map.of(FakeAdmin.ALPHA, why, FakeAdmin.BETA, why);

        assertProblem(
                node.create("web"),
                422,
                "no-server-fits",
                "none can. alpha, beta: This server has no bridge 'br7'. Nothing was changed.");
    }

    /** Whatever the servers say: it is the level that it cannot have. */
    @Test
    void aLevelThatTheSpecCannotHaveIsRefusedBeforeServersAreAsked() {
        var why = List.of("The disk is SHARED.");
        node.admin.obstacles = Map.of(FakeAdmin.ALPHA, why, FakeAdmin.BETA, why);
        var spec =
                TestNode.spec("two")
                        .replace(
                                "{\"name\"",
                                "{\"level\": \"system\", \"disks\": [{\"name\": \"root\", \"kind\": \"shared\", \"path\": \"/d.raw\"}], \"name\"");

        assertProblem(
                node.send("POST", "/api/v1/vms", "application/json", spec),
                422,
                "unsupported",
                "disk 'root' is SHARED",
                "Nothing was changed");
    }

    @Test
    void oneFittingServerIsEnoughAndNoneThatAnswersIsNoObstacle() {
        node.admin.obstacles = Map.of(FakeAdmin.ALPHA, List.of("full"), FakeAdmin.BETA, List.of());
        assertThat(node.create("web").status()).isEqualTo(201);

        node.admin.obstacles = Map.of();
        assertThat(node.create("db").status()).isEqualTo(201);
    }

    @Test
    void aVmThatIsLargerThanEveryServerIsRefused() {
        var answer = create(sized(1025));

        assertProblem(
                answer,
                422,
                "no-server-fits",
                "alpha: it has 1024 MiB for VMs in all, and 1025 are needed.",
                "beta: it has 512 MiB");
        assertThat(node.admin.requests).isEmpty();
    }

    /** 128 of the 1024 MiB are another VM's. */
    @Test
    void aVmForWhichThereIsOnlyNoRoomNowWaits() {
        var answer = create(sized(1024));

        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.body().path("state").asText()).isEqualTo("Waiting");
        assertThat(answer.body().path("explanation").asText()).contains("896 MiB free of 1024");
    }

    @Test
    void whatIsTooSmallHereAndLacksSomethingThereFitsNowhere() {
        node.admin.obstacles =
                Map.of(FakeAdmin.ALPHA, List.of("no bridge"), FakeAdmin.BETA, List.of());

        assertProblem(
                create(sized(513)),
                422,
                "no-server-fits",
                "alpha: no bridge.",
                "beta: it has 512 MiB");
    }

    @Test
    void onlyServersThatItMayRunOnCount() {
        assertProblem(
                create(sized(513).replaceFirst("\\{", "{\"placement\": {\"only\": [\"beta\"]}, ")),
                422,
                "no-server-fits",
                "in placement.only that answer none can. beta: it has 512 MiB");
    }

    /** Gamma is a witness, and runs none. */
    @ParameterizedTest
    @CsvSource({"only, delta", "prefer, delta", "avoid, delta", "only, gamma"})
    void aServerThatIsNoneOfTheClustersIsNamed(String field, String name) {
        var placement = "{\"placement\": {\"%s\": [\"alpha\", \"%s\"]}, ".formatted(field, name);
        var answer = create(TestNode.spec("web").replaceFirst("\\{", placement));

        assertProblem(
                answer,
                422,
                "invalid-spec",
                "placement.%s[1]: expected one of the cluster's servers (alpha, beta), but got '%s'"
                        .formatted(field, name));
        assertThat(answer.body().at("/faults")).hasSize(1);
        assertThat(node.admin.requests).isEmpty();
    }

    @Test
    void refusalsOfTheEntityAreMapped() {
        assertProblem(node.post("/api/v1/vms/none/start"), 404, "vm-not-found");
        node.create("web");
        assertProblem(
                node.send("DELETE", "/api/v1/vms/web", "", ""), 409, "conflict", "not stopped");
        var component =
                TestNode.spec("two").replace("{\"name\"", "{\"level\": \"component\", \"name\"");
        assertProblem(create(component), 422, "unsupported", "COMPONENT is not built yet");
        assertThat(node.admin.state(new VmName("two"))).isInstanceOf(VmState.Absent.class);
    }

    @Test
    void anUnknownOutcomeIsCalledSo() {
        node.create("web");
        node.admin.silent = true;
        var answer = node.post("/api/v1/vms/web/stop");
        assertProblem(answer, 503, "outcome-unknown", "may or may not");
        assertThat(answer.body().path("hint").asText()).contains("/api/v1/vms/web", "safe");
        assertThat(answer.body().path("safeToRepeat").asBoolean()).isTrue();
        assertProblem(node.get("/api/v1/vms/web"), 503, "not-answering", "Nothing was changed");

        node.admin.silent = false;
        node.admin.failure = Optional.of(new IllegalStateException("journal lost its leader"));
        assertProblem(
                node.send("DELETE", "/api/v1/vms/web?force=true", "", ""),
                503,
                "outcome-unknown",
                "journal lost its leader");
    }

    @Test
    void ourOwnFaultsShowNoInnards() {
        node.admin.broken = true;

        var answer = node.get("/api/v1/vms/web");

        assertProblem(answer, 500, "internal", "reference");
        assertThat(answer.body().toString()).doesNotContain("secret");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/api",
                "/api/v1",
                "/api/v2/vms",
                "/api/v1/vms/",
                "/api/v1/vms/web/reboot",
                "/api/v1/vms/a/b/c",
                "/favicon.ico"
            })
    void unknownPathsAreNotFound(String path) {
        assertProblem(node.get(path), 404, "unknown-path");
    }

    @ParameterizedTest
    @CsvSource({
        "PUT, /api/v1/vms, 'GET, POST'",
        "PATCH, /api/v1/vms/web, 'GET, DELETE'",
        "GET, /api/v1/vms/web/start, POST",
        "DELETE, /api/v1/servers, GET",
        "POST, /api/v1/events/stream, GET",
    })
    void wrongMethodsAreToldTheRightOnes(String method, String path, String allow) {
        var answer = node.send(method, path, "application/json", "{}");

        assertProblem(answer, 405, "method-not-allowed", method);
        assertThat(answer.raw().headers().firstValue("Allow")).hasValue(allow);
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /api/v1/vms/UPPER, UPPER",
        "GET, /api/v1/vms/web%20x, VM name",
        "POST, /api/v1/vms/web/stop?kil=true, 'kil'",
        "POST, /api/v1/vms/web/stop?kill=maybe, maybe",
        "POST, /api/v1/vms/web/stop?kill=true&kill=false, 2 times",
        "DELETE, /api/v1/vms/web?force=1, force",
        "GET, /api/v1/vms?x=1, 'x'",
        "GET, /api/v1/events?from=0, from",
        "GET, /api/v1/events?from=abc, abc",
        "GET, /api/v1/events?max=1001, 1000",
        "GET, /api/v1/events?from=99999999999999999999, from",
        "GET, /api/v1/events/stream?from=-1, from",
    })
    void wrongParametersAreRefused(String method, String path, String detail) {
        assertProblem(node.send(method, path, "", ""), 400, "invalid-parameter", detail);
        assertThat(node.admin.requests).isEmpty();
    }

    private TestNode.Answer create(String spec) {
        return node.send("POST", "/api/v1/vms", "application/json", spec);
    }

    private static String sized(int memoryMiB) {
        return TestNode.spec("web").replace("128", String.valueOf(memoryMiB));
    }

    private static List<String> names(JsonNode node) {
        return StreamSupport.stream(node.properties().spliterator(), false)
                .map(Map.Entry::getKey)
                .toList();
    }
}
