package dev.belay.persistence.raft;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.LifeCycle;
import org.h2.mvstore.MVStoreException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The voter's side of the journal: applies committed Raft entries to the {@link JournalStore}, one
 * by one, and answers queries.
 *
 * <p>Ratis starts to apply after its newest snapshot file, which may be older than the store. What
 * the store holds already is passed over. A store that fails is never passed over: the entry
 * throws, Ratis closes the group, and the node ends.
 */
final class JournalStateMachine extends BaseStateMachine {
    private static final Logger LOG = LoggerFactory.getLogger(JournalStateMachine.class);
    private static final int ENTRIES_PER_COMMIT = 256;
    private static final int BYTES_PER_COMMIT = 1 << 20;

    /** Who wants to know. Called on Ratis' threads: must return at once. */
    interface Listener {
        void onAppend();

        void onLeader(RaftPeerId leader);

        void onFatal(String why, Throwable cause);
    }

    private final StoreFolder folder;
    private final Collection<String> voters;
    private final BooleanSupplier beginsAnew;
    private final Listener listener;
    private final SimpleStateMachineStorage snapshots = new SimpleStateMachineStorage();
    private final SnapshotExport export = new SnapshotExport(snapshots, this::onDamage);

    /** Written under the write lock: the store, its logic, and the counts since the last commit. */
    private final ReadWriteLock lock = new ReentrantReadWriteLock();

    private @Nullable JournalStore store;
    private @Nullable JournalLogic logic;
    private int uncommittedEntries;
    private int uncommittedBytes;
    private boolean broken;

    private volatile @Nullable VoterDesk desk;
    private volatile long newestOffset;
    private volatile long generation;

    /**
     * @param beginsAnew whether this voter forgot what it stored, and is not counted again yet
     */
    JournalStateMachine(
            Path storeFolder,
            Collection<String> voters,
            BooleanSupplier beginsAnew,
            Listener listener) {
        this.folder = new StoreFolder(storeFolder);
        this.voters = voters;
        this.beginsAnew = beginsAnew;
        this.listener = listener;
    }

    @Override
    public void initialize(RaftServer server, RaftGroupId group, RaftStorage storage)
            throws IOException {
        super.initialize(server, group, storage);
        desk =
                new VoterDesk(
                        server,
                        query -> reading(open -> open.query(query)),
                        () -> getLastAppliedTermIndex().getIndex(),
                        beginsAnew);
        getLifeCycle()
                .startAndTransition(() -> {
                    snapshots.init(storage);
                    reload();
                });
    }

    /** Part of the life cycle: Ratis refuses to install a snapshot into one that is not paused. */
    @Override
    public void pause() {
        getLifeCycle().transition(LifeCycle.State.PAUSING);
        getLifeCycle().transition(LifeCycle.State.PAUSED);
    }

    @Override
    public void reinitialize() throws IOException {
        reload();
        if (getLifeCycleState() == LifeCycle.State.PAUSED) {
            getLifeCycle().transition(LifeCycle.State.STARTING);
            getLifeCycle().transition(LifeCycle.State.RUNNING);
        }
        LOG.info("Installed a snapshot, applied up to {}", getLastAppliedTermIndex());
        listener.onAppend();
    }

