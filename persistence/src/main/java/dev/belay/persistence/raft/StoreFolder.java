package dev.belay.persistence.raft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.util.MD5FileUtil;
import org.h2.mvstore.MVStoreException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the store of one voter and decides whether what lies there can be trusted. If not, it is
 * made anew from the newest snapshot file, and the Raft log adds what came after.
 *
 * <p>The store is not synced for each write. A process that dies loses nothing by that, a machine
 * that dies may lose any part of the file, and MVStore does not notice all such holes. So a store
 * that was open when the machine went down is never used again.
 */
final class StoreFolder {
    private static final Logger LOG = LoggerFactory.getLogger(StoreFolder.class);
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    private final Path folder;
    private final Path file;
    private final Path openedAt;

    StoreFolder(Path folder) {
        this.folder = folder;
        file = folder.resolve("journal.mv");
        openedAt = folder.resolve("opened-at-boot");
    }

    /** Opens a store that holds at least what {@code snapshot} holds. */
    JournalStore open(Optional<SingleFileSnapshotInfo> snapshot) throws IOException {
        Files.createDirectories(folder);
        if (Files.exists(openedAt) && !Files.readString(openedAt).equals(bootId())) {
            discard("the machine went down while it was open");
        }
        var store = openWhole();
        if (snapshot.isPresent() && index(store) < snapshot.get().getIndex()) {
            store.close();
            restore(snapshot.get());
            store = JournalStore.open(file);
        }
        Files.writeString(openedAt, bootId());
        return store;
    }

    private static long index(JournalStore store) {
        return store.applied().map(applied -> applied.getIndex()).orElse(-1L);
    }

    private JournalStore openWhole() throws IOException {
        try {
            return JournalStore.open(file);
        } catch (MVStoreException | IllegalStateException e) {
            discard("it can not be opened: " + e.getMessage());
            return JournalStore.open(file);
        }
    }

    private void restore(SingleFileSnapshotInfo snapshot) throws IOException {
        var path = snapshot.getFile().getPath();
        LOG.info("Making the store anew from {}", path);
        MD5FileUtil.verifySavedMD5(path.toFile(), snapshot.getFile().getFileDigest());
        SnapshotFile.restore(path, file);
    }

    /** The store was closed with everything on disk: it can be used after any kind of restart. */
    void closedCleanly() throws IOException {
        Files.deleteIfExists(openedAt);
    }

    /** Puts the store aside, for somebody to look at; the next open makes a new one. */
    void discard(String why) throws IOException {
        if (Files.exists(file)) {
            LOG.warn("The store {} is put aside: {}", file, why);
            Files.move(
                    file,
                    file.resolveSibling("journal.mv.damaged"),
                    StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Another text after each start of the machine; where that is unknown, never the same. */
    private static String bootId() throws IOException {
        return Files.exists(BOOT_ID)
                ? Files.readString(BOOT_ID).strip()
                : java.util.UUID.randomUUID().toString();
    }
}
