package dev.belay.qemu;

import static dev.belay.qemu.QemuLab.get;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.model.KernelBoot;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Connections that were opened since the last checkpoint before a failover. The two copies know
 * them by different sequence numbers. Needs root and the BELAY_* variables.
 */
@Tag("qemu")
@Timeout(400)
class RealPairConnectionsTest {
    private static final int PATIENCE = 20_000;
    private static final int EVERY = 30;

    @SuppressWarnings("NullAway.Init")
    private PairLab lab;

    private final List<Talk> talks = new ArrayList<>();

    /** Which runs the guest, and at what epoch. */
    @SuppressWarnings("NullAway.Init")
    private QemuLab primary;

    private int epoch = 1;

    @BeforeEach
    void openLab() throws IOException {
        lab = new PairLab();
        primary = lab.a;
    }

    @AfterEach
    void closeLab() throws IOException {
        for (var talk : talks) {
            talk.close();
        }
        lab.close();
    }

    @Test
    void whatWasOpenedJustBeforeAFailoverOutlivesItAndTheNext() throws Exception {
        lab.start(primary, epoch);
        try (var door = new ServerSocket(0, 50, InetAddress.getByName(lab.a.hostAddress()))) {
            door.setSoTimeout(PATIENCE);
            // Its greeting is not the same on both servers, and would ask for a checkpoint.
            var control = kept(Talk.to(lab.guestAddress(), 9, PATIENCE));
            control.next();
            for (var round = 1; round <= 2; round++) {
                raise();
                for (var k = 0; k < 2; k++) {
                    var said = kept(dialed(control, door));
                    var begun = System.nanoTime();
                    said.goesOn();
                    System.out.printf(
                            "measured: first words of the guest after %d ms%n",
                            (System.nanoTime() - begun) / 1_000_000);
                }
                noMoreCheckpoints();
                for (var k = 0; k < 6; k++) {
                    var opened = kept(Talk.to(lab.guestAddress(), 7, PATIENCE));
                    if (k % 2 == 0) {
                        opened.goesOn();
                    }
                    Thread.sleep(EVERY);
                }
                var unsaid = List.of(dialed(control, door), dialed(control, door));
                killThePrimary();
                allGoOn();
                comeAgain(door, unsaid);
            }
            raise();
            killThePrimary();
            allGoOn();
        }
    }

    /** Where the guest does nothing for that, as README asks it to. */
    @Test
    void whatWasOpenedBeforeACheckpointIsTheSameOnBoth() throws Exception {
        lab.becomes(plain(lab.spec()));
        lab.start(primary, epoch);
        raise();
        noMoreCheckpoints();
        for (var k = 0; k < 3; k++) {
            kept(Talk.to(lab.guestAddress(), 7, PATIENCE)).goesOn();
        }
        get(primary.hypervisor().passCheckpoint(lab.right(epoch), lab.right(epoch + 1)));
        killThePrimary();
        allGoOn();
        raise();
        killThePrimary();
        allGoOn();
    }

    private static VmSpec plain(VmSpec spec) {
        var boot = spec.boot().orElseThrow();
        return new VmSpec(
                spec.name(),
                spec.cpus(),
                spec.memoryMiB(),
                Optional.of(
                        new KernelBoot(
                                boot.kernel(),
                                boot.initrd(),
                                boot.commandLine().replace("syncookies=2", "syncookies=1"))),
                spec.disks(),
                spec.nics(),
                spec.level(),
                spec.placement(),
                spec.priority());
    }

    private Talk kept(Talk talk) {
        talks.add(talk);
        return talk;
    }

    private void allGoOn() throws IOException {
        for (var talk : talks) {
            if (talk.counts()) {
                talk.goesOn();
            }
        }
    }

    /** A connection that the guest opened, and in which nobody has said anything. */
    private Talk dialed(Talk control, ServerSocket door) throws IOException {
        assertThat(control.ask("!dial " + lab.a.hostAddress() + " " + door.getLocalPort()))
                .isEqualTo("dialed");
        return new Talk(door.accept(), PATIENCE);
    }

    /**
     * The guest had said nothing in them yet, for that waits for a checkpoint; the other copy is
     * still about to open them. So the client's ends are of no use, and the guest opens them anew.
     * If the two copies differed in something else, there was a checkpoint, and they go on.
     */
    private void comeAgain(ServerSocket door, List<Talk> unsaid) throws IOException {
        var reset = new ArrayList<Integer>();
        for (var talk : unsaid) {
            try {
                talk.goesOn();
                kept(talk);
            } catch (SocketException e) {
                assertThat(e).hasMessageContaining("reset");
                reset.add(talk.port());
                talk.close();
            }
        }
        var again = new ArrayList<Integer>();
        while (again.size() < reset.size()) {
            var talk = kept(new Talk(door.accept(), PATIENCE));
            again.add(talk.port());
            talk.goesOn();
        }
        assertThat(again).containsExactlyInAnyOrderElementsOf(reset);
    }

    private QemuLab other() {
        return primary == lab.a ? lab.b : lab.a;
    }

    private void raise() {
        lab.raise(primary, epoch, other(), epoch + 1);
    }

    /** Of those that nobody asks for; then whatever happens comes since the last one. */
    private void noMoreCheckpoints() throws InterruptedException {
        var before = primary.hypervisor().checkpoints(lab.right(epoch));
        lab.qmp(primary, epoch)
                .run(
                        "migrate-set-parameters",
                        QmpClient.arguments().put("x-checkpoint-delay", 30_000));
        for (var end = System.nanoTime() + PATIENCE * 1_000_000L;
                primary.hypervisor().checkpoints(lab.right(epoch)) == before;
                Thread.sleep(5)) {
            assertThat(System.nanoTime()).isLessThan(end);
        }
    }

    private void killThePrimary() throws Exception {
        var survivor = other();
        lab.qemu(primary, epoch).destroyForcibly();
        RealPairTest.await(survivor, ReplicaEvent.PartnerLost.class);
        get(survivor.hypervisor().goSolo(lab.right(epoch + 1), lab.right(epoch)));
        primary = survivor;
        epoch++;
    }
}
