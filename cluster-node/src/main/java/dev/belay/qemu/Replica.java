package dev.belay.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.model.RunRight;
import dev.belay.qemu.Manifest.Phase;
import dev.belay.qemu.ReplicaFiles.Role;
import dev.belay.replica.Hypervisor.HypervisorException;
import dev.belay.replica.Hypervisor.Part;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.Hypervisor.ReplicaStatus;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One replica while it lives: hears its QEMU and its storage daemon, and notices the end.
 *
 * <pre>
 *  STARTING --cont--> RUNNING --QEMU gone--> ENDED
 *     |                                        ^
 *     +-----------------QEMU gone--------------+   (no event: start() fails instead)
 * </pre>
 */
final class Replica {
    private static final Logger log = LoggerFactory.getLogger(Replica.class);
    private static final Duration COMMAND_LIMIT = Duration.ofSeconds(5);
    private static final Duration RECONNECT_LIMIT = Duration.ofSeconds(5);
    private static final long DYING_MILLIS = 2_000;
    private static final long RECONNECT_PAUSE_MILLIS = 1_000;
    private static final long LAST_WORD_MILLIS = 500;
    private static final long TOGETHER_MILLIS = 100;

    private final ReplicaFiles files;
    private final Remains remains;
    private final Consumer<ReplicaEvent> observer;
    private final Leash qemuLeash;
    private final Leash storageLeash;
    private final AtomicReference<Phase> phase;
    private final AtomicBoolean ending = new AtomicBoolean();
    private final AtomicBoolean panicked = new AtomicBoolean();
    private final Set<String> failedDisks = ConcurrentHashMap.newKeySet();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile boolean cleared;
    private volatile boolean isEnding;
    private volatile Manifest manifest;
    private volatile boolean continued;
    private volatile boolean guestShutDown;
    private volatile boolean left;
    private volatile Part part = new Part.Alone();
    private volatile @Nullable PairListener pair;
    private volatile @Nullable QmpClient qmp;
    private volatile @Nullable QmpClient storageQmp;

    Replica(
            Manifest manifest,
            ReplicaFiles files,
            Remains remains,
            Consumer<ReplicaEvent> observer) {
        this.manifest = manifest;
        this.phase = new AtomicReference<>(manifest.phase());
        this.continued = manifest.phase() == Phase.RUNNING;
        this.files = files;
        this.remains = remains;
        this.observer = observer;
        this.qemuLeash = new Leash(files.leashSocket(Role.QEMU));
        this.storageLeash = new Leash(files.leashSocket(Role.STORAGE));
    }

    /** It ended, and nothing of it is left but its taps and its folder. */
    boolean isCleared() {
        return cleared;
    }

    RunRight right() {
        return manifest.right();
    }

    Manifest manifest() {
        return manifest;
    }

    ReplicaFiles files() {
        return files;
    }

    List<String> taps() {
        return manifest.taps();
    }

    /** Its end was not told yet. */
    boolean isThere() {
        return isRunning() || isEnding;
    }

    boolean isRunning() {
        return phase.get() == Phase.RUNNING;
    }

    /** Completes when its processes and overlays are gone, and its taps closed. */
    CompletableFuture<Void> ended() {
        return ended;
    }

    ReplicaStatus status() {
        var pid = manifest.qemu().map(leashed -> leashed.program().pid()).orElse(0L);
        return new ReplicaStatus(
                right(),
                isRunning(),
                isRunning() ? "QEMU is process " + pid : manifest.ended().orElse("not running"),
                part);
    }

    /** Who hears of it what concerns its pair. */
    interface PairListener {
        void onEvent(String name, JsonNode data);

        /** Whether an I/O error is the pair's, and so no failure of a disk here. */
        boolean takesIoError();
    }

    void becomes(Part newPart, @Nullable PairListener listener) {
        part = newPart;
        pair = listener;
    }

    /** Keeps the change on disk first. */
    void record(Manifest changed) throws IOException {
        changed.write(files.manifest());
        manifest = changed;
    }

    /** Returns at once. */
    void extendLeashes(long deadline) {
        manifest.qemu().ifPresent(_ -> qemuLeash.extend(deadline));
        manifest.storage().ifPresent(_ -> storageLeash.extend(deadline));
    }

    /** Returns when each leash has said whether it holds its program until then. Blocks. */
    boolean extendLeashesNow(long deadline) {
        return Stream.of(
                        manifest.qemu().map(_ -> qemuLeash),
                        manifest.storage().map(_ -> storageLeash))
                .flatMap(Optional::stream)
                .map(leash -> leash.extendNow(deadline))
                .reduce(true, Boolean::logicalAnd);
    }

