package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.KernelBoot;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.qemu.Manifest.Leashed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a replica's files and command lines say. */
class ReplicaTextTest {
    private static final DiskSpec SCRATCH =
            new DiskSpec("scratch", DiskKind.EPHEMERAL, Optional.empty(), "qcow2", 64);
    private static final DiskSpec DATA =
            new DiskSpec("data", DiskKind.SHARED, Optional.of("/shared/web.raw"), "raw", 0);
    private static final RunRight RIGHT =
            new RunRight(
                    new VmName("web"), new Epoch(7), new ServerName("alpha"), new Incarnation(3));

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path dir;

    private static final QemuSettings SETTINGS =
            new QemuSettings(
                    Path.of("/usr/bin/qemu-system-x86_64"),
                    Path.of("/usr/bin/qemu-storage-daemon"),
                    Path.of("/usr/bin/qemu-img"),
                    Path.of("/usr/bin/belay-leash"),
                    "kvm:tcg",
                    "pc",
                    "qemu64",
                    Path.of("/run/belay"),
                    Path.of("/var/lib/belay"),
                    "alpha",
                    "127.0.0.1",
                    0,
                    Duration.ofMillis(250),
                    QemuSettings.DEFAULT_PATIENCE);

    private static VmSpec spec(Optional<KernelBoot> boot) {
        return new VmSpec(
                RIGHT.vm(),
                2,
                512,
                boot,
                List.of(SCRATCH, DATA),
                List.of(new NicSpec("br0", "52:54:00:12:34:56", Optional.of("10.0.0.5"))),
                Level.RESTART,
                Placement.ANYWHERE,
                100);
    }

    private static final String COMMAND =
            """
            /usr/bin/qemu-system-x86_64
            -name guest=web,debug-threads=on
            -machine pc-i440fx-11.1,accel=kvm:tcg
            -cpu qemu64
            -m 512
            -smp 2
            -nodefaults
            -no-user-config
            -display none
            -S
            -action panic=pause
            -chardev socket,id=qmp0,path=/run/belay/vm/web/e7/qemu.qmp,server=on,wait=off
            -mon chardev=qmp0,mode=control
            -chardev file,id=serial0,path=/run/belay/vm/web/e7/serial.log
            -serial chardev:serial0
            -device pvpanic-pci,id=panic0,addr=0x3
            -kernel /boot/k
            -initrd /boot/i
            -append quiet a=b,c
            -netdev tap,id=hn0,vhost=off,ifname=bly0.0,script=no,downscript=no
            -device virtio-net-pci,id=e0,netdev=hn0,mac=52:54:00:12:34:56,romfile=,addr=0x4
            -blockdev {"driver":"nbd","node-name":"leg0L.e7","server":{"type":"inet","host":"127.0.0.1","port":"4711"},"export":"web-scratch.e7","reconnect-delay":0,"discard":"unmap"}
            -blockdev {"driver":"raw","node-name":"vd0","file":"leg0L.e7"}
            -device virtio-blk-pci,id=vblk0,drive=vd0,addr=0x8,werror=stop,rerror=stop
            -blockdev {"driver":"nbd","node-name":"leg1L.e7","server":{"type":"inet","host":"127.0.0.1","port":"4711"},"export":"web-data.e7","reconnect-delay":0,"discard":"unmap"}
            -blockdev {"driver":"raw","node-name":"vd1","file":"leg1L.e7"}
            -device virtio-blk-pci,id=vblk1,drive=vd1,addr=0x9,werror=stop,rerror=stop
            """;

    private static List<String> command(VmSpec spec) {
        return QemuCommand.system(
                SETTINGS,
                "pc-i440fx-11.1",
                RIGHT,
                spec,
                ReplicaFiles.of(SETTINGS.runDir(), RIGHT.vm(), RIGHT.epoch()),
                List.of("bly0.0"),
                4711);
    }

    @Test
    void theCommandLineIsAsExpected() {
        var boot = new KernelBoot("/boot/k", "/boot/i", "quiet a=b,c");
        var lines = String.join(" ", command(spec(Optional.of(boot)))).replace(" -", "\n-");
        assertThat(lines + "\n").isEqualTo(COMMAND);
    }

    @Test
    void withoutAKernelTheFirstDiskBoots() {
        var line = command(spec(Optional.empty()));
        assertThat(line).doesNotContain("-kernel", "-append");
        assertThat(line)
                .contains(
                        "virtio-blk-pci,id=vblk0,drive=vd0,addr=0x8,werror=stop,rerror=stop,bootindex=0")
                .contains("virtio-blk-pci,id=vblk1,drive=vd1,addr=0x9,werror=stop,rerror=stop");
    }

    /** The VMs of an earlier version run on while the node is updated. */
    @Test
    void aManifestFromBeforeAVmHadABudgetIsRead() throws IOException {
        var manifest =
                Manifest.starting(RIGHT, spec(Optional.empty()), List.of(), List.of()).toRunning();
        var file = dir.resolve("manifest.json");
        manifest.write(file);
        var json = Manifest.JSON.readTree(file.toFile());
        ((ObjectNode) json.path("spec")).remove("latencyBudgetMillis");
        Manifest.JSON.writeValue(file.toFile(), json);
        assertThat(Manifest.read(file)).contains(manifest);
    }

