package dev.belay.persistence.raft;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.apache.ratis.protocol.RaftPeerId;
import org.jspecify.annotations.Nullable;

/**
 * One linearizable read. It asks all voters side by side and holds when one of them answered as the
 * leader of a term, and a majority, asked since the read began, knows of no newer term: then no
 * newer leader can have acknowledged anything before. Nothing rests on a clock or on a leader's
 * memory.
 *
 * <p>Why not Ratis' own: its leader asks a majority only once for each commit index. Between two
 * writes it answers from memory, also when it was paused or cut off and replaced meanwhile, and
 * would renew the lease of a fenced server (safety.md 8).
 */
final class QuorumRead {
    /** A voter that is asked and silent is asked again; one that had no good answer, sooner. */
    private static final Duration SILENT = Duration.ofMillis(500);

    private static final Duration PAUSE = Duration.ofMillis(30);

    private final RaftCaller caller;
    private final byte[] query;
    private final Duration timeout;
    private final CompletableFuture<byte[]> result = new CompletableFuture<>();

    /** Guarded by this: each voter's newest answer, and how often it was asked. */
    private final Map<RaftPeerId, VoterAnswer.View> views = new HashMap<>();

    private final Map<RaftPeerId, Integer> asked = new HashMap<>();
    private @Nullable Throwable lastFailure;

    QuorumRead(RaftCaller caller, byte[] query, Duration timeout) {
        this.caller = caller;
        this.query = query;
        this.timeout = timeout;
    }

    CompletableFuture<byte[]> result() {
        return result;
    }

    void start() {
        later(timeout, this::timeOut);
        caller.voters().forEach(voter -> caller.soon(() -> ask(voter)));
    }

    /** Unless the answer is there before: reads are many, and each timer that fires is work. */
    private void later(Duration delay, Runnable task) {
        if (!result.isDone()) {
            var timer = caller.later(delay, task);
            result.whenComplete((_, _) -> timer.cancel(false));
        }
    }

    private void timeOut() {
        var why = new TimeoutException("No leader that a majority knows answered in " + timeout);
        synchronized (this) {
            if (lastFailure != null) {
                why.initCause(lastFailure);
            }
        }
        fail(why);
    }

    void fail(Throwable why) {
        result.completeExceptionally(why);
    }

    /** Somebody leads now: he is asked at once. */
    void leaderChanged(RaftPeerId leader) {
        caller.soon(() -> ask(leader));
    }

    private void ask(RaftPeerId voter) {
        if (result.isDone()) {
            return;
        }
        int number;
        synchronized (this) {
            number = asked.merge(voter, 1, Integer::sum);
        }
        later(SILENT, () -> again(voter, number));
        caller.view(voter, query)
                .whenComplete((view, failure) -> {
                    if (failure != null) {
                        failed(failure);
                    } else {
                        answered(voter, view);
                    }
                    later(PAUSE, () -> again(voter, number));
                });
    }

    /** Unless it was asked again already. */
    private void again(RaftPeerId voter, int number) {
        synchronized (this) {
            if (asked.getOrDefault(voter, 0) != number) {
                return;
            }
        }
        ask(voter);
    }

    private synchronized void failed(Throwable why) {
        lastFailure = why;
    }

    private void answered(RaftPeerId voter, VoterAnswer.View view) {
        Optional<VoterAnswer.View> leader;
        synchronized (this) {
            views.put(voter, view);
            leader = confirmed();
        }
        leader.ifPresent(confirmed -> {
            caller.quorumAnswered();
            result.complete(confirmed.answer());
        });
    }

    private Optional<VoterAnswer.View> confirmed() {
        return views.values().stream()
                .filter(view -> view.ledTerm() > 0 && isNewest(view.ledTerm()))
                .findFirst();
    }

    private boolean isNewest(long term) {
        long agreeing = views.values().stream().filter(view -> view.term() <= term).count();
        return agreeing > caller.voters().size() / 2;
    }
}
