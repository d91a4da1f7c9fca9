package dev.belay.persistence.raft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the disk with the journal's folder is quick enough. Each vote and each write waits for an
 * fsync, several one after the other until a new leader answers. With 50 ms each the loss of a
 * leader stalls everybody for 1.5 s instead of 0.6 s; with 100 ms elections may go on and on, and
 * leases end.
 */
final class JournalDisk {
    static final Duration QUICK_ENOUGH = Duration.ofMillis(20);

    private static final int TRIES = 5;
    private static final int WRITTEN = 512;
    private static final Logger LOG = LoggerFactory.getLogger(JournalDisk.class);

    private JournalDisk() {}

    /** Warns of a slow one. Takes as long as some writes do. */
    static void check(Path folder) {
        try {
            slow(folder, fsync(folder)).ifPresent(LOG::warn);
        } catch (IOException e) {
            // Whoever uses the folder hears of it, and says so.
            LOG.debug("No fsync in {}", folder, e);
        }
    }

    /** What an operator is to know of a disk that needs so long; empty: it is quick enough. */
    static Optional<String> slow(Path folder, Duration fsync) {
        return fsync.compareTo(QUICK_ENOUGH) <= 0
                ? Optional.empty()
                : Optional.of(
                        "The disk with the journal's folder %s needs %d ms to make a small write durable. With more than %d ms, everybody waits the longer when the journal's leader is lost (1.7 s with 50 ms), and with 100 ms leases may end before there is a new one. Put it (belay.node.data-dir) on an SSD, or on a disk that the VMs do not write to"
                                .formatted(folder, fsync.toMillis(), QUICK_ENOUGH.toMillis()));
    }

    /** The median of a few. */
    private static Duration fsync(Path folder) throws IOException {
        Files.createDirectories(folder);
        var file = Files.createTempFile(folder, "fsync", null);
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            var times = new long[TRIES];
            for (int i = 0; i < TRIES; i++) {
                channel.write(ByteBuffer.allocate(WRITTEN), 0);
                long before = System.nanoTime();
                channel.force(true);
                times[i] = System.nanoTime() - before;
            }
            Arrays.sort(times);
            return Duration.ofNanos(times[TRIES / 2]);
        } finally {
            Files.delete(file);
        }
    }
}