    @Test
    void aManifestSurvivesTheDisk() throws IOException {
        var manifest =
                Manifest.starting(
                                RIGHT,
                                spec(Optional.of(new KernelBoot("/k", "/i", "x"))),
                                List.of("bly0.0"),
                                List.of(Path.of("/var/lib/belay/ephemeral/o.qcow2")))
                        .withStorage(new Leashed(new ProcessId(12, 34), new ProcessId(11, 33)))
                        .withNbdPort(4711)
                        .withQemu(new Leashed(new ProcessId(22, 44), new ProcessId(21, 43)))
                        .toRunning();
        var file = dir.resolve("manifest.json");
        manifest.write(file);
        assertThat(Manifest.read(file)).contains(manifest);
        manifest.toEnded("gone").write(file);
        assertThat(Manifest.read(file)).contains(manifest.toEnded("gone"));
        assertThat(dir.toFile().list()).containsExactly("manifest.json");
    }

    @Test
    void afterARebootAManifestNamesNoProcesses() throws IOException {
        var file = dir.resolve("manifest.json");
        var manifest =
                Manifest.starting(RIGHT, spec(Optional.empty()), List.of(), List.of())
                        .withQemu(new Leashed(new ProcessId(22, 44), new ProcessId(21, 43)));
        manifest.write(file);
        Files.writeString(file, Files.readString(file).replace(manifest.boot(), "another-boot"));
        assertThat(Manifest.read(file).orElseThrow().qemu()).isEmpty();
    }

    @Test
    void overlaysCarryTheEpoch() {
        assertThat(new DiskFiles(SETTINGS).overlaysOf(spec(Optional.empty()), RIGHT.epoch()))
                .containsExactly(Path.of("/var/lib/belay/ephemeral/web-scratch.e7.qcow2"));
    }

    @Test
    void tapNamesFitAndDiffer() {
        var names = TapNames.of(SETTINGS);
        assertThat(names.tap(RIGHT.vm(), 3)).hasSizeLessThanOrEqualTo(15).startsWith("bly");
        assertThat(names.tap(RIGHT.vm(), 0)).isNotEqualTo(names.tap(RIGHT.vm(), 1));
        assertThat(names.tap(RIGHT.vm(), 0)).isNotEqualTo(names.tap(new VmName("db"), 0));
    }

    @Test
    void theNewestMachineOfAKindIsFound() {
        var help =
                """
                Supported machines are:
                pc                   Standard PC (i440FX + PIIX, 1996) (alias of pc-i440fx-11.1)
                pc-i440fx-11.1       Standard PC (i440FX + PIIX, 1996) (default)
                pc-i440fx-11.0       Standard PC (i440FX + PIIX, 1996)
                """;
        assertThat(Installation.resolve("pc", help)).contains("pc-i440fx-11.1");
        assertThat(Installation.resolve("pc-i440fx-11.0", help)).contains("pc-i440fx-11.0");
        assertThat(Installation.resolve("q35", help)).isEmpty();
    }

    @Test
    void aLeashSaysHowItsProgramEnded() throws IOException {
        var file = dir.resolve("status");
        Files.writeString(file, "boot=b\nleash=5\nchild=6\nstart=70\nstate=expired\nended=9\n");
        var status = LeashStatus.read(file).orElseThrow();
        assertThat(status).isEqualTo(new LeashStatus(5, 6, 70, "expired"));
        assertThat(status.leaseExpired()).isTrue();
        assertThat(new LeashStatus(5, 6, 70, "signalled:9").words())
                .isEqualTo("killed by signal 9");
        Files.writeString(file, "leash=");
        assertThat(LeashStatus.read(file)).isEmpty();
    }

    @Test
    void whatWouldEndUpInACommandLineIsChecked() {
        var nic = new NicSpec("br0; rm", "52:54", Optional.empty());
        var disk = new DiskSpec("a,b", DiskKind.LOCAL, Optional.of("rel"), "vmdk", 0);
        var spec =
                new VmSpec(
                        RIGHT.vm(),
                        1,
                        64,
                        Optional.empty(),
                        List.of(disk),
                        List.of(nic),
                        Level.RESTART,
                        Placement.ANYWHERE,
                        1);
        assertThat(SpecCheck.illegal(spec)).hasSize(5);
        assertThat(SpecCheck.illegal(spec(Optional.empty()))).isEmpty();
    }

    @Test
    void aMissingInstallationIsToldInSentences() {
        var nowhere =
                new QemuSettings(
                        Path.of("/nowhere/qemu"),
                        Path.of("/nowhere/qsd"),
                        Path.of("/nowhere/img"),
                        Path.of("/nowhere/leash"),
                        "tcg",
                        "pc",
                        "",
                        dir,
                        dir,
                        "alpha",
                        "127.0.0.1",
                        0,
                        Duration.ofMillis(250),
                        QemuSettings.DEFAULT_PATIENCE);
        try (var hypervisor = new QemuHypervisor(nowhere)) {
            assertThat(hypervisor.problems())
                    .anyMatch(problem -> problem.contains("/nowhere/qemu. Install QEMU 11.1"))
                    .anyMatch(problem -> problem.startsWith("The leash is missing"));
        }
    }
}
