package dev.belay.http;

import dev.belay.admin.Admin.Outcome;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries wishes to entities, and says honestly when it does not know what became of one. */
record Carrier(Duration patience) {
    private static final Logger log = LoggerFactory.getLogger(Carrier.class);

    /**
     * @param what it is, for the log
     * @param look where to see whether it was carried out
     * @param repeat what a repeat would do, and {@code safe} whether it may simply be repeated
     */
    record Wish(String what, String look, String repeat, boolean safe) {}

    <S> CompletionStage<S> carry(
            Wish wish,
            CompletionStage<Outcome<S>> asked,
            Function<Outcome.Refused<S>, Problem> refused) {
        return within(asked)
                .exceptionallyCompose(thrown -> {
                    log.warn("{} -> outcome unknown", wish.what(), thrown);
                    return CompletableFuture.failedFuture(
                            new ProblemException(unknown(wish, thrown)));
                })
                .thenApply(outcome ->
                        switch (outcome) {
                            case Outcome.Done<S>(var state) -> {
                                log.info("{} -> done", wish.what());
                                yield state;
                            }
                            case Outcome.Refused<S> no -> {
                                log.info("{} -> {}", wish.what(), no);
                                throw new ProblemException(refused.apply(no));
                            }
                        });
    }

    <T> CompletionStage<T> within(CompletionStage<T> stage) {
        // A copy: the time-out is ours and must not complete the owner's future.
        return stage.toCompletableFuture()
                .copy()
                .orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    private Problem unknown(Wish wish, Throwable thrown) {
        return new Problem(
                Problem.Code.OUTCOME_UNKNOWN,
                "Expected the cluster to confirm, but no answer came within %.1f s (%s). It may or may not have been carried out."
                        .formatted(patience.toMillis() / 1000.0, Faults.told(thrown)),
                "Look first: %s. %s.".formatted(wish.look(), wish.repeat()),
                Map.of("safeToRepeat", wish.safe()));
    }

    static String sentence(String message) {
        return message.endsWith(".") ? message : message + ".";
    }
}