    /** From here on the guest may run, and so have failures worth telling. */
    void continuing() {
        continued = true;
    }

    /** Its guest's CPUs run. False: it is gone already. */
    boolean toRunning() {
        return phase.compareAndSet(Phase.STARTING, Phase.RUNNING);
    }

    @Nullable QmpClient qmp() {
        return qmp;
    }

    /** Connects to QEMU and notices its end from here on. */
    QmpClient connectQemu(Duration patience) {
        var pid = manifest.qemu().orElseThrow().program().pid();
        ProcessHandle.of(pid)
                .ifPresentOrElse(handle -> handle.onExit().thenRun(this::endSoon), this::endSoon);
        var client =
                Waiting.reply(
                        QmpClient.connect(
                                files.qmp(Role.QEMU),
                                patience,
                                new QemuListener(),
                                QmpTap.fromEnvironment(right().vm() + "-" + right().epoch())));
        qmp = client;
        return client;
    }

    /** Connects to the storage daemon; when it is lost, all disks are. */
    QmpClient connectStorage(Duration patience) {
        var client =
                Waiting.reply(
                        QmpClient.connect(
                                files.qmp(Role.STORAGE),
                                patience,
                                new StorageListener(),
                                QmpTap.fromEnvironment(
                                        right().vm() + "-" + right().epoch() + "-disks")));
        storageQmp = client;
        return client;
    }

    /** What happened while no node watched. */
    void catchUp(QmpClient client) {
        var status = Waiting.reply(client.execute("query-status", COMMAND_LIMIT));
        switch (status.path("status").asText()) {
            case "guest-panicked" -> panicked();
            case "io-error" ->
                    // It does not say which disk; the first stands for them.
                    paused(0, "QEMU paused the guest for an I/O error");
            case "prelaunch" -> {
                // The process that started it died before it said cont: nobody will now.
                log.warn("{} was never continued; it is ended", right());
                killQemu();
            }
            default -> log.debug("{} is {}", right(), status);
        }
    }

    /** Asks the guest to power off. */
    void powerDown() {
        var client = qmp;
        if (client != null) {
            client.execute("system_powerdown", COMMAND_LIMIT)
                    .exceptionally(e -> {
                        log.warn("{} cannot be asked to power off", right(), e);
                        return null;
                    });
        }
    }

    void killQemu() {
        manifest.qemu().ifPresent(leashed -> leashed.program().kill());
    }

