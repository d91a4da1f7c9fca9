package dev.belay.http;

import dev.belay.admin.Admin;
import dev.belay.admin.Admin.Outcome;
import dev.belay.decision.ClusterInput;
import dev.belay.decision.ClusterLife;
import dev.belay.decision.ClusterState;
import dev.belay.http.Problem.Code;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code /disarm} and {@code /arm}: automatic moves, off for a while and on again. */
final class DisarmResource {
    private static final int MOST_REASON = 200;
    private static final int MOST_BY = 60;

    private final Admin admin;
    private final Carrier carrier;

    DisarmResource(Admin admin, Duration patience) {
        this.admin = admin;
        this.carrier = new Carrier(patience);
    }

    CompletionStage<HttpResponse> show(HttpRequest request) {
        Query.of(request);
        return CompletableFuture.completedFuture(Answers.json(200, DisarmView.of(admin.cluster())));
    }

    CompletionStage<HttpResponse> disarm(HttpRequest request) {
        Query.of(request);
        var wish =
                RequestBody.read(
                        (HttpEntity.Strict) request.entity(),
                        "forSeconds and reason",
                        fields ->
                                new ClusterInput.Disarm(
                                        Duration.ofSeconds(
                                                fields.number(
                                                        "forSeconds",
                                                        1,
                                                        (int) ClusterLife.LONGEST.toSeconds(),
                                                        Optional.empty())),
                                        fields.text("by", MOST_BY).orElse("somebody"),
                                        fields.required(
                                                "reason",
                                                fields.text("reason", MOST_REASON),
                                                "text that says why, for your colleagues")));
        return carry("disarm", wish, "Repeating is safe: the time counts from the last one");
    }

    CompletionStage<HttpResponse> arm(HttpRequest request) {
        Query.of(request);
        return carry(
                "arm",
                new ClusterInput.Arm(),
                "Repeating is safe: arming an armed cluster changes nothing");
    }

    private CompletionStage<HttpResponse> carry(
            String what, ClusterInput.Request wish, String repeat) {
        return carrier.carry(
                        new Carrier.Wish(what, "/api/v1/disarm", repeat, true),
                        admin.request(wish),
                        DisarmResource::refused)
                .thenApply(state -> Answers.json(200, DisarmView.of(state)));
    }

    private static Problem refused(Outcome.Refused<ClusterState> refused) {
        return new Problem(
                Code.UNSUPPORTED,
                Carrier.sentence(refused.message()),
                "Change the request as the detail says.");
    }
}
