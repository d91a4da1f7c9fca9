package dev.belay.qemu;

import dev.belay.replica.DurableFile;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this build of QEMU was seen to run a VM in lockstep on this server. What was seen is kept
 * in a folder, which several nodes on one machine may share; one of them looks, and the others take
 * its word.
 */
final class LockstepProof {
    private static final Logger log = LoggerFactory.getLogger(LockstepProof.class);

    /** A loaded server with an emulated guest takes a while. */
    static final Duration LIMIT = Duration.ofSeconds(60);

    private static final Duration AGAIN = Duration.ofMinutes(5);
    private static final long POLL_MILLIS = 100;

    /** Two threads of one process cannot wait for one lock of a file. */
    private static final ReentrantLock IN_PROCESS = new ReentrantLock();

    private interface Take {
        boolean taken() throws IOException;
    }

    /** One try; closed, nothing of it is left. */
    interface Trial extends AutoCloseable {
        /** Fails when it did not work. */
        void run(Duration limit);

        @Override
        void close() throws IOException;
    }

    private final QemuSettings settings;
    private final Supplier<Trial> trials;
    private final QemuBuild build;
    private final String version;
    private final String machine;
    private final GuestCpu cpu;

    /** How long it waits for another node before it says so. */
    private final Duration patience;

    private volatile Optional<String> unproven;

    LockstepProof(
            QemuSettings settings, QemuBuild build, String version, String machine, GuestCpu cpu) {
        this(settings, build, version, machine, cpu, () -> new TrialPair(settings), LIMIT);
    }

    LockstepProof(
            QemuSettings settings,
            QemuBuild build,
            String version,
            String machine,
            GuestCpu cpu,
            Supplier<Trial> trials,
            Duration patience) {
        this.settings = settings;
        this.trials = trials;
        this.build = build;
        this.version = version;
        this.machine = machine;
        this.cpu = cpu;
        this.patience = patience;
        this.unproven = Optional.of(tried());
    }

    private String tried() {
        return "lockstep is being tried out on %s's QEMU %s, which takes some seconds"
                .formatted(settings.serverName(), version);
    }

    /** Why no VM may run in lockstep here, in a clause. */
    Optional<String> unproven() {
        return unproven;
    }

    /** Looks whether it is proven already; if not, proves it in the background. */
    void seek() {
        var folder = settings.pairs().proofs();
        if (isProven(folder)) {
            unproven = Optional.empty();
            if (!TrialPair.hasLeft(settings)) {
                return;
            }
        }
        // It waits for a lock of a file, which would hold up a virtual thread's carrier.
        Thread.ofPlatform().daemon().name("lockstep-proof").start(() -> prove(folder));
    }

    /** Or believed unseen, when there is no folder. */
    private boolean isProven(Optional<Path> folder) {
        return folder.isEmpty() || Files.exists(file(folder.get()));
    }

    private void prove(Optional<Path> folder) {
        do {
            try {
                if (folder.isEmpty()) {
                    clearAway();
                } else {
                    proveAlone(folder.get());
                }
                unproven = Optional.empty();
                return;
            } catch (IOException | RuntimeException e) {
                failed(
                        isProven(folder),
                        e instanceof HypervisorException expected
                                ? String.valueOf(expected.getMessage())
                                : e.toString());
            }
        } while (Waiting.millis(AGAIN.toMillis()) && isInstalled());
    }

    /** What was seen stays so, also when the trial cannot be cleared away. */
    private void failed(boolean proven, String why) {
        if (proven) {
            log.warn(
                    "What a trial of lockstep left on this server does not go away; it is tried again in {} min: {}",
                    AGAIN.toMinutes(),
                    why);
            unproven = Optional.empty();
            return;
        }
        log.error(
                "Lockstep was not proven on QEMU {}, so no VM at level SYSTEM gets a second copy on or from this server; it is tried again in {} min: {}",
                version,
                AGAIN.toMinutes(),
                why);
        unproven =
                Optional.of(
                        "lockstep was not proven on %s's QEMU %s, and is tried again after %d min: %s"
                                .formatted(
                                        settings.serverName(),
                                        version,
                                        AGAIN.toMinutes(),
                                        // It goes on in a sentence, as the clause that it is.
                                        why.replaceAll("[.]+$", "")));
    }

