package dev.belay.qemu;

import dev.belay.model.RunRight;
import dev.belay.model.VmSpec;
import dev.belay.qemu.ReplicaFiles.Role;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps of one start, each of which an abort or the end of the lease may stop. Blocks. */
final class ReplicaStart {
    private static final Logger log = LoggerFactory.getLogger(ReplicaStart.class);
    private static final Duration CONTINUE_LIMIT = Duration.ofSeconds(10);

    private final QemuSettings settings;
    private final Installation installation;
    private final Gate gate;
    private final Remains remains;
    private final Replica replica;

    /** The newest deadline of the right's lease; fails when it is over. */
    private final LongSupplier lease;

    private final Runnable checkAborted;

    ReplicaStart(
            QemuSettings settings,
            Installation installation,
            Gate gate,
            Remains remains,
            Replica replica,
            LongSupplier lease,
            Runnable checkAborted) {
        this.settings = settings;
        this.installation = installation;
        this.gate = gate;
        this.remains = remains;
        this.replica = replica;
        this.lease = lease;
        this.checkAborted = checkAborted;
    }

    /** Done when the guest's CPUs run. On failure nothing is left. */
    void run() throws IOException {
        try {
            Files.createDirectories(replica.files().dir());
            // First of all the manifest: whoever comes after a crash finds what there may be.
            replica.record(replica.manifest());
            steps();
        } catch (IOException | RuntimeException | Error e) {
            undo();
            throw e;
        }
    }

    private void steps() throws IOException {
        var right = replica.right();
        var spec = replica.manifest().spec();
        checkAborted.run();
        // Neither needs the other, and each runs several programs.
        Waiting.both(
                () -> {
                    if (!spec.disks().isEmpty()) {
                        startStorage(right, spec);
                    }
                },
                () -> connectNetwork(spec));
        checkAborted.run();
        var qmp = startQemu(right, spec);
        checkAborted.run();
        gate.openNow(replica.taps(), lease.getAsLong());
        // The last look before the guest may say a byte (safety.md 11).
        replica.extendLeashes(lease.getAsLong());
        replica.record(replica.manifest().toRunning());
        replica.continuing();
        Waiting.reply(qmp.execute("cont", CONTINUE_LIMIT));
        if (!replica.toRunning()) {
            throw ended("QEMU", Role.QEMU);
        }
        log.info("{} runs", right);
    }

    /** Guarded before they are in a bridge. What the last epoch left is taken over, closed. */
    private void connectNetwork(VmSpec spec) {
        var lacking =
                replica.taps().stream()
                        .filter(tap -> !(gate.guards(tap) && Taps.exists(tap)))
                        .toList();
        Taps.create(lacking);
        gate.guard(lacking);
        for (var k = 0; k < spec.nics().size(); k++) {
            Taps.join(replica.taps().get(k), spec.nics().get(k).bridge());
        }
    }

    private void startStorage(RunRight right, VmSpec spec) throws IOException {
        var files = replica.files();
        var disks = new DiskFiles(settings);
        var qmp = new AtomicReference<QmpClient>();
        // The daemon opens no disk before it is told to.
        Waiting.both(
                () -> {
                    replica.record(
                            replica.manifest()
                                    .withStorage(
                                            Leash.start(
                                                    settings,
                                                    files,
                                                    Role.STORAGE,
                                                    lease.getAsLong(),
                                                    QemuCommand.storage(settings, files))));
                    qmp.set(connect("The storage daemon", Role.STORAGE, replica::connectStorage));
                },
                () -> disks.prepare(spec, right.epoch()));
        checkAborted.run();
        var port = new StorageDaemon(settings, qmp.get()).serve(right, spec, disks);
        replica.record(replica.manifest().withNbdPort(port));
    }

    private QmpClient startQemu(RunRight right, VmSpec spec) throws IOException {
        var files = replica.files();
        var command =
                QemuCommand.system(
                        settings,
                        installation.machineType(),
                        right,
                        spec,
                        files,
                        replica.taps(),
                        replica.manifest().nbdPort());
        log.info("{} starts as {}", right, command);
        replica.record(
                replica.manifest()
                        .withQemu(
                                Leash.start(
                                        settings, files, Role.QEMU, lease.getAsLong(), command)));
        return connect("QEMU", Role.QEMU, replica::connectQemu);
    }

    private interface Connect {
        QmpClient with(Duration patience);
    }

    /** A program that fails at once would otherwise be waited for until patience ends. */
    private QmpClient connect(String program, Role role, Connect connect) {
        var end = System.nanoTime() + settings.patience().toNanos();
        while (!Files.exists(replica.files().qmp(role))) {
            checkAborted.run();
            if (LeashStatus.read(replica.files().leashStatus(role))
                    .map(LeashStatus::isOver)
                    .orElse(true)) {
                throw ended(program, role);
            }
            if (System.nanoTime() > end || !Waiting.millis(2)) {
                throw new HypervisorException(
                        program
                                + " does not open its QMP socket within "
                                + settings.patience().toSeconds()
                                + " s; the server is overloaded or its storage hangs.",
                        true);
            }
        }
        try {
            return connect.with(settings.patience());
        } catch (QmpException e) {
            throw new HypervisorException(
                    program + " does not talk QMP: " + e.getMessage() + "; " + words(role), true);
        }
    }

    private HypervisorException ended(String program, Role role) {
        var status =
                LeashStatus.read(replica.files().leashStatus(role))
                        .map(LeashStatus::words)
                        .orElse("cause unknown");
        return new HypervisorException(
                program + " ended while starting (" + status + "): " + words(role), true);
    }

    private String words(Role role) {
        return replica.files().lastWords(role);
    }

    private void undo() {
        try {
            remains.clear(replica.files(), Optional.of(replica.manifest()));
            replica.files().delete();
        } catch (IOException | RuntimeException e) {
            // Its manifest stays, so that a later stop, start or clean finds it.
            log.error("What is left of {} could not be cleared away", replica.right(), e);
        }
    }
}