    /** False when it has not ended in time. */
    boolean awaitEnd(Duration limit) {
        try {
            ended.copy().orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS).join();
            return true;
        } catch (CompletionException e) {
            return !(e.getCause() instanceof TimeoutException);
        }
    }

    private boolean isQemuAlive() {
        return manifest.qemu().map(leashed -> leashed.program().isAlive()).orElse(false);
    }

    private void endSoon() {
        Thread.ofVirtual().name("end-" + right().vm()).start(this::endWhenGone);
    }

    /** A closed socket is the first sign of death, a little before the process is gone. */
    private void endWhenGone() {
        var end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DYING_MILLIS);
        while (isQemuAlive()) {
            if (System.nanoTime() > end) {
                reconnect();
                return;
            }
            if (left || !Waiting.millis(1)) {
                return;
            }
        }
        end();
    }

    /** Until it answers or is gone; its leash holds it meanwhile. */
    private void reconnect() {
        while (!left && !ending.get() && isQemuAlive()) {
            var client = qmp;
            if (client != null && client.isOpen()) {
                return;
            }
            log.warn("{} lives but its QMP connection is lost; connecting again", right());
            try {
                catchUp(connectQemu(RECONNECT_LIMIT));
            } catch (QmpException e) {
                log.error("{} does not answer on QMP: {}", right(), e.getMessage());
            }
            if (!Waiting.millis(RECONNECT_PAUSE_MILLIS)) {
                return;
            }
        }
        if (!isQemuAlive()) {
            endSoon();
        }
    }

    /** Found alive by a new process of the node. */
    void adopt(Duration patience) {
        try {
            if (manifest.storage().isPresent()) {
                connectStorage(patience);
            }
            catchUp(connectQemu(patience));
        } catch (QmpException e) {
            log.error("{} was found alive but does not answer: {}", right(), e.getMessage());
            Thread.ofVirtual().name("reconnect-" + right().vm()).start(this::reconnect);
        }
    }

    /** Lets go of it as it is: it lives on, and a later process of the node may adopt it. */
    void leave() {
        left = true;
        for (var client : new QmpClient[] {qmp, storageQmp}) {
            if (client != null) {
                client.close();
            }
        }
    }

    private void end() {
        if (left || !ending.compareAndSet(false, true)) {
            return;
        }
        var last = lastWord();
        var how = last.map(LeashStatus::words).orElse("its leash did not see how it ended");
        isEnding = phase.get() == Phase.RUNNING;
        var ran = phase.getAndSet(Phase.ENDED) == Phase.RUNNING;
        var client = qmp;
        if (client != null) {
            client.close();
        }
        if (!ran) {
            // start() cleans up and fails.
            ended.complete(null);
            return;
        }
        killTheRest();
        isEnding = false;
        observer.accept(
                guestShutDown && last.map(LeashStatus::exitedCleanly).orElse(false)
                        ? new ReplicaEvent.PoweredOff(right())
                        : new ReplicaEvent.Exited(
                                right(),
                                last.map(LeashStatus::leaseExpired).orElse(false),
                                "QEMU: " + how));
        try {
            remains.removeButTaps(manifest);
            record(manifest.toEnded("QEMU: " + how));
            cleared = true;
        } catch (IOException | RuntimeException e) {
            log.error("What is left of {} could not be cleared away", right(), e);
        }
        ended.complete(null);
    }

    /** Its end is told when all of it has ended: what hangs in the kernel may still write. */
    private void killTheRest() {
        while (true) {
            try {
                Remains.killKnown(manifest);
                return;
            } catch (HypervisorException e) {
                log.error(
                        "{} ended, but not all of it; it counts as running until then", right(), e);
                if (!Waiting.millis(1000)) {
                    return;
                }
            }
        }
    }

    private Optional<LeashStatus> lastWord() {
        var end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_WORD_MILLIS);
        while (true) {
            var status = LeashStatus.read(files.leashStatus(Role.QEMU));
            if (status.map(LeashStatus::isOver).orElse(false)) {
                return status;
            }
            if (System.nanoTime() > end || !Waiting.millis(1)) {
                return Optional.empty();
            }
        }
    }

    private void panicked() {
        if (panicked.compareAndSet(false, true)) {
            observer.accept(new ReplicaEvent.Panicked(right()));
        }
    }

    private void paused(int k, String reason) {
        var listener = pair;
        if (listener == null || !listener.takesIoError()) {
            diskFailed(k, reason);
        }
    }

    private void diskFailed(int k, String reason) {
        var disks = manifest.spec().disks();
        var name = k < disks.size() ? disks.get(k).name() : QemuCommand.vd(k);
        if (continued && failedDisks.add(name)) {
            observer.accept(new ReplicaEvent.DiskFailed(right(), name, reason));
        }
    }

    private final class QemuListener implements QmpListener {
        @Override
        public void onEvent(String name, JsonNode data) {
            var listener = pair;
            if (listener != null) {
                listener.onEvent(name, data);
            }
            switch (name) {
                case "GUEST_PANICKED" -> panicked();
                case "SHUTDOWN" -> guestShutDown = data.path("guest").asBoolean();
                case "BLOCK_IO_ERROR" -> ioError(data);
                default -> log.debug("{} {} {}", right(), name, data);
            }
        }

        private void ioError(JsonNode data) {
            var node = data.path("node-name").asText();
            if (data.path("action").asText().equals("stop") && node.matches("vd\\d{1,3}")) {
                paused(Integer.parseInt(node.substring(2)), data.path("reason").asText());
            }
        }

        @Override
        public void onClose(String why) {
            endSoon();
        }
    }

    /** An idle guest would not notice for long that its disks are gone. */
    private final class StorageListener implements QmpListener {
        @Override
        public void onEvent(String name, JsonNode data) {
            log.debug("{} disks: {} {}", right(), name, data);
        }

        @Override
        public void onClose(String why) {
            Thread.ofVirtual().start(() -> lost(why));
        }

        private void lost(String why) {
            // When all end together, the end of QEMU is the news.
            if (!Waiting.millis(TOGETHER_MILLIS) || left || !isQemuAlive() || ending.get()) {
                return;
            }
            for (var k = 0; k < manifest.spec().disks().size(); k++) {
                diskFailed(k, "the storage daemon is gone (" + why + ")");
            }
        }
    }
}
