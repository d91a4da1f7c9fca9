package dev.belay.http;

import dev.belay.admin.Admin;
import dev.belay.admin.Admin.NodeInfo;
import dev.belay.http.Problem.Code;
import java.util.Comparator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code /servers}: every node of the cluster, witnesses too, as this node sees them. */
final class ServerResource {
    private final Admin admin;

    ServerResource(Admin admin) {
        this.admin = admin;
    }

    CompletionStage<HttpResponse> list(HttpRequest request) {
        Query.of(request);
        return CompletableFuture.completedFuture(
                Answers.json(200, nodes().map(NodeView::of).toList()));
    }

    CompletionStage<HttpResponse> show(String name, HttpRequest request) {
        Query.of(request);
        return nodes().filter(node -> node.name().value().equals(name))
                .findFirst()
                .map(node ->
                        CompletableFuture.completedFuture(Answers.json(200, NodeView.of(node))))
                .orElseThrow(() ->
                        new ProblemException(
                                Code.SERVER_NOT_FOUND,
                                "There is no server or witness of this name in the cluster.",
                                "The nodes are: "
                                        + String.join(
                                                ", ", nodes().map(n -> n.name().value()).toList())
                                        + "."));
    }

    private Stream<NodeInfo> nodes() {
        return admin.nodes().stream().sorted(Comparator.comparing(node -> node.name().value()));
    }
}
