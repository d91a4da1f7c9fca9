package dev.belay.persistence.raft;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.retry.RetryPolicies;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * Takes requests to the leader, whoever that is, within a bounded time.
 *
 * <p>Why not Ratis' own retry: it stays with a silent leader for its whole time-out and keeps
 * requests in one ordered window so that one stuck request holds up all. Here every request goes
 * its own way, a voter's own knowledge of a new leader moves all waiting requests over at once, and
 * the state machine knows a request's twins by their id.
 */
final class RaftCaller implements AutoCloseable {
    private static final Duration BETWEEN_CONNECTIONS = Duration.ofMillis(200);

    private final RaftClient client;
    private final Optional<VoterPeer> local;
    private final RaftPeerId self;
    private final List<RaftPeerId> voters;
    private final JournalSettings settings;
    private final AtomicLong callIds = new AtomicLong();
    private final Set<RaftCall> waiting = ConcurrentHashMap.newKeySet();
    private final Set<QuorumRead> reads = ConcurrentHashMap.newKeySet();
    private final Map<RaftPeerId, Long> reconnected = new ConcurrentHashMap<>();
    private final ScheduledThreadPoolExecutor timer =
            new ScheduledThreadPoolExecutor(
                    1, Thread.ofPlatform().name("journal-timer").daemon().factory());

    /** Never shut down: it holds nothing while nothing runs, and late answers still need it. */
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    private volatile @Nullable RaftPeerId leader;

    /** Of a node without a vote: the newest term in which somebody was said to lead. */
    private volatile long leaderTerm;

    private volatile long quorumSeen = System.nanoTime() - Duration.ofDays(1).toNanos();

    RaftCaller(JournalSettings settings, Optional<VoterPeer> local) {
        this.settings = settings;
        this.local = local;
        timer.setRemoveOnCancelPolicy(true);
        var group = RatisConfig.group(settings);
        self = RaftPeerId.valueOf(settings.node());
        voters =
                group.getPeers().stream()
                        .map(peer -> peer.getId())
                        .sorted(java.util.Comparator.comparing(RaftPeerId::toString))
                        .toList();
        client =
                RaftClient.newBuilder()
                        .setRaftGroup(group)
                        .setProperties(RatisConfig.client(settings))
                        .setRetryPolicy(RetryPolicies.noRetry())
                        .build();
    }

    /** Fails with {@link JournalException.OutcomeUnknown} after the request time-out. */
    CompletableFuture<byte[]> write(byte[] command) {
        if (command.length > RatisConfig.MAX_COMMAND) {
            return CompletableFuture.failedFuture(
                    new JournalException.Refused(
                            "Expected at most %d bytes, but the write has %d"
                                    .formatted(RatisConfig.MAX_COMMAND, command.length)));
        }
        return change(VoterDesk.write(command));
    }

    /**
     * Takes a request of {@link VoterDesk} to the leader that changes something. Fails with {@link
     * JournalException.OutcomeUnknown} after the request time-out.
     */
    CompletableFuture<byte[]> change(byte[] request) {
        return call(request)
                .exceptionally(cause -> {
                    throw new JournalException.OutcomeUnknown(
                            "No quorum answered within %s; whether the write is stored is unknown"
                                    .formatted(settings.requestTimeout()),
                            cause);
                });
    }

    /**
     * Reads what every write holds that was acknowledged before. Fails with {@link
     * JournalException.Unavailable} after the request time-out.
     */
    CompletableFuture<byte[]> read(byte[] query) {
        var read = new QuorumRead(this, query, settings.requestTimeout());
        reads.add(read);
        read.start();
        return read.result()
                .whenCompleteAsync((_, _) -> reads.remove(read), threads)
                .exceptionally(cause -> {
                    throw new JournalException.Unavailable(
                            "No quorum answered within " + settings.requestTimeout(), cause);
                });
    }

    private CompletableFuture<byte[]> call(byte[] request) {
        var call = new RaftCall(this, request, settings.requestTimeout());
        waiting.add(call);
        call.start();
        return call.result().whenCompleteAsync((_, _) -> waiting.remove(call), threads);
    }

    /** A new leader: requests that wait for another one ask it now. */
    void leaderIs(RaftPeerId newLeader) {
        if (!newLeader.equals(leader)) {
            leader = newLeader;
            waiting.forEach(RaftCall::leaderChanged);
            reads.forEach(read -> read.leaderChanged(newLeader));
        }
    }

    @Nullable RaftPeerId leader() {
        return leader;
    }

    /** Whom to ask first, or after {@code unanswered} did not help. */
    RaftPeerId target(@Nullable RaftPeerId unanswered) {
        var known = leader;
        if (known != null && !known.equals(unanswered)) {
            return known;
        }
        if (unanswered == null) {
            return local.isPresent() ? self : voters.getFirst();
        }
        return voters.get((voters.indexOf(unanswered) + 1) % voters.size());
    }

