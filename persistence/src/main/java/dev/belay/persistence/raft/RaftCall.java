package dev.belay.persistence.raft;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.apache.ratis.protocol.RaftPeerId;
import org.jspecify.annotations.Nullable;

/**
 * One write on its way to the leader. It may be under way to several voters at a time; the first
 * good answer counts, and all good answers are the same.
 */
final class RaftCall {
    private static final Duration PAUSE = Duration.ofMillis(30);

    private final RaftCaller caller;
    private final byte[] request;
    private final long started = System.nanoTime();
    private final Duration timeout;
    private final CompletableFuture<byte[]> result = new CompletableFuture<>();

    /** Guarded by this: the newest attempt; answers of earlier ones no longer start another. */
    private int attempt;

    private @Nullable RaftPeerId target;
    private @Nullable Throwable lastFailure;

    /**
     * @param request in the form of {@link VoterDesk}
     */
    RaftCall(RaftCaller caller, byte[] request, Duration timeout) {
        this.caller = caller;
        this.request = request;
        this.timeout = timeout;
    }

    CompletableFuture<byte[]> result() {
        return result;
    }

    void start() {
        caller.later(timeout, this::timeOut);
        caller.soon(() -> attempt(caller.target(null)));
    }

    private void timeOut() {
        var why = new TimeoutException("No answer after " + timeout);
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

    void leaderChanged() {
        var leader = caller.leader();
        synchronized (this) {
            if (leader == null || leader.equals(target)) {
                return;
            }
        }
        caller.soon(() -> attempt(leader));
    }

    private void attempt(RaftPeerId to) {
        if (result.isDone()) {
            return;
        }
        int number;
        synchronized (this) {
            number = ++attempt;
            target = to;
        }
        caller.later(
                caller.attemptTimeout(),
                () -> next(number, to, new IOException(to + " did not answer"), Duration.ZERO));
        caller.put(to, request)
                .whenComplete((reply, failure) -> answered(number, to, reply, failure));
    }

    private void answered(
            int number,
            RaftPeerId from,
            @Nullable VoterAnswer answer,
            @Nullable Throwable failure) {
        switch (answer) {
            case VoterAnswer.Applied(var content) -> {
                caller.quorumAnswered();
                result.complete(content);
            }
            case VoterAnswer.Failed(var why) -> fail(new IOException(why));
            case VoterAnswer.Elsewhere(var leader, var why)
                    when !leader.isEmpty() && !leader.equals(from.toString()) ->
                    nextTo(number, RaftPeerId.valueOf(leader), new IOException(why), Duration.ZERO);
            case VoterAnswer.Elsewhere(var _, var why) ->
                    nextTo(number, caller.afterRefusal(from), new IOException(why), PAUSE);
            case VoterAnswer.View _, VoterAnswer.Copy _, VoterAnswer.Testimony _ ->
                    next(number, from, new IOException("Not an answer to a write"), PAUSE);
            case null ->
                    next(
                            number,
                            from,
                            failure != null ? failure : new IOException("No answer"),
                            PAUSE);
        }
    }

    private void next(int number, RaftPeerId unanswered, Throwable why, Duration pause) {
        nextTo(number, caller.target(unanswered), why, pause);
    }

    /** Goes on to the next voter, unless a later attempt is under way. */
    private void nextTo(int number, RaftPeerId to, Throwable why, Duration pause) {
        synchronized (this) {
            if (number != attempt || result.isDone()) {
                return;
            }
            lastFailure = why;
        }
        var left = timeout.minusNanos(System.nanoTime() - started);
        if (left.compareTo(pause) > 0) {
            caller.later(pause, () -> retry(number, to));
        }
    }

    private void retry(int number, RaftPeerId to) {
        synchronized (this) {
            if (number != attempt) {
                return;
            }
        }
        attempt(to);
    }
}
