package dev.belay.qemu;

import static dev.belay.qemu.QemuLab.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.belay.clock.BootClock;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.replica.Hypervisor.HypervisorException;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.Hypervisor.StopMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Real guests, without hardware virtualisation. Needs root and the BELAY_* variables. */
@Tag("qemu")
@Timeout(300)
class RealQemuTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final DiskSpec EMPTY_DISK =
            new DiskSpec("data", DiskKind.EPHEMERAL, Optional.empty(), "qcow2", 16);

    @SuppressWarnings("NullAway.Init")
    private QemuLab lab;

    @BeforeEach
    void openLab() throws IOException {
        lab = new QemuLab(0);
    }

    @AfterEach
    void closeLab() throws IOException {
        lab.close();
    }

    private QemuHypervisor hypervisor() {
        return lab.hypervisor();
    }

    private ProcessHandle qemu(String vm, int epoch) throws IOException {
        return process(vm, epoch, ReplicaFiles.Role.QEMU, false);
    }

    private ProcessHandle process(String vm, int epoch, ReplicaFiles.Role role, boolean leash)
            throws IOException {
        var right = lab.right(vm, epoch);
        var files = ReplicaFiles.of(lab.settings.runDir(), right.vm(), right.epoch());
        var manifest = Manifest.read(files.manifest()).orElseThrow();
        var leashed =
                (role == ReplicaFiles.Role.QEMU ? manifest.qemu() : manifest.storage())
                        .orElseThrow();
        return ProcessHandle.of((leash ? leashed.leash() : leashed.program()).pid()).orElseThrow();
    }

    private void startGuest(String vm, DiskSpec... disks) throws InterruptedException {
        var begun = System.nanoTime();
        var status = get(hypervisor().start(lab.right(vm, 1), lab.spec(vm, 1, List.of(disks))));
        report("start() to running", begun);
        assertThat(status.running()).isTrue();
        assertThat(lab.awaitEcho(1)).contains("hello");
        report("start() to first echo", begun);
    }

    private static void report(String what, long since) {
        System.out.printf("measured: %s %d ms%n", what, (System.nanoTime() - since) / 1_000_000);
    }

    private static void signal(ProcessHandle process, String name) {
        Tool.run(SOON, List.of("kill", "-" + name, Long.toString(process.pid())));
    }

    @Test
    void theServerIsFit() {
        assertThat(hypervisor().problems()).isEmpty();
    }

    @Test
    void aKilledQemuIsToldAndANewEpochStarts() throws Exception {
        startGuest("web", EMPTY_DISK);
        assertThat(hypervisor().replicas()).hasSize(1);
        var begun = System.nanoTime();
        qemu("web", 1).destroyForcibly();
        var event = lab.nextEvent(SOON);
        report("kill to Exited", begun);
        assertThat(event)
                .isEqualTo(
                        new ReplicaEvent.Exited(
                                lab.right("web", 1), false, "QEMU: killed by signal 9"));
        begun = System.nanoTime();
        get(hypervisor().start(lab.right("web", 2), lab.spec("web", 1, List.of(EMPTY_DISK))));
        report("start() of the next epoch", begun);
        assertThat(lab.awaitEcho(1)).contains("hello");
        begun = System.nanoTime();
        get(
                hypervisor()
                        .stop(
                                lab.right("web", 2).vm(),
                                lab.right("web", 2).epoch(),
                                StopMode.KILL));
        report("stop(KILL)", begun);
        assertThat(lab.nextEvent(SOON)).isInstanceOf(ReplicaEvent.Exited.class);
        assertThat(lab.events).isEmpty();
        assertThat(ReplicaFiles.all(lab.settings.runDir())).isEmpty();
        assertThat(Remains.under(lab.settings.runDir())).isEmpty();
    }

    @Test
    void anEarlierEpochIsKilledByALaterStartAndCannotComeBack() throws Exception {
        startGuest("web");
        var old = qemu("web", 1);
        get(hypervisor().start(lab.right("web", 2), lab.spec("web", 1, List.of())));
        assertThat(old.isAlive()).isFalse();
        assertThatThrownBy(() ->
                        get(hypervisor().start(lab.right("web", 1), lab.spec("web", 1, List.of()))))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("too late");
        assertThat(hypervisor().replicas()).hasSize(1);
    }

    @Test
    void withoutRenewalTheLeashKillsAtTheDeadline() throws Exception {
        startGuest("web", EMPTY_DISK);
        lab.stopRenewing();
        var begun = System.nanoTime();
        var event = lab.nextEvent(SOON);
        report("last grant to Exited", begun);
        assertThat(event).isInstanceOf(ReplicaEvent.Exited.class);
        assertThat(((ReplicaEvent.Exited) event).lease()).isTrue();
        assertThat(lab.events).isEmpty();
    }

    @Test
    void withoutALeaseNothingStarts() {
        lab.stopRenewing();
        Waiting.millis(QemuLab.LEASE.toMillis() + 200);
        assertThatThrownBy(() ->
                        get(hypervisor().start(lab.right("web", 1), lab.spec("web", 1, List.of()))))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("no live lease");
        assertThat(ReplicaFiles.all(lab.settings.runDir())).isEmpty();
    }

    @Test
    void aStoppedLeashLeavesAMuteGuest() throws Exception {
        startGuest("web");
        signal(process("web", 1, ReplicaFiles.Role.QEMU, true), "STOP");
        lab.stopRenewing();
        Thread.sleep(QemuLab.LEASE.toMillis() + 300);
        assertThat(qemu("web", 1).isAlive()).isTrue();
        assertThatThrownBy(() -> lab.ask(1, 7, "hello", Duration.ofSeconds(2)))
                .isInstanceOf(IOException.class);
        // The same guest speaks again with a new lease: it was the gate that silenced it.
        hypervisor()
                .extend(QemuLab.INCARNATION, BootClock.nanos() + Duration.ofSeconds(20).toNanos());
        assertThat(lab.awaitEcho(1)).contains("hello");
    }

    @Test
    void aNewProcessOfTheNodeAdoptsARunningGuest() throws Exception {
        startGuest("web", EMPTY_DISK);
        var bootId = lab.bootId(1);
        lab.reopen();
        var begun = System.nanoTime();
        var found = get(hypervisor().adopt());
        report("adopt()", begun);
        assertThat(found).hasSize(1);
        assertThat(found.getFirst().running()).isTrue();
        assertThat(found.getFirst().right()).isEqualTo(lab.right("web", 1));
        // Longer than the lease: the new process renews it.
        Thread.sleep(QemuLab.LEASE.toMillis() + 500);
        assertThat(lab.bootId(1)).isEqualTo(bootId);
        qemu("web", 1).destroyForcibly();
        assertThat(lab.nextEvent(SOON)).isInstanceOf(ReplicaEvent.Exited.class);
    }

    @Test
    void aNewProcessOfTheNodeLearnsHowAReplicaEnded() throws Exception {
        startGuest("web", EMPTY_DISK);
        var manifest = ReplicaFiles.all(lab.settings.runDir()).getFirst();
        var kept = Files.readAllBytes(manifest.manifest());
        qemu("web", 1).destroyForcibly();
        lab.nextEvent(SOON);
        Waiting.millis(500);
        // As if the node's JVM had died before it saw the end.
        Files.write(manifest.manifest(), kept);
        lab.reopen();
        var found = get(hypervisor().adopt());
        assertThat(found).hasSize(1);
        assertThat(found.getFirst().running()).isFalse();
        assertThat(found.getFirst().detail()).contains("signal 9");
        assertThat(get(hypervisor().adopt())).isEqualTo(found);
    }

    @Test
    void aGuestAskedToShutDownPowersOff() throws Exception {
        startGuest("web", EMPTY_DISK);
        var right = lab.right("web", 1);
        var begun = System.nanoTime();
        get(hypervisor().stop(right.vm(), right.epoch(), StopMode.SHUTDOWN));
        report("stop(SHUTDOWN)", begun);
        assertThat(lab.nextEvent(SOON)).isEqualTo(new ReplicaEvent.PoweredOff(right));
        assertThat(lab.events).isEmpty();
    }

    @Test
    void aPanicIsTold() throws Exception {
        startGuest("web");
        var qmp = Objects.requireNonNull(hypervisor().qmp(lab.right("web", 1)));
        get(qmp.execute("inject-nmi", SOON));
        assertThat(lab.nextEvent(SOON)).isEqualTo(new ReplicaEvent.Panicked(lab.right("web", 1)));
    }

    @Test
    void aDeadStorageDaemonIsAFailedDisk() throws Exception {
        startGuest("web", EMPTY_DISK);
        process("web", 1, ReplicaFiles.Role.STORAGE, false).destroyForcibly();
        var event = lab.nextEvent(SOON);
        assertThat(event).isInstanceOf(ReplicaEvent.DiskFailed.class);
        assertThat(((ReplicaEvent.DiskFailed) event).disk()).isEqualTo("data");
    }

    @Test
    void aSharedDiskRunsOnOneServerOnly() throws Exception {
        var image = sharedImage();
        var disk = new DiskSpec("data", DiskKind.SHARED, Optional.of(image.toString()), "raw", 0);
        try (var other = new QemuLab(1)) {
            get(hypervisor().start(lab.right("web", 1), lab.spec("web", 1, List.of(disk))));
            var refused =
                    other.hypervisor()
                            .start(other.right("web", 2), other.spec("web", 2, List.of(disk)));
            assertThatThrownBy(() -> get(refused))
                    .isInstanceOf(HypervisorException.class)
                    .hasMessageContaining("in use by another server");
            assertThat(ReplicaFiles.all(other.settings.runDir())).isEmpty();
            get(
                    hypervisor()
                            .stop(
                                    lab.right("web", 1).vm(),
                                    lab.right("web", 1).epoch(),
                                    StopMode.KILL));
            get(
                    other.hypervisor()
                            .start(other.right("web", 3), other.spec("web", 2, List.of(disk))));
        }
    }

    private Path sharedImage() throws IOException {
        var image = lab.dir.resolve("shared.raw");
        try (var file = new java.io.RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(16 * 1024 * 1024);
        }
        return image;
    }

    @Test
    void cleanLeavesNothing() throws Exception {
        startGuest("web", EMPTY_DISK);
        get(hypervisor().clean());
        assertThat(Remains.under(lab.settings.runDir())).isEmpty();
        assertThat(ReplicaFiles.all(lab.settings.runDir())).isEmpty();
        assertThat(Taps.named(TapNames.of(lab.settings).prefix())).isEmpty();
        assertThat(Files.list(DiskFiles.overlays(lab.settings.dataDir()))).isEmpty();
        var tables = Tool.run(SOON, List.of("nft", "list", "tables"));
        assertThat(tables.output()).doesNotContain(TapNames.of(lab.settings).table());
    }

    @Test
    void extendingIsQuick() throws Exception {
        startGuest("web", EMPTY_DISK);
        var begun = System.nanoTime();
        for (var i = 0; i < 100; i++) {
            hypervisor().extend(QemuLab.INCARNATION, BootClock.nanos() + QemuLab.LEASE.toNanos());
        }
        report("100 × extend()", begun);
        assertThat(System.nanoTime() - begun).isLessThan(500_000_000);
    }
}
