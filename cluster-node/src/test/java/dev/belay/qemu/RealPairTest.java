package dev.belay.qemu;

import static dev.belay.qemu.QemuLab.get;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.VmInput.Timing;
import dev.belay.replica.Hypervisor.Part;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
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

    private static <T extends ReplicaEvent> T await(QemuLab on, Class<T> kind)
            throws InterruptedException {
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
        }
    }
}
