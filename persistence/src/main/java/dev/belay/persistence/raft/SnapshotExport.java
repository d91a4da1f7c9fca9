package dev.belay.persistence.raft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.util.MD5FileUtil;
import org.h2.mvstore.MVStoreException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes snapshot files, one at a time, on a thread of its own. */
final class SnapshotExport implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotExport.class);

    private static final long PAUSE_AFTER_FAILURE = TimeUnit.SECONDS.toNanos(30);

    private final SimpleStateMachineStorage snapshots;
    private final ExecutorService worker =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().name("journal-snapshot").daemon().factory());
    private final Consumer<MVStoreException> onDamage;
    private boolean running;
    private long notBefore = System.nanoTime();
    private @Nullable SingleFileSnapshotInfo finished;

    SnapshotExport(SimpleStateMachineStorage snapshots, Consumer<MVStoreException> onDamage) {
        this.snapshots = snapshots;
        this.onDamage = onDamage;
    }

    synchronized boolean isIdle() {
        return !running && System.nanoTime() - notBefore >= 0;
    }

    /** Closes {@code view} when it is done with it. */
    synchronized void start(JournalStore.View view, TermIndex at) {
        running = true;
        worker.execute(() -> run(view, at));
    }

    /**
     * The Raft index of a snapshot that became whole since the last call; it counts from now on.
     */
    synchronized Optional<Long> takeFinished() {
        var info = finished;
        finished = null;
        // A snapshot installed meanwhile may be newer, and has taken the folder with it.
        if (info == null || !Files.exists(info.getFile().getPath())) {
            return Optional.empty();
        }
        snapshots.updateLatestSnapshot(info);
        return Optional.of(info.getIndex());
    }

    private void run(JournalStore.View view, TermIndex at) {
        Optional<SingleFileSnapshotInfo> written = Optional.empty();
        try (view) {
            written = Optional.of(write(view, at));
        } catch (MVStoreException e) {
            onDamage.accept(e);
        } catch (IOException | RuntimeException e) {
            LOG.warn("No snapshot at {}, the Raft log is kept instead", at, e);
        }
        synchronized (this) {
            finished = written.orElse(null);
            running = false;
            // A full disk is not helped by trying with each entry.
            notBefore = System.nanoTime() + (written.isPresent() ? 0 : PAUSE_AFTER_FAILURE);
        }
    }

    private SingleFileSnapshotInfo write(JournalStore.View view, TermIndex at) throws IOException {
        var target = snapshots.getSnapshotFile(at.getTerm(), at.getIndex());
        var part = Path.of(target.getPath() + ".part");
        SnapshotFile.write(view, part);
        // The sum first: a crash must not leave a snapshot that Ratis would use without one.
        var digest = MD5FileUtil.computeMd5ForFile(part.toFile());
        MD5FileUtil.saveMD5File(target, digest);
        Files.move(
                part,
                target.toPath(),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
        return new SingleFileSnapshotInfo(new FileInfo(target.toPath(), digest), at);
    }

    @Override
    public void close() {
        worker.shutdown();
        try {
            if (!worker.awaitTermination(30, TimeUnit.SECONDS)) {
                worker.shutdownNow();
            }
        } catch (InterruptedException e) {
            worker.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
