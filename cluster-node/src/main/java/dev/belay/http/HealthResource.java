package dev.belay.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.belay.admin.Admin;
import dev.belay.decision.Disarming;
import dev.belay.http.Problem.Code;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code /health}: live says that this process answers, ready that it can do its work. */
final class HealthResource {
    private final Admin admin;

    HealthResource(Admin admin) {
        this.admin = admin;
    }

    CompletionStage<HttpResponse> live(HttpRequest request) {
        Query.of(request);
        return CompletableFuture.completedFuture(Answers.json(200, Map.of("live", true)));
    }

    CompletionStage<HttpResponse> ready(HttpRequest request) {
        Query.of(request);
        var readiness = admin.readiness();
        var disarming = admin.cluster().disarming().map(Disarming::inWords);
        if (readiness.ready()) {
            var body = Json.MAPPER.<ObjectNode>valueToTree(readiness);
            body.put("disarmed", disarming.orElse(null));
            return CompletableFuture.completedFuture(Answers.json(200, body));
        }
        var more = new LinkedHashMap<String, Object>();
        more.put("ready", false);
        more.put("why", readiness.why());
        more.put("node", readiness.node());
        more.put("journalLeader", readiness.journalLeader());
        more.put("disarmed", disarming);
        throw new ProblemException(
                new Problem(
                        Code.NOT_READY,
                        "Node %s is not ready: %s.".formatted(readiness.node(), readiness.why()),
                        "Wait and ask again, or ask another node. It needs a majority of the voting nodes.",
                        more));
    }
}
