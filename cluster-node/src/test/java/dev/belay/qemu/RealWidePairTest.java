package dev.belay.qemu;

import static dev.belay.qemu.QemuLab.get;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.model.KernelBoot;
import dev.belay.model.NicSpec;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.Hypervisor.StopMode;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A real guest in lockstep that has two of everything. Needs root and the BELAY_* variables. */
@Tag("qemu")
@Timeout(300)
class RealWidePairTest {
    @SuppressWarnings("NullAway.Init")
    private PairLab lab;

    @BeforeEach
    void openLab() throws IOException {
        lab = new PairLab();
        lab.becomes(wide(lab.spec()));
    }

    @AfterEach
    void closeLab() throws IOException {
        lab.close();
    }

    /** It writes to the second of its disks. */
    private static VmSpec wide(VmSpec spec) {
        var card = spec.nics().getFirst();
        return new VmSpec(
                spec.name(),
                2,
                spec.memoryMiB(),
                spec.boot()
                        .map(boot ->
                                new KernelBoot(
                                        boot.kernel(),
                                        boot.initrd(),
                                        boot.commandLine() + " belay.disk=/dev/vdb")),
                List.of(PairLab.disk("root"), PairLab.disk("data")),
                List.of(card, new NicSpec(card.bridge(), "52:54:00:78:01:11", Optional.empty())),
                spec.level(),
                spec.placement(),
                spec.priority());
    }

    @Test
    void itOutlivesBothOfItsServers() throws Exception {
        lab.start(lab.a, 1);
        try (var memory = new Chatter(lab.guestAddress(), 7);
                var disk = new Chatter(lab.guestAddress(), 8)) {
            lab.raise(lab.a, 1, lab.b, 2);
            goesOn(memory, disk);
            lab.qemu(lab.a, 1).destroyForcibly();
            takeOver(lab.b, 2, 1);
            goesOn(memory, disk);
            lab.raise(lab.b, 2, lab.a, 3);
            goesOn(memory, disk);
            lab.qemu(lab.b, 2).destroyForcibly();
            takeOver(lab.a, 3, 2);
            goesOn(memory, disk);
            var before = disk.total();
            var there = lab.records();
            // It goes on writing.
            assertThat(there).isBetween(before, disk.total() + 1);
        }
        var qmp = lab.qmp(lab.a, 3);
        assertThat(qmp.jobs()).isEmpty();
        assertThat(qmp.nodes().keySet())
                .filteredOn(node -> !node.startsWith("#"))
                .containsExactlyInAnyOrder("vd0", "vd1", "leg0L.e3", "leg1L.e3");
        get(lab.a.hypervisor().stop(lab.right(3).vm(), lab.right(3).epoch(), StopMode.KILL));
    }

    private static void goesOn(Chatter memory, Chatter disk) throws Exception {
        memory.awaitMore(20);
        disk.awaitMore(20);
    }

    private void takeOver(QemuLab on, int winner, int loser) throws Exception {
        RealPairTest.await(on, ReplicaEvent.PartnerLost.class);
        get(on.hypervisor().goSolo(lab.right(winner), lab.right(loser)));
    }
}
