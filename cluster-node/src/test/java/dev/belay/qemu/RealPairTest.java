package dev.belay.qemu;

import static dev.belay.qemu.QemuLab.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.belay.decision.RaiseStage;
import dev.belay.decision.VmInput.Timing;
import dev.belay.replica.Hypervisor.HypervisorException;
import dev.belay.replica.Hypervisor.Part;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.Hypervisor.StopMode;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Real guests on two servers in lockstep. Needs root and the BELAY_* variables. */
@Tag("qemu")
@Timeout(400)
class RealPairTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @SuppressWarnings("NullAway.Init")
    private PairLab lab;

    @BeforeEach
    void openLab() throws IOException {
        lab = new PairLab();
    }

    @AfterEach
    void closeLab() throws IOException {
        lab.close();
    }

    private static void report(String what, List<Timing> timings) {
        System.out.println("measured: " + what + " " + timings);
    }

    private static void report(String what, long since) {
        System.out.printf("measured: %s %d ms%n", what, (System.nanoTime() - since) / 1_000_000);
    }

    static <T extends ReplicaEvent> T await(QemuLab on, Class<T> kind) throws InterruptedException {
        return kind.cast(await(on, kind::isInstance));
    }

    private static ReplicaEvent await(QemuLab on, Predicate<ReplicaEvent> wanted)
            throws InterruptedException {
        while (true) {
            var event = on.nextEvent(SOON);
            System.out.println("measured: told " + event);
            if (wanted.test(event)) {
                return event;
            }
        }
    }

    /** Nothing of any pair is left in the replica's QEMU. */
    private void assertPlain(QemuLab on, int epoch) {
        var qmp = lab.qmp(on, epoch);
        assertThat(qmp.nodes().keySet())
                .filteredOn(node -> !node.startsWith("#"))
                .containsExactlyInAnyOrder("vd0", "leg0L." + lab.right(epoch).epoch());
        assertThat(qmp.chardevs().keySet()).containsExactlyInAnyOrder("qmp0", "serial0");
        assertThat(qmp.jobs()).isEmpty();
        assertThat(qmp.status()).isEqualTo("running");
        assertThat(on.hypervisor().replicas())
                .filteredOn(status -> status.right().equals(lab.right(epoch)))
                .allSatisfy(status -> assertThat(status.part()).isEqualTo(new Part.Alone()))
                .hasSize(1);
    }

    @Test
    void oneConnectionOutlivesThreeLosses() throws Exception {
        lab.start(lab.a, 1);
        try (var memory = new Chatter(lab.guestAddress(), 7);
                var disk = new Chatter(lab.guestAddress(), 8)) {
            memory.awaitMore(20);
            disk.awaitMore(20);
            var begun = System.nanoTime();
            var timings = lab.raise(lab.a, 1, lab.b, 2);
            report("prepare and raise", begun);
            report("raise", timings);
            assertThat(lab.progress).contains("DISKS 100", "MEMORY 100", "LOCKSTEP 100");
            memory.awaitMore(50);
            disk.awaitMore(50);
            System.out.println(
                    "measured: longest " + memory.longestMillis() + " " + disk.longestMillis());

            begun = System.nanoTime();
            lab.qemu(lab.a, 1).destroyForcibly();
            await(lab.b, ReplicaEvent.PartnerLost.class);
            report("kill to PartnerLost", begun);
            timings = get(lab.b.hypervisor().goSolo(lab.right(2), lab.right(1)));
            report("kill to solo", begun);
            report("promote", timings);
            memory.awaitMore(50);
            disk.awaitMore(50);
            System.out.println(
                    "measured: longest " + memory.longestMillis() + " " + disk.longestMillis());
            assertPlain(lab.b, 2);
            assertThat(lab.b.hypervisor().lockstep()).isEmpty();

            report("raise again", lab.raise(lab.b, 2, lab.a, 3));
            memory.awaitMore(30);
            disk.awaitMore(30);
            System.out.println(
                    "measured: longest " + memory.longestMillis() + " " + disk.longestMillis());
            begun = System.nanoTime();
            lab.qemu(lab.a, 3).destroyForcibly();
            await(lab.b, ReplicaEvent.PartnerLost.class);
            report("kill of the secondary to PartnerLost", begun);
            timings = get(lab.b.hypervisor().goSolo(lab.right(2), lab.right(3)));
            report("kill of the secondary to solo", begun);
            report("solo", timings);
            memory.awaitMore(30);
            disk.awaitMore(30);
            System.out.println(
                    "measured: longest " + memory.longestMillis() + " " + disk.longestMillis());
            assertPlain(lab.b, 2);

            report("raise once more", lab.raise(lab.b, 2, lab.a, 4));
            memory.awaitMore(30);
            disk.awaitMore(30);
            System.out.println(
                    "measured: longest " + memory.longestMillis() + " " + disk.longestMillis());
            begun = System.nanoTime();
            PairLab.signal(lab.qemu(lab.b, 2), "STOP");
            await(lab.b, ReplicaEvent.Hung.class);
            report("SIGSTOP of the primary to Hung", begun);
            timings = get(lab.a.hypervisor().goSolo(lab.right(4), lab.right(2)));
            report("SIGSTOP of the primary to solo", begun);
            report("promote", timings);
            memory.awaitMore(30);
            disk.awaitMore(30);
            System.out.println(
                    "measured: longest " + memory.longestMillis() + " " + disk.longestMillis());
            assertPlain(lab.a, 4);
            get(lab.b.hypervisor().stop(lab.right(2).vm(), lab.right(2).epoch(), StopMode.KILL));
            memory.awaitMore(30);
            var before = disk.total();
            var there = lab.records();
            // It goes on writing.
            assertThat(there).isBetween(before, disk.total() + 1);
        }
    }

    @Test
    void aRaiseThatLosesItsSecondLeavesAnOrdinaryVm() throws Exception {
        lab.start(lab.a, 1);
        try (var disk = new Chatter(lab.guestAddress(), 8)) {
            disk.awaitMore(5);
            var epoch = 2;
            for (var moment :
                    List.of(
                            Map.entry(RaiseStage.DISKS, 0),
                            Map.entry(RaiseStage.DISKS, 100),
                            Map.entry(RaiseStage.MEMORY, 0),
                            Map.entry(RaiseStage.MEMORY, 100),
                            Map.entry(RaiseStage.LOCKSTEP, 0),
                            Map.entry(RaiseStage.LOCKSTEP, 50))) {
                var second = lab.right(epoch);
                var at = get(lab.b.hypervisor().prepareSecondary(second, lab.right(1), lab.spec()));
                var qemu = lab.qemu(lab.b, epoch);
                var raised =
                        lab.a
                                .hypervisor()
                                .raise(
                                        lab.right(1),
                                        second,
                                        at,
                                        (stage, percent) -> {
                                            // The first percent that is told need not be 0.
                                            if (stage == moment.getKey()
                                                    && percent >= moment.getValue()) {
                                                qemu.destroyForcibly();
                                                qemu.onExit().join();
                                            }
                                        });
                var begun = System.nanoTime();
                assertThatThrownBy(() -> get(raised))
                        .isInstanceOf(HypervisorException.class)
                        .satisfies(e ->
                                System.out.println("measured: " + moment + ": " + e.getMessage()))
                        .hasMessageContaining("It runs on as an ordinary VM");
                report("failed raise", begun);
                assertPlain(lab.a, 1);
                disk.awaitMore(10);
                epoch++;
            }
            System.out.println("measured: longest " + disk.longestMillis());
            lab.raise(lab.a, 1, lab.b, epoch);
            disk.awaitMore(10);
            // A pair that somebody wants to end while nothing is wrong with it.
            get(lab.a.hypervisor().goSolo(lab.right(1), lab.right(epoch)));
            assertPlain(lab.a, 1);
            disk.awaitMore(10);
        }
        assertThat(lab.a.events).isEmpty();
    }

    @Test
    void aSecondThatWasNeverInLockstepDoesNotTakeOver() throws Exception {
        lab.start(lab.a, 1);
        get(lab.b.hypervisor().prepareSecondary(lab.right(2), lab.right(1), lab.spec()));
        var seen = lab.b.hypervisor().inLockstep(lab.right(2), lab.right(1)).toCompletableFuture();
        assertThatThrownBy(() -> get(lab.b.hypervisor().goSolo(lab.right(2), lab.right(1))))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("never in lockstep");
        assertThat(seen).isNotDone();
        get(lab.b.hypervisor().stop(lab.right(2).vm(), lab.right(2).epoch(), StopMode.KILL));
        assertThatThrownBy(() -> get(lab.b.hypervisor().start(lab.right(3), lab.spec())))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("no whole copies");
        assertThat(seen).isCompletedExceptionally();
    }

    @Test
    void newProcessesOfBothNodesAdoptThePair() throws Exception {
        lab.start(lab.a, 1);
        try (var disk = new Chatter(lab.guestAddress(), 8)) {
            var at = lab.raise(lab.a, 1, lab.b, 2);
            assertThat(at).isNotEmpty();
            disk.awaitMore(10);
            awaitFollowing();
            awaitFigures();
            lab.a.reopen();
            lab.b.reopen();
            assertThat(get(lab.a.hypervisor().adopt()).getFirst().part())
                    .isEqualTo(new Part.Primary(lab.right(2)));
            assertThat(get(lab.b.hypervisor().adopt()).getFirst().part())
                    .isEqualTo(new Part.Secondary(lab.right(1)));
            // The processes that saw it are gone.
            awaitFollowing();
            disk.awaitMore(10);
            lab.qemu(lab.a, 1).destroyForcibly();
            await(lab.b, ReplicaEvent.PartnerLost.class);
            get(lab.b.hypervisor().goSolo(lab.right(2), lab.right(1)));
            disk.awaitMore(10);
            assertPlain(lab.b, 2);
        }
    }

    @Test
    void aRaiseThatTheNodesEndCutShortIsUndone() throws Exception {
        lab.start(lab.a, 1);
        try (var disk = new Chatter(lab.guestAddress(), 8)) {
            var copied = new CompletableFuture<Void>();
            var at =
                    get(
                            lab.b
                                    .hypervisor()
                                    .prepareSecondary(lab.right(2), lab.right(1), lab.spec()));
            var gone = lab.a.hypervisor();
            gone.raise(
                    lab.right(1),
                    lab.right(2),
                    at,
                    (stage, _) -> {
                        if (stage == RaiseStage.MEMORY) {
                            copied.complete(null);
                            // As if its process had died here.
                            new CompletableFuture<Void>().orTimeout(5, TimeUnit.SECONDS).join();
                        }
                    });
            copied.get(30, TimeUnit.SECONDS);
            lab.a.reopen();
            get(lab.a.hypervisor().adopt());
            for (var end = System.nanoTime() + SOON.toNanos();
                    !(lab.a.hypervisor().replicas().getFirst().part() instanceof Part.Alone);
                    Thread.sleep(20)) {
                assertThat(System.nanoTime()).isLessThan(end);
            }
            assertPlain(lab.a, 1);
            disk.awaitMore(10);
        }
    }

    @Test
    void eitherLegIsTheDiskAfterBothAreLost() throws Exception {
        lab.start(lab.a, 1);
        long acknowledged;
        try (var disk = new Chatter(lab.guestAddress(), 8)) {
            lab.raise(lab.a, 1, lab.b, 2);
            disk.awaitMore(20);
            awaitFollowing();
            PairLab.signal(lab.qemu(lab.b, 2), "STOP");
            PairLab.signal(lab.qemu(lab.a, 1), "STOP");
            acknowledged = disk.total();
            lab.qemu(lab.b, 2).destroyForcibly();
            lab.qemu(lab.a, 1).destroyForcibly();
        }
        await(lab.a, ReplicaEvent.Exited.class);
        await(lab.b, ReplicaEvent.Exited.class);
        lab.start(lab.b, 3);
        assertThat(lab.records()).isBetween(acknowledged, acknowledged + 1);
        get(lab.b.hypervisor().stop(lab.right(3).vm(), lab.right(3).epoch(), StopMode.KILL));
        lab.start(lab.a, 4);
        assertThat(lab.records()).isBetween(acknowledged, acknowledged + 1);
    }

    @Test
    void aStartAfterADeathDuringTheTakeoverFindsTheNewestBytes() throws Exception {
        lab.start(lab.a, 1);
        long acknowledged;
        try (var disk = new Chatter(lab.guestAddress(), 8)) {
            lab.raise(lab.a, 1, lab.b, 2);
            disk.awaitMore(20);
            awaitFollowing();
            lab.qemu(lab.a, 1).destroyForcibly();
            // What taking over begins with; then the server dies.
            new LegFiles(lab.b.settings)
                    .overlaid(lab.right(2).vm(), lab.right(2).epoch(), List.of("root"));
            await(lab.b, ReplicaEvent.PartnerLost.class);
            acknowledged = disk.total();
            lab.qemu(lab.b, 2).destroyForcibly();
        }
        await(lab.b, ReplicaEvent.Exited.class);
        lab.start(lab.b, 3);
        assertThat(lab.records()).isBetween(acknowledged, acknowledged + 1);
        assertThat(lab.b.settings.dataDir().resolve("legs/web").toFile().list())
                .containsExactlyInAnyOrder("root.raw", "filled.json");
    }

    /** What the guest writes after the takeover is newer than what the overlays hold. */
    @Test
    void aStartAfterADeathRightAfterTheTakeoverFindsTheNewestBytes() throws Exception {
        lab.start(lab.a, 1);
        long acknowledged;
        try (var disk = new Chatter(lab.guestAddress(), 8)) {
            lab.raise(lab.a, 1, lab.b, 2);
            disk.awaitMore(20);
            awaitFollowing();
            lab.qemu(lab.a, 1).destroyForcibly();
            await(lab.b, ReplicaEvent.PartnerLost.class);
            var before = disk.answered();
            var solo = lab.b.hypervisor().goSolo(lab.right(2), lab.right(1));
            for (var end = System.nanoTime() + SOON.toNanos();
                    disk.answered() < before + 2;
                    Thread.sleep(0, 100_000)) {
                disk.check();
                assertThat(System.nanoTime()).isLessThan(end);
            }
            // The guest is heard again: from here on no start may go back to the overlays.
            var marked = lab.b.settings.dataDir().resolve("legs/web/mark.json").toFile().exists();
            System.out.println(
                    "measured: heard again, "
                            + (solo.toCompletableFuture().isDone() ? "solo" : "not yet solo"));
            assertThat(marked).isFalse();
            PairLab.signal(lab.qemu(lab.b, 2), "STOP");
            acknowledged = disk.total();
            lab.qemu(lab.b, 2).destroyForcibly();
        }
        await(lab.b, ReplicaEvent.Exited.class);
        lab.start(lab.b, 3);
        assertThat(lab.records()).isBetween(acknowledged, acknowledged + 1);
        assertThat(lab.b.settings.dataDir().resolve("legs/web").toFile().list())
                .containsExactlyInAnyOrder("root.raw", "filled.json");
    }

    /** What the raise was good for costs something, and that is told. */
    private void awaitFigures() throws Exception {
        for (var end = System.nanoTime() + SOON.toNanos();
                lab.a.hypervisor().lockstep().stream()
                        .noneMatch(told ->
                                told.checkpoints() > 0
                                        && told.sentBytes().isPresent()
                                        && told.bytesPerCheckpoint()
                                                .filter(bytes -> bytes > 0)
                                                .isPresent());
                Thread.sleep(50)) {
            assertThat(System.nanoTime()).isLessThan(end);
        }
        System.out.println("measured: " + lab.a.hypervisor().lockstep());
    }

    /** The second notices a moment after the first. */
    private void awaitFollowing() throws Exception {
        var right = lab.right(2);
        var begun = System.nanoTime();
        lab.b
                .hypervisor()
                .inLockstep(right, lab.right(1))
                .toCompletableFuture()
                .get(SOON.toSeconds(), TimeUnit.SECONDS);
        report("lockstep seen by the second", begun);
        var files = ReplicaFiles.of(lab.b.settings.runDir(), right.vm(), right.epoch());
        assertThat(PairState.read(files).orElseThrow().isLockstep()).isTrue();
        assertThat(new LegFiles(lab.b.settings).isFilling(right.vm(), right.epoch())).isFalse();
    }

    @Test
    void aSilentPartnerClosesTheOutputUntilThePairIsOver() throws Exception {
        lab.start(lab.a, 1);
        try (var memory = new Chatter(lab.guestAddress(), 7)) {
            lab.raise(lab.a, 1, lab.b, 2);
            memory.awaitMore(10);
            lab.a.hypervisor().partnerSilent(lab.right(1));
            Thread.sleep(2000);
            var before = memory.answered();
            Thread.sleep(1500);
            assertThat(memory.answered()).isEqualTo(before);
            get(lab.a.hypervisor().goSolo(lab.right(1), lab.right(2)));
            memory.awaitMore(10);
        }
    }

    @Test
    void aSecondThatHangsIsLetGo() throws Exception {
        lab.start(lab.a, 1);
        try (var memory = new Chatter(lab.guestAddress(), 7);
                var disk = new Chatter(lab.guestAddress(), 8)) {
            lab.raise(lab.a, 1, lab.b, 2);
            memory.awaitMore(10);
            disk.awaitMore(10);
            awaitFollowing();
            var begun = System.nanoTime();
            PairLab.signal(lab.qemu(lab.b, 2), "STOP");
            await(lab.b, ReplicaEvent.Hung.class);
            report("SIGSTOP of the secondary to Hung", begun);
            var timings = get(lab.a.hypervisor().goSolo(lab.right(1), lab.right(2)));
            report("solo beside a hanging second", timings);
            memory.awaitMore(10);
            disk.awaitMore(10);
            assertPlain(lab.a, 1);
            get(lab.b.hypervisor().stop(lab.right(2).vm(), lab.right(2).epoch(), StopMode.KILL));
            lab.raise(lab.a, 1, lab.b, 3);
            disk.awaitMore(10);
        }
    }

    @Test
    void whoseDiskFailedIsTold() throws Exception {
        lab.start(lab.a, 1);
        try (var disk = new Chatter(lab.guestAddress(), 8)) {
            lab.raise(lab.a, 1, lab.b, 2);
            disk.awaitMore(10);
            awaitFollowing();
            lab.program(lab.b, 2, ReplicaFiles.Role.STORAGE).destroyForcibly();
            assertThat(await(lab.b, ReplicaEvent.DiskFailed.class).disk()).isEqualTo("root");
            get(lab.a.hypervisor().goSolo(lab.right(1), lab.right(2)));
            get(lab.b.hypervisor().stop(lab.right(2).vm(), lab.right(2).epoch(), StopMode.KILL));
            disk.awaitMore(10);
            lab.raise(lab.a, 1, lab.b, 3);
            disk.awaitMore(10);
            lab.program(lab.a, 1, ReplicaFiles.Role.STORAGE).destroyForcibly();
            assertThat(await(lab.a, ReplicaEvent.DiskFailed.class).disk()).isEqualTo("root");
            get(lab.b.hypervisor().goSolo(lab.right(3), lab.right(1)));
            disk.awaitMore(10);
            assertPlain(lab.b, 3);
        }
    }

    @Test
    void cleanLeavesTheLegsOnly() throws Exception {
        lab.start(lab.a, 1);
        lab.raise(lab.a, 1, lab.b, 2);
        awaitFollowing();
        for (var server : List.of(lab.b, lab.a)) {
            get(server.hypervisor().clean());
            assertThat(ReplicaFiles.all(server.settings.runDir())).isEmpty();
            assertThat(Remains.under(server.settings.runDir())).isEmpty();
            assertThat(Taps.named(TapNames.of(server.settings).prefix())).isEmpty();
            assertThat(Tool.run(SOON, List.of("nft", "list", "tables")).output())
                    .doesNotContain(TapNames.of(server.settings).table());
            assertThat(server.settings.dataDir().resolve("legs/web").toFile().list())
                    .contains("root.raw")
                    .isSubsetOf("root.raw", "filled.json");
        }
    }
}
