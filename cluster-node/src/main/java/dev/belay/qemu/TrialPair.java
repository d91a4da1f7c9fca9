package dev.belay.qemu;

import dev.belay.clock.BootClock;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.HypervisorException;
import dev.belay.replica.Hypervisor.Part;
import dev.belay.replica.Hypervisor.StopMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * A guest of a few MiB without a system, on this server alone, goes through what a VM at level
 * SYSTEM goes through: it is brought into lockstep, passes checkpoints, loses its first QEMU and
 * runs on in the second. All by the code that does it for real VMs, in folders, with taps and on
 * ports of its own. Blocks.
 *
 * <p>Whatever happens to the node's process meanwhile, the leashes end it all at the limit.
 */
final class TrialPair implements LockstepProof.Trial {
    private static final Incarnation LIFE = new Incarnation(1);
    private static final int MEMORY_MIB = 16;
    private static final int CHECKPOINTS = 2;
    private static final VmName VM = new VmName("trial");

    private final List<Path> folders;
    private final QemuSettings firstSettings;
    private final QemuHypervisor first;
    private final QemuHypervisor second;
    private String doing = "preparing it";

    TrialPair(QemuSettings node) {
        folders = List.of(run(node), data(node));
        firstSettings = half(node, "a");
        first = new QemuHypervisor(firstSettings);
        second = new QemuHypervisor(half(node, "b"));
    }

    private static Path run(QemuSettings node) {
        return node.runDir().resolve("trial");
    }

    private static Path data(QemuSettings node) {
        return node.dataDir().resolve("trial");
    }

    private static QemuSettings half(QemuSettings node, String name) {
        for (var attempt = 0; ; attempt++) {
            var half =
                    new QemuSettings(
                            node.system(),
                            node.storageDaemon(),
                            node.img(),
                            node.leash(),
                            node.accel(),
                            node.machine(),
                            node.cpu(),
                            run(node).resolve(name),
                            data(node).resolve(name),
                            node.serverName() + " " + name + attempt,
                            "127.0.0.1",
                            // These leashes are no sign that a VM lives here.
                            0,
                            node.killBudget(),
                            node.patience(),
                            PairSettings.TRIAL);
            // Short hashes: whoever has the node's own would take the taps of its VMs away.
            if (!TapNames.of(half).equals(TapNames.of(node))) {
                return half;
            }
        }
    }

    /** Fails with what it was doing when it did not work. */
    @Override
    public void run(Duration limit) {
        var end = System.nanoTime() + limit.toNanos();
        try {
            removeAll();
            steps(end);
        } catch (IOException | RuntimeException e) {
            throw new HypervisorException(
                    "it failed at "
                            + doing
                            + ": "
                            + (e instanceof HypervisorException ? e.getMessage() : e.toString()),
                    false);
        }
    }

    private void steps(long end) throws IOException {
        var primary = new RunRight(VM, new Epoch(1), new ServerName("a"), LIFE);
        var secondary = new RunRight(VM, new Epoch(2), new ServerName("b"), LIFE);
        var bridge = TapNames.of(firstSettings).prefix() + "br";
        var spec = spec(bridge);
        var deadline = BootClock.nanos() + end - System.nanoTime();
        first.extend(LIFE, deadline);
        second.extend(LIFE, deadline);
        Taps.makeBridge(bridge);
        doing = "starting the first QEMU";
        get(first.start(primary, spec), end);
        doing = "starting the second QEMU";
        var at = get(second.prepareSecondary(secondary, primary, spec), end);
        doing = "bringing the two into lockstep";
        get(first.raise(primary, secondary, at, (_, _) -> {}), end);
        get(second.inLockstep(secondary, primary), end);
        doing = "waiting for checkpoints";
        var passed =
                PairQmp.await(
                        Duration.ofNanos(Math.max(0, end - System.nanoTime())),
                        () -> first.checkpoints(primary) >= CHECKPOINTS);
        if (!passed) {
            throw new HypervisorException(
                    "only %d of %d came".formatted(first.checkpoints(primary), CHECKPOINTS), false);
        }
        doing = "letting the second go on when the first was killed";
        get(first.stop(VM, primary.epoch(), StopMode.KILL), end);
        get(second.goSolo(secondary, primary), end);
        if (second.replicas().stream()
                .noneMatch(status -> status.running() && status.part() instanceof Part.Alone)) {
            throw new HypervisorException("it does not run: " + second.replicas(), false);
        }
    }

    private static VmSpec spec(String bridge) {
        return new VmSpec(
                VM,
                1,
                MEMORY_MIB,
                Optional.empty(),
                List.of(new DiskSpec("root", DiskKind.MIRRORED, Optional.empty(), "raw", 1)),
                List.of(new NicSpec(bridge, "52:54:00:00:00:01", Optional.empty())),
                Level.SYSTEM,
                Placement.ANYWHERE,
                0);
    }

    private static <T> T get(CompletionStage<T> stage, long end) {
        var left = end - System.nanoTime();
        return Waiting.reply(
                stage.toCompletableFuture()
                        .copy()
                        .orTimeout(Math.max(0, left), TimeUnit.NANOSECONDS)
                        .exceptionallyCompose(e ->
                                CompletableFuture.failedFuture(
                                        e instanceof java.util.concurrent.TimeoutException
                                                ? new HypervisorException(
                                                        "it did not end in time", true)
                                                : e)));
    }

    /** Also what an earlier process of the node left in the middle. */
    private void removeAll() throws IOException {
        Waiting.reply(first.clean());
        Waiting.reply(second.clean());
        for (var folder : folders) {
            if (Files.exists(folder)) {
                try (var files = Files.walk(folder)) {
                    for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.deleteIfExists(file);
                    }
                }
            }
        }
    }

    /** Whether one was begun here that may have left something. */
    static boolean hasLeft(QemuSettings node) {
        return Files.exists(run(node)) || Files.exists(data(node));
    }

    /** Nothing of it is left. */
    @Override
    public void close() throws IOException {
        try {
            removeAll();
        } finally {
            first.close();
            second.close();
        }
    }
}
