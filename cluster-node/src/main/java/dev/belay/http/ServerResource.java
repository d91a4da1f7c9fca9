package dev.belay.http;

import dev.belay.admin.Admin;
import dev.belay.admin.Admin.NodeInfo;
import dev.belay.admin.Admin.Outcome;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmLife;
import dev.belay.http.Problem.Code;
import dev.belay.model.Incarnation;
import dev.belay.model.VmName;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code /servers}: every node of the cluster, witnesses too, as this node sees them. */
final class ServerResource {
    private static final int MOST_NAME = 60;
    private static final String RESTART = "restartVms";

    private final Admin admin;
    private final Carrier carrier;

    ServerResource(Admin admin, Duration patience) {
        this.admin = admin;
        this.carrier = new Carrier(patience);
    }

    CompletionStage<HttpResponse> list(HttpRequest request) {
        Query.of(request);
        return CompletableFuture.completedFuture(
                Answers.json(200, nodes().map(this::shown).toList()));
    }

    CompletionStage<HttpResponse> show(String name, HttpRequest request) {
        Query.of(request);
        return CompletableFuture.completedFuture(Answers.json(200, shown(node(name))));
    }

    CompletionStage<HttpResponse> release(String name, HttpRequest request) {
        Query.of(request);
        return carry(
                server(name),
                new ServerInput.EndQuarantine(),
                "Repeating is safe: releasing a server that is not quarantined changes nothing");
    }

    CompletionStage<HttpResponse> maintain(String name, HttpRequest request) {
        boolean restart = Query.of(request, RESTART).flag(RESTART, false);
        return carry(
                server(name),
                new ServerInput.BeginMaintenance(restart),
                "Repeating is safe: a server that is in maintenance stays in it");
    }

    CompletionStage<HttpResponse> activate(String name, HttpRequest request) {
        Query.of(request);
        return carry(
                server(name),
                new ServerInput.EndMaintenance(),
                "Repeating is safe: activating a server that is active changes nothing");
    }

    CompletionStage<HttpResponse> confirmOff(String name, HttpRequest request) {
        Query.of(request);
        var server = server(name);
        RequestBody.read(
                (HttpEntity.Strict) request.entity(),
                "the field confirm",
                fields -> {
                    var form = "the name of the server that you have seen off, '" + name + "'";
                    return fields.required(
                            "confirm", fields.text("confirm", MOST_NAME, form, name::equals), form);
                });
        return carry(
                server,
                new ServerInput.ConfirmOff(incarnation(server), server.reachable()),
                "Repeating is safe as long as the server is off");
    }

    CompletionStage<HttpResponse> readmit(String name, HttpRequest request) {
        Query.of(request);
        var node = node(name);
        return carry(
                node,
                "Readmission",
                admin.readmit(node.name()),
                "Repeating is safe as long as it has not been started again");
    }

    private CompletionStage<HttpResponse> carry(
            NodeInfo server, ServerInput.Request request, String repeat) {
        return carry(
                server,
                request.getClass().getSimpleName(),
                admin.request(server.name(), request),
                repeat);
    }

    private CompletionStage<HttpResponse> carry(
            NodeInfo node, String what, CompletionStage<Outcome<NodeInfo>> asked, String repeat) {
        var wish =
                new Carrier.Wish(
                        "%s of server %s".formatted(what, node.name()),
                        "/api/v1/servers/" + node.name(),
                        repeat,
                        true);
        return carrier.carry(wish, asked, this::refused)
                .thenApply(carried -> Answers.json(202, shown(carried)));
    }

    private Problem refused(Outcome.Refused<NodeInfo> refused) {
        return new Problem(
                switch (refused.reason()) {
                    case NOT_FOUND -> Code.SERVER_NOT_FOUND;
                    case EXISTS, CONFLICT -> Code.CONFLICT;
                    case UNSUPPORTED -> Code.UNSUPPORTED;
                },
                Carrier.sentence(refused.message()),
                "See where it stands and why: belay server list, belay server show, or GET /api/v1/servers, field 'explanation'.");
    }

    private static Incarnation incarnation(NodeInfo server) {
        return server.server().orElse(new ServerState.Unknown()) instanceof ServerState.Known known
                ? known.server().incarnation()
                : Incarnation.NONE;
    }

    private NodeView shown(NodeInfo node) {
        return NodeView.of(
                node,
                secondaries(node),
                MaintenanceView.of(node, admin),
                admin.cluster().disarming());
    }

    private List<VmName> secondaries(NodeInfo node) {
        return admin.vms().stream()
                .filter(vm ->
                        VmLife.secondary(vm)
                                .filter(right -> right.server().equals(node.name()))
                                .isPresent())
                .map(vm -> vm.vm().spec().name())
                .toList();
    }

    private NodeInfo server(String name) {
        var node = node(name);
        if (!node.role().equals("server")) {
            throw new ProblemException(
                    Code.SERVER_NOT_FOUND,
                    "Node '%s' is a witness: it runs no VMs.".formatted(name),
                    "Name a server; see belay server list, or GET /api/v1/servers.");
        }
        return node;
    }

    private NodeInfo node(String name) {
        return nodes().filter(node -> node.name().value().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new ProblemException(
                                Code.SERVER_NOT_FOUND,
                                "There is no server or witness named '%s' in the cluster."
                                        .formatted(Fields.shown(name)),
                                "The nodes are: "
                                        + String.join(
                                                ", ", nodes().map(n -> n.name().value()).toList())
                                        + "."));
    }

    private Stream<NodeInfo> nodes() {
        return admin.nodes().stream().sorted(Comparator.comparing(node -> node.name().value()));
    }
}
