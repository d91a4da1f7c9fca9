package dev.belay.qemu;

import dev.belay.model.Epoch;
import dev.belay.model.Level;
import dev.belay.model.RunRight;
import dev.belay.model.VmSpec;
import dev.belay.qemu.ReplicaFiles.Role;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
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
    private final DiskFiles disks;

    /** Whether the guest's CPUs may run, or have run, from here on. */
    private boolean mayRun;

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
        this.disks = new DiskFiles(settings);
    }

    /** Done when the guest's CPUs run. On failure nothing is left. */
    void run() throws IOException {
        undoneWhenItFails(this::steps);
    }

    /** Done when QEMU waits for its primary. On failure nothing is left. */
    void runSecondary(RunRight primary) throws IOException {
        undoneWhenItFails(() -> secondarySteps(primary));
    }

    private void undoneWhenItFails(Waiting.Step steps) throws IOException {
        try {
            Files.createDirectories(replica.files().dir());
            // First of all the manifest: whoever comes after a crash finds what there may be.
            replica.record(replica.manifest());
            steps.take();
        } catch (IOException | RuntimeException | Error e) {
            undo();
            if (mayRun || e instanceof Error) {
                throw e;
            }
            throw neverRan(e);
        }
    }

    private HypervisorException neverRan(Throwable why) {
        if (why instanceof HypervisorException expected) {
            return expected.neverRan();
        }
        log.warn("{} could not be started", replica.right(), why);
        return new HypervisorException("Could not start " + replica.right() + ": " + why, true)
                .neverRan();
    }

    private void steps() throws IOException {
        var right = replica.right();
        var spec = replica.manifest().spec();
        checkAborted.run();
        // Neither needs the other, and each runs several programs.
        Waiting.both(
                () -> {
                    if (!spec.disks().isEmpty()) {
                        startStorage(right, spec, disks::prepare);
                    }
                },
                () -> connectNetwork(spec));
        checkAborted.run();
        var qmp =
                startQemu(
                        QemuCommand.system(
                                settings,
                                installation.machineType(),
                                right,
                                spec,
                                replica.files(),
                                replica.taps(),
                                replica.manifest().nbdPort()));
        checkAborted.run();
        gate.openNow(replica.taps(), lease.getAsLong());
        // The last look before the guest may say a byte (safety.md 11).
        replica.extendLeashes(lease.getAsLong());
        replica.record(replica.manifest().toRunning());
        replica.continuing();
        mayRun = true;
        Waiting.reply(qmp.execute("cont", CONTINUE_LIMIT));
        if (!replica.toRunning()) {
            throw ended("QEMU", Role.QEMU);
        }
        log.info("{} runs", right);
    }

    private void secondarySteps(RunRight primary) throws IOException {
        var right = replica.right();
        var spec = replica.manifest().spec();
        checkAborted.run();
        Waiting.both(
                () -> {
                    if (!spec.disks().isEmpty()) {
                        startStorage(right, spec, disks::prepareSecondary);
                    }
                },
                () -> {
                    guard(replica.taps(), true);
                    gate.mute(replica.taps());
                    Taps.up(replica.taps());
                });
        checkAborted.run();
        var qmp =
                startQemu(
                        PairCommand.secondary(
                                settings,
                                installation.machineType(),
                                replica.manifest(),
                                replica.files()));
        checkAborted.run();
        var at = new ColoSecondary(settings, replica).listen(new PairQmp(right, () -> qmp));
        replica.extendLeashes(lease.getAsLong());
        new PairState(PairState.Stage.PREPARED, primary, at).write(replica.files());
        replica.record(replica.manifest().toRunning());
        replica.continuing();
        if (!replica.toRunning()) {
            throw ended("QEMU", Role.QEMU);
        }
        log.info("{} waits for {} at {}", right, primary, at);
    }

    /** Made anew, whatever was there. */
    private void guard(List<String> taps, boolean onlyCompared) {
        Taps.delete(taps);
        gate.release(taps);
        Taps.create(taps);
        gate.guard(taps, onlyCompared);
    }

    /** Guarded before they are in a bridge. What the last epoch left is taken over, closed. */
    private void connectNetwork(VmSpec spec) {
        boolean onlyCompared = spec.level() == Level.SYSTEM;
        guard(
                replica.taps().stream()
                        .filter(tap -> !(gate.guards(tap, onlyCompared) && Taps.exists(tap)))
                        .toList(),
                onlyCompared);
        for (var k = 0; k < spec.nics().size(); k++) {
            Taps.join(replica.taps().get(k), spec.nics().get(k).bridge());
        }
    }

    private interface Prepare {
        void files(VmSpec spec, Epoch epoch) throws IOException;
    }

    private void startStorage(RunRight right, VmSpec spec, Prepare prepare) throws IOException {
        var files = replica.files();
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
                () -> prepare.files(spec, right.epoch()));
        checkAborted.run();
        var port = new StorageDaemon(settings, qmp.get()).serve(right, spec, disks);
        replica.record(replica.manifest().withNbdPort(port));
    }

    private QmpClient startQemu(List<String> command) throws IOException {
        var files = replica.files();
        log.info("{} starts as {}", replica.right(), command);
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
