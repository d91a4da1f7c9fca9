package dev.belay.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What the machine makes everybody wait for who runs on it, whatever that is: again and again a
 * thread sleeps for a moment and makes a small write durable.
 */
final class MachineWaits implements AutoCloseable {
    /** What is promised holds on a disk whose usual fsync is no longer ... */
    private static final Duration USUAL_FSYNC = Duration.ofMillis(20);

    /** ... and as long as nobody has to wait for a processor or the disk for that long. */
    private static final Duration LONGEST_WAIT = Duration.ofMillis(500);

    private static final Duration NAP = Duration.ofMillis(20);
    private static final int WRITTEN = 512;

    /**
     * One look.
     *
     * @param at System.nanoTime() at the end
     * @param late nanoseconds that the thread slept too long
     * @param fsync nanoseconds
     */
    private record Look(long at, long late, long fsync) {}

    /**
     * Over a span of time.
     *
     * @param fsync the median
     * @param longest for a processor or the disk
     */
    record Waits(Duration fsync, Duration longest) {
        boolean areUsual() {
            return fsync.compareTo(USUAL_FSYNC) <= 0 && longest.compareTo(LONGEST_WAIT) <= 0;
        }
    }

    private final List<Look> looks = new CopyOnWriteArrayList<>();
    private final FileChannel file;
    private final Thread looking;
    private volatile boolean isClosed;
    private volatile Optional<IOException> failure = Optional.empty();

    /**
     * @param folder on the disk that counts
     */
    MachineWaits(Path folder) throws IOException {
        file =
                FileChannel.open(
                        folder.resolve("machine-waits"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
        looking = Thread.ofPlatform().name("machine-waits").daemon().start(this::look);
    }

    private void look() {
        var bytes = ByteBuffer.allocateDirect(WRITTEN);
        while (!isClosed) {
            try {
                long before = System.nanoTime();
                Thread.sleep(NAP);
                long awake = System.nanoTime();
                file.write(bytes.rewind(), 0);
                file.force(true);
                long done = System.nanoTime();
                looks.add(new Look(done, awake - before - NAP.toNanos(), done - awake));
            } catch (InterruptedException e) {
                return;
            } catch (IOException e) {
                failure = Optional.of(e);
                return;
            }
        }
    }

    /** Times are System.nanoTime(). A look that is under way at the end does not count. */
    Waits between(long from, long until) {
        failure.ifPresent(why -> {
            throw new UncheckedIOException(why);
        });
        var there =
                looks.stream()
                        .filter(look -> look.at() > from && look.at() - look.fsync() < until)
                        .toList();
        if (there.isEmpty()) {
            // It could not even look.
            var all = Duration.ofNanos(until - from);
            return new Waits(all, all);
        }
        var fsyncs = there.stream().map(Look::fsync).sorted().toList();
        long wait =
                there.stream()
                        .mapToLong(look -> Math.max(look.late(), look.fsync()))
                        .max()
                        .orElseThrow();
        return new Waits(Duration.ofNanos(fsyncs.get(fsyncs.size() / 2)), Duration.ofNanos(wait));
    }

    @Override
    public void close() throws IOException {
        isClosed = true;
        try {
            looking.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        file.close();
    }
}