    /**
     * Whom to ask after a voter could not take a write: the leader again if this node's own voter
     * knows of one, which may be too new to be ready. Going round the voters instead would end in
     * waiting for the one that is lost.
     */
    RaftPeerId afterRefusal(RaftPeerId refused) {
        var known = leader;
        return local.isPresent() && known != null ? known : target(refused);
    }

    /** Asks a voter what it has to say to a query, once. */
    CompletableFuture<VoterAnswer.View> view(RaftPeerId voter, byte[] query) {
        return put(voter, VoterDesk.read(query))
                .thenApply(answer -> {
                    if (answer instanceof VoterAnswer.View view) {
                        heard(view);
                        return view;
                    }
                    throw new IllegalStateException("Not an answer to a read: " + answer);
                });
    }

    /** A node without a vote learns who leads from those who have one. */
    private void heard(VoterAnswer.View view) {
        if (local.isEmpty() && view.term() >= leaderTerm && !view.leader().isEmpty()) {
            leaderTerm = view.term();
            leaderIs(RaftPeerId.valueOf(view.leader()));
        }
    }

    /** What a voter's own copy says to a query, whether or not it leads. */
    CompletableFuture<byte[]> look(RaftPeerId voter, byte[] query) {
        return put(voter, VoterDesk.look(query))
                .thenApply(answer -> {
                    if (answer instanceof VoterAnswer.Copy(var content)) {
                        return content;
                    }
                    throw new IllegalStateException("Not an answer to a look: " + answer);
                });
    }

    /** The same, and how much of what that voter stored is in its copy. */
    CompletableFuture<VoterAnswer.Testimony> testimony(RaftPeerId voter, byte[] query) {
        return put(voter, VoterDesk.testify(query))
                .thenApply(answer -> {
                    if (answer instanceof VoterAnswer.Testimony testimony) {
                        return testimony;
                    }
                    throw new IllegalStateException("Not a testimony: " + answer);
                });
    }

    /** Puts a request to a voter, once; the answer may be that somebody else is the leader. */
    CompletableFuture<VoterAnswer> put(RaftPeerId voter, byte[] bytes) {
        var content = ByteString.copyFrom(bytes);
        if (local.isPresent() && voter.equals(self)) {
            return local.get().machine().handle(content);
        }
        var request =
                RaftClientRequest.newBuilder()
                        .setClientId(client.getId())
                        .setServerId(voter)
                        .setGroupId(RatisConfig.GROUP)
                        .setCallId(callIds.incrementAndGet())
                        .setMessage(Message.valueOf(content))
                        .setType(RaftClientRequest.staleReadRequestType(RaftLog.INVALID_LOG_INDEX))
                        .build();
        var reply = client.getClientRpc().sendRequestAsyncUnordered(request);
        var _ =
                reply.whenComplete((_, failure) -> {
                    if (failure != null) {
                        soon(() -> reconnect(voter, failure));
                    }
                });
        return reply.thenApply(RaftCaller::answer);
    }

    private static VoterAnswer answer(RaftClientReply reply) {
        if (!reply.isSuccess()) {
            throw new CompletionException(reply.getException());
        }
        return VoterAnswer.of(reply.getMessage().getContent().toByteArray());
    }

    /**
     * The connection is dead, or silent for the time of an attempt: the next try opens a new one.
     * Ratis has the new one ready at once, but returns only when the old one is closed, which takes
     * seconds when the other side is silent; and all that was under way on the old one fails, too.
     */
    private void reconnect(RaftPeerId voter, Throwable why) {
        long now = System.nanoTime();
        var before = reconnected.get(voter);
        boolean isDue = before == null || now - before > BETWEEN_CONNECTIONS.toNanos();
        boolean isMine =
                before == null
                        ? reconnected.putIfAbsent(voter, now) == null
                        : isDue && reconnected.replace(voter, before, now);
        if (isDue && isMine) {
            client.getClientRpc().handleException(voter, why, true);
        }
    }

    void quorumAnswered() {
        quorumSeen = System.nanoTime();
    }

    List<RaftPeerId> voters() {
        return voters;
    }

    List<RaftPeerId> otherVoters() {
        return voters.stream().filter(voter -> !voter.equals(self)).toList();
    }

    /** How long ago a majority last answered a request of this node. */
    Duration sinceQuorum() {
        return Duration.ofNanos(System.nanoTime() - quorumSeen);
    }

    Duration attemptTimeout() {
        return settings.attemptTimeout();
    }

    /** Never, once this is closed. */
    Future<?> later(Duration delay, Runnable task) {
        try {
            return timer.schedule(() -> soon(task), delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    void soon(Runnable task) {
        threads.execute(task);
    }

    @Override
    public void close() throws IOException {
        var why = new IOException("The journal is being closed");
        waiting.forEach(call -> call.fail(why));
        reads.forEach(read -> read.fail(why));
        timer.shutdownNow();
        client.close();
    }
}
