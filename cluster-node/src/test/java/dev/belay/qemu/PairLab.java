package dev.belay.qemu;

import dev.belay.decision.RaiseStage;
import dev.belay.decision.VmInput.Timing;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.KernelBoot;
import dev.belay.model.Level;
import dev.belay.model.RunRight;
import dev.belay.model.VmSpec;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Two servers for tests, their guests in one bridge. */
final class PairLab implements AutoCloseable {
    static final String VM = "web";
    private static final int GUEST = 1;

    final QemuLab a;
    final QemuLab b;

    /** What the last raise told, in order. */
    final ConcurrentLinkedQueue<String> progress = new ConcurrentLinkedQueue<>();

    private VmSpec spec;

    PairLab() throws IOException {
        a = new QemuLab(0);
        try {
            b = new QemuLab(1);
        } catch (IOException | RuntimeException e) {
            a.close();
            throw e;
        }
        spec = system(a.spec(VM, GUEST, List.of(disk("root"))));
    }

    /** One processor, one disk that is mirrored, one card, unless {@link #becomes} was said. */
    VmSpec spec() {
        return spec;
    }

    void becomes(VmSpec other) {
        spec = other;
    }

    static DiskSpec disk(String name) {
        return new DiskSpec(name, DiskKind.MIRRORED, Optional.empty(), "raw", 32);
    }

    /** Its connections outlive several takeovers. */
    static VmSpec system(VmSpec spec) {
        return new VmSpec(
                spec.name(),
                spec.cpus(),
                spec.memoryMiB(),
                spec.boot()
                        .map(boot ->
                                new KernelBoot(
                                        boot.kernel(),
                                        boot.initrd(),
                                        boot.commandLine() + " sysctl.net.ipv4.tcp_syncookies=2")),
                spec.disks(),
                spec.nics(),
                Level.SYSTEM,
                spec.placement(),
                spec.priority());
    }

    RunRight right(int epoch) {
        return a.right(VM, epoch);
    }

    String guestAddress() {
        return a.guestAddress(GUEST);
    }

    boolean answersIpv4(Duration limit) {
        return answers(guestAddress(), limit);
    }

    /** At the address that it gives its first card by itself. */
    boolean answersIpv6(Duration limit) {
        return answers("fe80::5054:ff:fe78:%d%%%s".formatted(10 + GUEST, a.bridge), limit);
    }

    private static boolean answers(String host, Duration limit) {
        try {
            return QemuLab.ask(host, 7, "hello", limit).equals("1 hello");
        } catch (IOException e) {
            return false;
        }
    }

    void start(QemuLab on, int epoch) throws InterruptedException {
        QemuLab.get(on.hypervisor().start(right(epoch), spec()));
        a.awaitEcho(GUEST);
    }

    /** Prepares a second and raises. */
    List<Timing> raise(QemuLab primary, int own, QemuLab secondary, int other) {
        return QemuLab.get(raising(primary, own, secondary, other));
    }

    CompletionStage<List<Timing>> raising(QemuLab primary, int own, QemuLab secondary, int other) {
        progress.clear();
        var at =
                QemuLab.get(
                        secondary.hypervisor().prepareSecondary(right(other), right(own), spec()));
        return primary.hypervisor()
                .raise(
                        right(own),
                        right(other),
                        at,
                        (RaiseStage stage, Integer percent) -> progress.add(stage + " " + percent));
    }

    /** How many lines the guest's disk holds. */
    long records() throws IOException {
        return Long.parseLong(a.ask(GUEST, 8, "?", Duration.ofSeconds(30)).split(" ", 2)[0]);
    }

    ProcessHandle qemu(QemuLab on, int epoch) throws IOException {
        return program(on, epoch, ReplicaFiles.Role.QEMU);
    }

    ProcessHandle program(QemuLab on, int epoch, ReplicaFiles.Role role) throws IOException {
        var right = right(epoch);
        var files = ReplicaFiles.of(on.settings.runDir(), right.vm(), right.epoch());
        var manifest = Manifest.read(files.manifest()).orElseThrow();
        var leashed =
                (role == ReplicaFiles.Role.QEMU ? manifest.qemu() : manifest.storage())
                        .orElseThrow();
        return ProcessHandle.of(leashed.program().pid()).orElseThrow();
    }

    static void signal(ProcessHandle process, String name) {
        Tool.run(Duration.ofSeconds(5), List.of("kill", "-" + name, Long.toString(process.pid())));
    }

    PairQmp qmp(QemuLab on, int epoch) {
        return new PairQmp(right(epoch), () -> on.hypervisor().qmp(right(epoch)));
    }

    @Override
    public void close() throws IOException {
        try {
            a.close();
        } finally {
            b.close();
        }
    }
}