    /** Another one, of a build that was installed since, looks from then on. */
    private boolean isInstalled() {
        return QemuBuild.of(settings.system()).equals(Optional.of(build));
    }

    private void proveAlone(Path folder) throws IOException {
        Files.createDirectories(folder);
        await(IN_PROCESS::tryLock, () -> "another node of this process");
        try (var channel =
                FileChannel.open(
                        folder.resolve("lock"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            // Closing the channel lets go of it.
            await(() -> isLocked(channel), () -> holder(channel, folder.resolve("lock")));
            unproven = Optional.of(tried());
            if (Files.exists(file(folder))) {
                unproven = Optional.empty();
                clearAway();
                return;
            }
            var begun = System.nanoTime();
            try (var trial = trials.get()) {
                trial.run(LIMIT);
                log.info(
                        "QEMU {} ran a trial VM in lockstep, and on after the loss of its first copy; that took {} ms",
                        version,
                        (System.nanoTime() - begun) / 1_000_000);
                // Before it is cleared away, which proves nothing.
                DurableFile.write(file(folder), Instant.now() + "\n" + what());
            }
        } finally {
            IN_PROCESS.unlock();
        }
    }

    /**
     * Until it is its turn. A node that was stopped in the middle would be waited for without a
     * word otherwise; nobody waits for a QEMU that was replaced.
     */
    private void await(Take turn, Supplier<String> holder) throws IOException {
        var end = System.nanoTime() + patience.toNanos();
        for (var said = false; !turn.taken(); ) {
            if (!said && System.nanoTime() > end) {
                said = true;
                unproven =
                        Optional.of(
                                "lockstep was not tried out yet on %s's QEMU %s: it waits for %s"
                                        .formatted(settings.serverName(), version, holder.get()));
                log.warn("No VM runs in lockstep here: {}", unproven.orElseThrow());
            }
            if (!Waiting.millis(POLL_MILLIS) || !isInstalled()) {
                throw new HypervisorException(
                        "it was given up while it waited for " + holder.get(), false);
            }
        }
    }

    private boolean isLocked(FileChannel channel) throws IOException {
        try {
            if (channel.tryLock() == null) {
                return false;
            }
        } catch (OverlappingFileLockException e) {
            return false;
        }
        var name = settings.serverName() + " (process " + ProcessHandle.current().pid() + ")";
        channel.truncate(0).write(ByteBuffer.wrap(name.getBytes(StandardCharsets.UTF_8)), 0);
        return true;
    }

    /** Read from the same channel: closing another one would let go of this process's lock. */
    private static String holder(FileChannel channel, Path lock) {
        var name = ByteBuffer.allocate(200);
        try {
            channel.read(name, 0);
        } catch (IOException e) {
            log.debug("{} cannot be read", lock, e);
        }
        var told = StandardCharsets.UTF_8.decode(name.flip()).toString();
        return "%s, which holds %s".formatted(told.isEmpty() ? "another node" : told, lock);
    }

    /** What a process of the node that was killed in the middle has left. */
    private void clearAway() throws IOException {
        if (TrialPair.hasLeft(settings)) {
            trials.get().close();
        }
    }

    private Path file(Path folder) {
        return folder.resolve("lockstep-" + version + "-" + hash(what()));
    }

    /** Whatever the proof depends on. */
    private String what() {
        return String.join(
                "\n",
                "QEMU " + version,
                build.toString(),
                QemuBuild.of(settings.storageDaemon()).toString(),
                "machine " + machine,
                "accel " + settings.accel() + ", in use " + cpu.accelerator(),
                "cpu " + cpu.model(),
                "");
    }

    private static String hash(String text) {
        try {
            var digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        }
    }
}
