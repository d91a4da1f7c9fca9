package dev.belay.persistence.raft;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.StateMachineException;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way to the leader. It may be under way to several voters at a time; the first
 * good answer counts, and all good answers are the same.
 */
final class RaftCall {
    private static final Duration PAUSE = Duration.ofMillis(30);

    private final RaftCaller caller;
    private final RaftClientRequest.Type type;
    private final Message message;
    private final long started = System.nanoTime();
    private final Duration timeout;
    private final CompletableFuture<byte[]> result = new CompletableFuture<>();

    /** Guarded by this: the newest attempt; answers of earlier ones no longer start another. */
    private int attempt;

    private @Nullable RaftPeerId target;
    private @Nullable Throwable lastFailure;

    RaftCall(RaftCaller caller, RaftClientRequest.Type type, Message message, Duration timeout) {
        this.caller = caller;
        this.type = type;
        this.message = message;
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
        caller.send(to, type, message)
                .whenComplete((reply, failure) -> answered(number, to, reply, failure));
    }

    private void answered(
            int number,
            RaftPeerId from,
            @Nullable RaftClientReply reply,
            @Nullable Throwable failure) {
        if (reply != null && reply.isSuccess()) {
            caller.quorumAnswered(from);
            var content = reply.getMessage().getContent().toByteArray();
            result.complete(content);
            return;
        }
        var why = failure != null ? unwrap(failure) : reason(reply);
        if (why instanceof StateMachineException) {
            // The state machine failed at the request; it would again.
            fail(why);
        } else if (why instanceof NotLeaderException notLeader
                && notLeader.getSuggestedLeader() != null
                && !notLeader.getSuggestedLeader().getId().equals(from)) {
            var suggested = notLeader.getSuggestedLeader().getId();
            nextTo(number, suggested, why, Duration.ZERO);
        } else {
            next(number, from, why, PAUSE);
        }
    }

    private static Throwable unwrap(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
    }

    private static Throwable reason(@Nullable RaftClientReply reply) {
        return reply != null && reply.getException() != null
                ? reply.getException()
                : new IOException("Failed without a reason: " + reply);
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
