package dev.belay.persistence.raft;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.retry.RetryPolicies;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * Takes requests to the leader, whoever that is, within a bounded time.
 *
 * <p>Why not Ratis' own retry: it stays with a silent leader for its whole time-out, keeps requests
 * in one ordered window so that one stuck request holds up all, and does not retry a read that
 * found no leader. Here every request goes its own way, a voter's own knowledge of a new leader
 * moves all waiting requests over at once, and the state machine knows a request's twins by their
 * id.
 */
final class RaftCaller implements AutoCloseable {
    private final RaftClient client;
    private final Optional<VoterPeer> local;
    private final RaftPeerId self;
    private final List<RaftPeerId> voters;
    private final JournalSettings settings;
    private final AtomicLong callIds = new AtomicLong();
    private final Set<RaftCall> waiting = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().name("journal-timer").daemon().factory());

    /** Never shut down: it holds nothing while nothing runs, and late answers still need it. */
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    private volatile @Nullable RaftPeerId leader;
    private volatile long quorumSeen = System.nanoTime() - Duration.ofDays(1).toNanos();

    RaftCaller(JournalSettings settings, Optional<VoterPeer> local) {
        this.settings = settings;
        this.local = local;
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
        return call(RaftClientRequest.writeRequestType(), command)
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
        return call(RaftClientRequest.readRequestType(), query)
                .exceptionally(cause -> {
                    throw new JournalException.Unavailable(
                            "No quorum answered within " + settings.requestTimeout(), cause);
                });
    }

    private CompletableFuture<byte[]> call(RaftClientRequest.Type type, byte[] bytes) {
        var message = Message.valueOf(ByteString.copyFrom(bytes));
        var call = new RaftCall(this, type, message, settings.requestTimeout());
        waiting.add(call);
        call.start();
        return call.result().whenCompleteAsync((_, _) -> waiting.remove(call), threads);
    }

    /** A new leader: requests that wait for another one ask it now. */
    void leaderIs(RaftPeerId newLeader) {
        if (!newLeader.equals(leader)) {
            leader = newLeader;
            waiting.forEach(RaftCall::leaderChanged);
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

    /** Sends once; the reply may say that somebody else is the leader. */
    CompletableFuture<RaftClientReply> send(
            RaftPeerId target, RaftClientRequest.Type type, Message message) {
        var request =
                RaftClientRequest.newBuilder()
                        .setClientId(client.getId())
                        .setServerId(target)
                        .setGroupId(RatisConfig.GROUP)
                        .setCallId(callIds.incrementAndGet())
                        .setMessage(message)
                        .setType(type)
                        .build();
        if (local.isPresent() && target.equals(self)) {
            return local.get().submit(request);
        }
        return client.getClientRpc()
                .sendRequestAsyncUnordered(request)
                .whenComplete((_, failure) -> {
                    if (failure != null) {
                        // The connection's streams are dead: the next try opens new ones.
                        client.getClientRpc().handleException(target, failure, true);
                    }
                });
    }

    void quorumAnswered(RaftPeerId by) {
        quorumSeen = System.nanoTime();
        if (local.isEmpty()) {
            leader = by;
        }
    }

    /** How long ago a majority last answered a request of this node. */
    Duration sinceQuorum() {
        return Duration.ofNanos(System.nanoTime() - quorumSeen);
    }

    Duration attemptTimeout() {
        return settings.attemptTimeout();
    }

    void later(Duration delay, Runnable task) {
        if (!timer.isShutdown()) {
            var _ = timer.schedule(() -> soon(task), delay.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    void soon(Runnable task) {
        threads.execute(task);
    }

    @Override
    public void close() throws IOException {
        waiting.forEach(call -> call.fail(new IOException("The journal is being closed")));
        timer.shutdownNow();
        client.close();
    }
}
