package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.GAMMA;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.OTHER_QEMU;
import static dev.belay.decision.Samples.QEMU;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.after;
import static dev.belay.decision.Samples.context;
import static dev.belay.decision.Samples.paired;
import static dev.belay.decision.Samples.view;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.Explanation.Protection;
import dev.belay.decision.VmState.Running;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which QEMUs run a VM in lockstep. It runs on alpha; beta has more room than gamma. */
class PairFitTest {
    private static final Running RUNNING = new Running(paired(), RIGHT);

    private static Decision<VmEvent, VmAction> looks(Running state, ServerView... servers) {
        return VmLife.decide(state, context(servers), new VmInput.Tick());
    }

    /** What the VM says when it finds no second server. */
    private static String why(ServerView... servers) {
        var found = looks(RUNNING, servers);
        assertThat(found).isInstanceOf(Accepted.class);
        var events = ((Accepted<VmEvent, VmAction>) found).events();
        var state = after(RUNNING, events);
        // It goes on where it is, and does not say the same again.
        assertThat(state).isInstanceOf(Running.class);
        assertThat(looks((Running) state, servers)).isInstanceOf(Ignored.class);
        var view = context(servers).view();
        assertThat(Explanation.protection(state, view)).isEqualTo(Protection.DEGRADED);
        return Explanation.of(state, view);
    }

    private static Qemu unproven(String why) {
        return new Qemu(
                QEMU.version(), QEMU.machine(), QEMU.accelerator(), QEMU.cpu(), Optional.of(why));
    }

    private static Qemu like(String machine, String accelerator, String cpu) {
        return new Qemu(QEMU.version(), machine, accelerator, cpu, Optional.empty());
    }

    @Test
    void aServerWithAnotherQemuIsNotChosen() {
        assertThat(why(view(ALPHA, I2, 8192), view(BETA, I1, 8192, OTHER_QEMU)))
                .contains(
                        "beta: it runs QEMU 9.2.0, and alpha 11.1.3: level SYSTEM needs the same on both");
    }

    @Test
    void theNextServerWithTheSameIsChosen() {
        assertThat(
                        looks(
                                RUNNING,
                                view(ALPHA, I2, 8192),
                                view(BETA, I1, 8192, OTHER_QEMU),
                                view(GAMMA, I1, 4096)))
                .isEqualTo(
                        Samples.accepted(
                                List.of(new VmEvent.PairingTried(AT, GAMMA, List.of())),
                                List.of(new VmAction.Reserve(GAMMA, E8, 2 * MEMORY))));
    }

    @Test
    void theMachineMustBeTheSameToo() {
        var other = like("pc-q35-11.1", QEMU.accelerator(), QEMU.cpu());
        assertThat(why(view(ALPHA, I2, 8192), view(BETA, I1, 8192, other)))
                .contains("machines of type pc-q35-11.1, and those of alpha pc-i440fx-11.1");
    }

    @Test
    void theAcceleratorMustBeTheSameToo() {
        var other = like(QEMU.machine(), "tcg", QEMU.cpu());
        assertThat(why(view(ALPHA, I2, 8192), view(BETA, I1, 8192, other)))
                .contains("beta: its VMs run by tcg, and those of alpha by kvm");
    }

    /** Both are configured alike; each proved it with itself. */
    @Test
    void theServersOwnCpuMustBeTheSameToo() {
        var one = like(QEMU.machine(), "kvm", "host (AMD EPYC 9354)");
        var other = like(QEMU.machine(), "kvm", "host (Intel Xeon Gold 6130)");
        assertThat(why(view(ALPHA, I2, 8192, one), view(BETA, I1, 8192, other)))
                .contains(
                        "beta: its VMs see the CPU host (Intel Xeon Gold 6130), and those of alpha host (AMD EPYC 9354)");
    }

    @Test
    void anUnprovenQemuIsNotChosen() {
        assertThat(why(view(ALPHA, I2, 8192), view(BETA, I1, 8192, unproven("it broke"))))
                .contains("beta: it broke");
    }

    /** One that waits for the word of its own server asks nobody else for memory. */
    @Test
    void anUnprovenQemuIsNotRaisedEither() {
        assertThat(why(view(ALPHA, I2, 8192, unproven("it broke")), view(BETA, I1, 8192)))
                .contains("alpha: it runs there, but it broke");
    }

    @Test
    void whatIsNotToldYetIsWaitedFor() {
        var silent =
                new ServerView(
                        BETA,
                        I1,
                        true,
                        true,
                        false,
                        false,
                        8192,
                        8192,
                        Optional.empty(),
                        Optional.empty());
        assertThat(why(view(ALPHA, I2, 8192), silent))
                .contains("beta: it has not told yet which QEMU it has");
    }
}
