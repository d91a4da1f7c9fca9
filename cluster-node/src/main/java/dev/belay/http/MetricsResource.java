package dev.belay.http;

import dev.belay.admin.Admin;
import dev.belay.replica.LockstepFigures;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code /metrics}: what this node measures itself, as Prometheus reads it. */
final class MetricsResource {
    private final Admin admin;

    MetricsResource(Admin admin) {
        this.admin = admin;
    }

    CompletionStage<HttpResponse> show(HttpRequest request) {
        Query.of(request);
        return CompletableFuture.completedFuture(Answers.text(text(admin.lockstepHere())));
    }

    private static String text(List<LockstepFigures> pairs) {
        var text = new StringBuilder();
        metric(
                text,
                pairs,
                "checkpoints_total",
                "counter",
                "Checkpoints that the VM has passed in lockstep.",
                pair -> Optional.of((double) pair.checkpoints()));
        metric(
                text,
                pairs,
                "diverged_checkpoints_total",
                "counter",
                "Those of them that came early, because the two copies said different things.",
                pair -> Optional.of((double) pair.diverged()));
        metric(
                text,
                pairs,
                "paused_seconds_total",
                "counter",
                "How long checkpoints have paused the VM.",
                pair -> Optional.of(pair.pausedMillis() / 1000.0));
        metric(
                text,
                pairs,
                "sent_bytes_total",
                "counter",
                "What was sent to the second server for them.",
                pair -> pair.sentBytes().map(Long::doubleValue));
        metric(
                text,
                pairs,
                "pause_seconds",
                "gauge",
                "How long a checkpoint typically paused the VM lately.",
                pair -> Optional.of(pair.pauseMillis() / 1000.0));
        metric(
                text,
                pairs,
                "longest_pause_seconds",
                "gauge",
                "The longest pause lately.",
                pair -> Optional.of(pair.longestPauseMillis() / 1000.0));
        metric(
                text,
                pairs,
                "checkpoint_delay_seconds",
                "gauge",
                "From one checkpoint to the next when nothing asks for one.",
                pair -> Optional.of(pair.delayMillis() / 1000.0));
        metric(
                text,
                pairs,
                "latency_budget_seconds",
                "gauge",
                "What that delay shall not exceed.",
                pair -> Optional.of(pair.budgetMillis() / 1000.0));
        return text.toString();
    }

    private static void metric(
            StringBuilder text,
            List<LockstepFigures> pairs,
            String name,
            String type,
            String help,
            Function<LockstepFigures, Optional<Double>> value) {
        var whole = "belay_lockstep_" + name;
        text.append("# HELP %s %s\n# TYPE %s %s\n".formatted(whole, help, whole, type));
        for (var pair : pairs) {
            value.apply(pair)
                    .ifPresent(number ->
                            text.append(
                                    String.format(
                                            Locale.ROOT,
                                            "%s{vm=\"%s\"} %s\n",
                                            whole,
                                            pair.vm(),
                                            number)));
        }
    }
}
