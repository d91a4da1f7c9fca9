package dev.belay.persistence.raft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the disk with the journal's folder has room. A voter on a full disk can not store what it
 * is to acknowledge: it ends, and waits at its next start until there is room.
 */
final class JournalRoom {
    /** For a start: a log file, a store, and a snapshot's first chunks. */
    private static final long TO_START = 16 << 20;

    /** With less than that, the next log file may be the last. */
    private static final long TO_GO_ON = 4 << 20;

    private static final Logger LOG = LoggerFactory.getLogger(JournalRoom.class);

    private final Path folder;
    private boolean isLackTold;

    JournalRoom(Path folder) {
        this.folder = folder;
    }

    /** Why a voter can not start here; empty: it can. */
    Optional<String> lackToStart() {
        return lack(TO_START);
    }

    /** Why one that runs may have to end soon; empty: nothing of that kind is known. */
    Optional<String> lackToGoOn() {
        return lack(TO_GO_ON);
    }

    /** Warns once each time that it gets scarce. To be called again and again, by one thread. */
    void watch() {
        var lack = lackToGoOn();
        if (lack.isPresent() && !isLackTold) {
            LOG.warn("This voter may have to end soon: {}", lack.get());
        }
        isLackTold = lack.isPresent();
    }

    private Optional<String> lack(long needed) {
        long free;
        try {
            Files.createDirectories(folder);
            free = Files.getFileStore(folder).getUsableSpace();
        } catch (IOException _) {
            // Whoever uses the folder hears of it, and says so.
            return Optional.empty();
        }
        return free >= needed
                ? Optional.empty()
                : Optional.of(
                        "the disk with the journal's folder %s is full: %d KiB are free, %d KiB are needed"
                                .formatted(folder, free >> 10, needed >> 10));
    }

    /** What is said when a write failed for want of room; empty: it failed for another reason. */
    Optional<String> told(Throwable failure) {
        for (var cause = failure; cause != null; cause = cause.getCause()) {
            if (String.valueOf(cause.getMessage()).contains("No space left on device")) {
                return Optional.of(
                        "The disk with the journal's folder %s is full, so this voter can not store what it is to acknowledge and ends; nothing acknowledged is lost, and the other voters go on. Make room and start it again"
                                .formatted(folder));
            }
        }
        return Optional.empty();
    }
}
