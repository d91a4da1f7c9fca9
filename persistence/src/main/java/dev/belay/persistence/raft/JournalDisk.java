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
 * fsync, several one after the other until a new leader answers. Somebody who stands for election
 * again before that is done makes the others' votes worthless: with 100 ms and the usual time-outs
 * elections go on and on. So a voter with a slow disk is more patient.
 */
final class JournalDisk {
    static final Duration QUICK_ENOUGH = Duration.ofMillis(20);

    /** Of these a vote and a new leader's first write, on two disks that others use as well. */
    private static final int IN_AN_ELECTION = 4;

    /** With more patience than for such a disk no lease would outlast the loss of a leader. */
    private static final Duration SLOWEST = Duration.ofMillis(150);

    private static final int TRIES = 5;
    private static final int WRITTEN = 512;
    private static final Logger LOG = LoggerFactory.getLogger(JournalDisk.class);

    private JournalDisk() {}

    /**
     * Warns of a slow one. Takes as long as some writes do.
     *
     * @return how long one of these takes
     */
    static Duration check(Path folder) {
        try {
            var fsync = fsync(folder);
            slow(folder, fsync).ifPresent(LOG::warn);
            return fsync;
        } catch (IOException e) {
            // Whoever uses the folder hears of it, and says so.
            LOG.debug("No fsync in {}", folder, e);
            return Duration.ZERO;
        }
    }

    /** The settings for a disk that needs so long for a write: the same when it is quick enough. */
    static JournalSettings patient(JournalSettings settings, Duration fsync) {
        if (fsync.compareTo(QUICK_ENOUGH) <= 0) {
            return settings;
        }
        var longer = (fsync.compareTo(SLOWEST) < 0 ? fsync : SLOWEST).multipliedBy(IN_AN_ELECTION);
        return settings.withElectionTimeouts(
                settings.electionTimeoutMin().plus(longer),
                settings.electionTimeoutMax().plus(longer.multipliedBy(2)));
    }

    /** What an operator is to know of a disk that needs so long; empty: it is quick enough. */
    static Optional<String> slow(Path folder, Duration fsync) {
        return fsync.compareTo(QUICK_ENOUGH) <= 0
                ? Optional.empty()
                : Optional.of(
                        "The disk with the journal's folder %s needs %d ms to make a small write durable. With more than %d ms, everybody waits the longer when the journal's leader is lost, and with 100 ms leases may end before there is a new one. Put it (belay.node.data-dir) on an SSD, or on a disk that the VMs do not write to"
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