    private void reload() throws IOException {
        lock.writeLock().lock();
        try {
            if (store != null) {
                store.close();
            }
            var opened = folder.open(Optional.ofNullable(snapshots.loadLatestSnapshot()));
            store = opened;
            logic = new JournalLogic(opened, voters);
            uncommittedEntries = 0;
            uncommittedBytes = 0;
            opened.applied().ifPresent(this::setLastAppliedTermIndex);
            publishCounters();
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
        var entry = Objects.requireNonNull(transaction.getLogEntry());
        var at = TermIndex.valueOf(entry);
        if (at.getIndex() <= getLastAppliedTermIndex().getIndex()) {
            return CompletableFuture.completedFuture(Message.EMPTY);
        }
        long offsetBefore = newestOffset;
        var answer = apply(at, entry);
        updateLastAppliedTermIndex(at);
        if (newestOffset != offsetBefore) {
            listener.onAppend();
        }
        return CompletableFuture.completedFuture(message(answer));
    }

    private byte[] apply(TermIndex at, LogEntryProto entry) {
        var command = entry.getStateMachineLogEntry().getLogData().toByteArray();
        return changing(open -> {
            var answer = Objects.requireNonNull(logic).apply(at.getIndex(), command);
            open.setApplied(at);
            countTowardsCommit(open, command.length);
            publishCounters();
            return answer;
        });
    }

    private void countTowardsCommit(JournalStore open, int bytes) {
        uncommittedEntries++;
        uncommittedBytes += bytes;
        if (uncommittedEntries >= ENTRIES_PER_COMMIT || uncommittedBytes >= BYTES_PER_COMMIT) {
            open.commit();
            uncommittedEntries = 0;
            uncommittedBytes = 0;
        }
    }

    /** An entry that is Raft's own (a new leader, a new configuration). */
    @Override
    public void notifyTermIndexUpdated(long term, long index) {
        var at = TermIndex.valueOf(term, index);
        if (at.getIndex() > getLastAppliedTermIndex().getIndex()) {
            changing(open -> {
                open.setApplied(at);
                return at;
            });
            updateLastAppliedTermIndex(at);
        }
    }

    private void publishCounters() {
        newestOffset = Objects.requireNonNull(logic).newestOffset();
        generation = Objects.requireNonNull(logic).generation();
    }

    /** Runs a change alone. A failure leaves half a change in memory: the store is given up. */
    private <T> T changing(Function<JournalStore, T> change) {
        lock.writeLock().lock();
        try {
            return change.apply(whole());
        } catch (RuntimeException e) {
            giveUp(e);
            throw e;
        } finally {
            lock.writeLock().unlock();
        }
    }

    private JournalStore whole() {
        if (store == null || broken) {
            throw new IllegalStateException("The journal's store is not open");
        }
        return store;
    }

    private void giveUp(RuntimeException cause) {
        if (broken || store == null) {
            return;
        }
        broken = true;
        store.abandon();
        try {
            folder.discard("it failed: " + cause);
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
        listener.onFatal("The journal's store failed", cause);
    }

    /** What other nodes put to this voter: see {@link VoterDesk}. */
    @Override
    public CompletableFuture<Message> queryStale(Message request, long minIndex) {
        return handle(request.getContent()).thenApply(answer -> message(answer.toBytes()));
    }

    /** The same for this node's own requests. */
    CompletableFuture<VoterAnswer> handle(ByteString request) {
        try {
            return Objects.requireNonNull(desk).handle(request);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Reads this voter's own copy, which may lag. */
    Reply queryLocally(Query query) {
        return reading(open -> open.query(query));
    }

    private <T> T reading(Function<JournalLogic, T> question) {
        lock.readLock().lock();
        try {
            whole();
            return question.apply(Objects.requireNonNull(logic));
        } catch (MVStoreException e) {
            // Not from here: the write lock can not be had under the read lock.
            onDamage(e);
            throw e;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** A page that can not be read: another voter's store has it, this one must be made anew. */
    private void onDamage(MVStoreException cause) {
        Thread.ofVirtual()
                .start(() -> {
                    lock.writeLock().lock();
                    try {
                        giveUp(cause);
                    } finally {
                        lock.writeLock().unlock();
                    }
                });
    }

    private static Message message(byte[] bytes) {
        return Message.valueOf(ByteString.copyFrom(bytes));
    }

    /**
     * Ratis asks again with each entry while one is due. The file is written beside the work, so
     * that renewals do not wait for it; Ratis hears of it when it is whole.
     */
    @Override
    public long takeSnapshot() {
        var finished = export.takeFinished();
        if (finished.isPresent()) {
            return finished.get();
        }
        if (export.isIdle()) {
            changing(open -> {
                open.compact();
                export.start(open.view(), getLastAppliedTermIndex());
                return open;
            });
        }
        return RaftLog.INVALID_LOG_INDEX;
    }

    @Override
    public StateMachineStorage getStateMachineStorage() {
        return snapshots;
    }

    @Override
    public void notifyLeaderChanged(RaftGroupMemberId group, RaftPeerId leader) {
        if (leader != null) {
            listener.onLeader(leader);
        }
    }

    @Override
    public void notifyLogFailed(Throwable cause, LogEntryProto entry) {
        listener.onFatal("The Raft log can not be written", cause);
    }

    /** The newest offset in this copy. */
    long newestOffset() {
        return newestOffset;
    }

    /** The newest cluster generation in this copy. */
    long generation() {
        return generation;
    }

    @Override
    public void close() throws IOException {
        export.close();
        lock.writeLock().lock();
        try {
            if (store != null && !broken && !store.isClosed()) {
                store.sync();
                store.close();
                folder.closedCleanly();
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}
