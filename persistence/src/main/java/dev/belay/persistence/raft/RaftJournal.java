package dev.belay.persistence.raft;

import dev.belay.cluster.ClusterFormation;
import dev.belay.cluster.LeaseAuthority;
import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.ratis.protocol.RaftPeerId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's part of the replicated journal: a voter's log and store, and the way to the leader.
 * It needs no actor system: leases and the question who founds the cluster come before there is
 * one. The node's main starts it first and closes it last.
 *
 * <p>All operations are asynchronous, end within the request time-out, and fail with a {@link
 * JournalException}. Futures are completed on virtual threads.
 */
public final class RaftJournal implements LeaseAuthority, ClusterFormation, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RaftJournal.class);
    private static final Duration WATCH_INTERVAL = Duration.ofMillis(500);
    private static final Duration A_MOMENT = Duration.ofSeconds(2);

    /** How this node sees the quorum: {@code sinceQuorum} is the age of the last answer. */
    public record Health(Optional<String> leader, boolean isLeader, Duration sinceQuorum) {}

    private final JournalSettings settings;
    private final Optional<VoterPeer> voter;
    private final RaftCaller caller;
    private final NewsOfAppends news = new NewsOfAppends();
    private final Consumer<String> onFatal;
    private final java.util.concurrent.atomic.AtomicBoolean ended =
            new java.util.concurrent.atomic.AtomicBoolean();

    /** What a node without a copy of its own was last told. */
    private volatile Reply.Status seen = new Reply.Status(0, 0);

    private RaftJournal(
            JournalSettings settings, Consumer<String> onFatal, Consumer<String> onForgotten)
            throws IOException {
        this.settings = settings;
        this.onFatal = onFatal;
        // The peer's first news can come before there is a caller to hear them.
        var callerReady = new CompletableFuture<RaftCaller>();
        voter =
                settings.isVoter()
                        ? Optional.of(VoterPeer.start(settings, listener(callerReady)))
                        : Optional.empty();
        caller = new RaftCaller(settings, voter);
        callerReady.complete(caller);
        voter.ifPresent(peer ->
                new VoterClaims(settings, caller, peer, why -> end(why, onForgotten), this::fatal)
                        .start());
        caller.later(WATCH_INTERVAL, this::watch);
    }

    /**
     * Starts a voter's peer if this node is one, and the client. Returns at once; a quorum may come
     * later.
     *
     * @param onFatal called at most once, when this peer can not go on: the node must end its
     *     process, and starts clean the next time
     * @throws IOException the port is in use or the folder can not be used
     */
    public static RaftJournal start(JournalSettings settings, Consumer<String> onFatal)
            throws IOException {
        return start(settings, onFatal, onFatal);
    }

    /**
     * The same, for those who tell apart why the process must end.
     *
     * @param onForgotten called instead of {@code onFatal} when this node's folder is empty but its
     *     voter took part in the journal before: it does not start again before an operator did
     *     something, and the text says what
     */
    public static RaftJournal start(
            JournalSettings settings, Consumer<String> onFatal, Consumer<String> onForgotten)
            throws IOException {
        return new RaftJournal(settings, onFatal, onForgotten);
    }

    private JournalStateMachine.Listener listener(CompletableFuture<RaftCaller> callerReady) {
        return new JournalStateMachine.Listener() {
            @Override
            public void onAppend() {
                news.tell();
            }

            @Override
            public void onLeader(RaftPeerId leader) {
                var _ = callerReady.thenAccept(ready -> ready.leaderIs(leader));
            }

            @Override
            public void onFatal(String why, Throwable cause) {
                LOG.error(why, cause);
                fatal(new JournalRoom(settings.folder()).told(cause).orElse(why + ": " + cause));
            }
        };
    }

    private void fatal(String why) {
        end(why, onFatal);
    }

    private void end(String why, Consumer<String> how) {
        if (ended.compareAndSet(false, true)) {
            how.accept(why);
        }
    }

    private void watch() {
        if (ended.get()) {
            return;
        }
        if (voter.isPresent()) {
            if (!voter.get().isAlive()) {
                fatal("The Raft peer of this node has stopped by itself");
            }
            voter.get().watch();
            caller.later(WATCH_INTERVAL, this::watch);
            return;
        }
        var _ =
                ask(new Query.Status())
                        .whenComplete((answer, _) -> {
                            if (answer instanceof Reply.Status status) {
                                update(status);
                            }
                            caller.later(WATCH_INTERVAL, this::watch);
                        });
    }

    private void update(Reply.Status status) {
        boolean isNews = status.newestOffset() > seen.newestOffset();
        seen = status;
        if (isNews) {
            news.tell();
        }
    }

    // Leases and formation

    @Override
    public CompletionStage<Verdict> renew(ServerName server, Incarnation incarnation) {
        return ask(new Query.Renew(server.value(), incarnation.value()))
                .thenApply(answer -> as(Reply.Lease.class, answer).verdict());
    }

    @Override
    public CompletionStage<Void> booted(ServerName node, UUID run) {
        return done(new Command.Booted(node.value(), run));
    }

    @Override
    public CompletionStage<ClusterFormation.Answer> found(ServerName node, UUID run, boolean all) {
        return tell(new Command.Found(node.value(), run, all))
                .thenApply(answer ->
                        switch (answer) {
                            case Reply.FoundGranted(var generation) ->
                                    new ClusterFormation.Answer.Granted(generation);
                            case Reply.FoundRefused(var why) ->
                                    new ClusterFormation.Answer.Refused(why);
                            default -> throw refused(answer);
                        });
    }

    @Override
    public CompletionStage<Void> joined(ServerName node, UUID run) {
        return done(new Command.Joined(node.value(), run));
    }

    @Override
    public long newestGeneration() {
        return voter.map(peer -> peer.machine().generation()).orElseGet(() -> seen.generation());
    }

    // Voters

    /**
     * Lets a voter that lost its data begin anew: the others no longer count it, until it is back
     * and has what they have. Needs a majority without it. Fails with {@link
     * JournalException.Refused} if it still has its data, or is no voter. Repeating is safe.
     */
    public CompletionStage<Void> readmit(String name) {
        var lost = RaftPeerId.valueOf(name);
        if (!caller.voters().contains(lost)) {
            return CompletableFuture.failedFuture(
                    new JournalException.Refused(name + " has no vote in the journal"));
        }
        return caller.look(lost, QueryCodec.encode(new Query.Standing(name)))
                .handle((answer, _) -> answer != null)
                .thenCompose(hasData ->
                        hasData
                                ? CompletableFuture.failedFuture(
                                        new JournalException.Refused(
                                                name
                                                        + " answers out of its own copy of the journal: it lost nothing"))
                                : caller.change(VoterDesk.discount(name)))
                .thenCompose(_ -> done(new Command.Readmits(name)));
    }

    /** The voters of whom a majority is needed, as far as this node's own voter knows. */
    List<String> counted() throws IOException {
        return voter.orElseThrow().counted();
    }

    /** From this node's own copy, which it must have. */
    VoterRegister.Standing standing(String name) {
        var answer = voter.orElseThrow().machine().queryLocally(new Query.Standing(name));
        return as(Reply.Standing.class, answer).standing();
    }

    /**
     * What keeps this node's voter from taking part, or soon will, and an operator can mend; empty:
     * nothing known.
     */
    public Optional<String> obstacle() {
        return voter.flatMap(
                peer -> peer.isOpen() ? peer.room().lackToGoOn() : peer.room().lackToStart());
    }

    // State of this node

    public Health health() {
        var leader = Optional.ofNullable(caller.leader()).map(RaftPeerId::toString);
        return new Health(leader, isLeader(), caller.sinceQuorum());
    }

    /** Whether a majority answered a request of this node within the last {@code age}. */
    public boolean quorumSeenWithin(Duration age) {
        return caller.sinceQuorum().compareTo(age) <= 0;
    }

    /** Whether this node's peer leads the voters, as far as it knows. */
    public boolean isLeader() {
        return voter.map(VoterPeer::isLeader).orElse(false);
    }

    /**
     * Voters that could lead at once: heard of a moment ago, and with what this node has. None when
     * it does not lead.
     */
    public Set<String> readyToLead() {
        return voter.map(VoterPeer::readyToLead).orElse(Set.of());
    }

    /**
     * Lets another voter lead instead of this node. All writes that come meanwhile wait: for a
     * moment, or when that voter does not take over, until this fails and a leader is elected anew.
     */
    public CompletionStage<Void> leadElsewhere(String to) {
        return leadElsewhere(to, settings.electionTimeoutMax());
    }

    CompletionStage<Void> leadElsewhere(String to, Duration limit) {
        return voter.orElseThrow().leadElsewhere(RaftPeerId.valueOf(to), limit);
    }

    /** The leader's name, as far as this node knows. */
    public Optional<String> leader() {
        return health().leader();
    }

    /**
     * Whether this node's peer knows a leader now: not for longer than an election without one. Of
     * a node without a vote, whether it ever did.
     */
    public boolean isLed() {
        return voter.isPresent() ? voter.get().leader() != null : caller.leader() != null;
    }

    /**
     * Whether there is a quorum, for all that this node knows: its voter knows a leader, or, where
     * it has no vote, something that it asked was answered a moment ago. A server renews its lease
     * twice a second.
     */
    public boolean hearsQuorum() {
        return voter.isPresent() ? isLed() : quorumSeenWithin(A_MOMENT);
    }

    // What the Pekko plugins use

    CompletionStage<Reply> append(Command.Append append) {
        return tell(append);
    }

    CompletionStage<Void> deleteTo(String persistenceId, long sequenceNr) {
        return done(new Command.DeleteTo(persistenceId, sequenceNr));
    }

    CompletionStage<Void> saveSnapshot(Command.SaveSnapshot save) {
        return done(save);
    }

    CompletionStage<Void> deleteSnapshots(String persistenceId, SnapshotRange range) {
        return done(new Command.DeleteSnapshots(persistenceId, range));
    }

    CompletionStage<Reply> loadSnapshot(String persistenceId, SnapshotRange range) {
        return ask(new Query.LoadSnapshot(persistenceId, range));
    }

    CompletionStage<List<StoredEvent>> events(Query.Events query) {
        return ask(query).thenApply(answer -> as(Reply.Events.class, answer).events());
    }

    CompletionStage<Long> highest(String persistenceId) {
        return ask(new Query.Highest(persistenceId))
                .thenApply(answer -> as(Reply.Highest.class, answer).sequenceNr());
    }

    /** From this node's own copy if it has one. */
    CompletionStage<List<HistoryEntry>> history(Query.History query) {
        CompletableFuture<Reply> answer =
                voter.isPresent()
                        ? CompletableFuture.supplyAsync(
                                () -> voter.get().machine().queryLocally(query), caller::soon)
                        : ask(query);
        return answer.thenApply(found -> as(Reply.History.class, found).entries());
    }

    long newestOffset() {
        return voter.map(peer -> peer.machine().newestOffset())
                .orElseGet(() -> seen.newestOffset());
    }

    Runnable onAppend(Runnable listener) {
        return news.add(listener);
    }

    private CompletableFuture<Reply> tell(Command command) {
        return tell(UUID.randomUUID(), command);
    }

    /** All tries of one request share its id: it is applied once. */
    CompletableFuture<Reply> tell(UUID requestId, Command command) {
        return caller.write(CommandCodec.encode(new CommandCodec.Request(requestId, command)))
                .thenApply(ReplyCodec::decode);
    }

    private CompletableFuture<Void> done(Command command) {
        return tell(command)
                .thenApply(answer -> {
                    as(Reply.Done.class, answer);
                    return null;
                });
    }

    private CompletableFuture<Reply> ask(Query query) {
        return caller.read(QueryCodec.encode(query)).thenApply(ReplyCodec::decode);
    }

    private static <A extends Reply> A as(Class<A> expected, Reply answer) {
        if (expected.isInstance(answer)) {
            return expected.cast(answer);
        }
        throw refused(answer);
    }

    static JournalException refused(Reply answer) {
        return new JournalException.Refused("The journal refused: " + answer);
    }

    /** Stops this node's part. Requests under way fail; what was acknowledged is kept. */
    @Override
    public void close() {
        ended.set(true);
        news.close();
        try {
            caller.close();
        } catch (IOException e) {
            LOG.warn("Closing the journal's client failed", e);
        }
        voter.ifPresent(peer -> {
            try {
                peer.close();
            } catch (IOException e) {
                LOG.warn("Closing the Raft peer failed", e);
            }
        });
    }
}
