package dev.belay.decision;

import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.VmState.Refusal;
import dev.belay.model.ServerName;
import java.util.Optional;

/**
 * Whether two servers can run a VM in lockstep: the second takes what the first one's QEMU sends of
 * itself, again and again, which only the same QEMU certainly understands, and the guest goes on
 * there on the CPU that it knows.
 */
final class PairFit {
    private PairFit() {}

    /**
     * What speaks against the server on which the VM runs, and so against every second one.
     *
     * @param server empty: not known here, and so not what fits it
     */
    static Optional<Refusal> first(ServerName name, Optional<ServerView> server) {
        return server.map(PairFit::unproven)
                .orElse(Optional.of("nothing is known of that server yet"))
                .map(why -> new Refusal(name, "it runs there, but " + why, false));
    }

    /** What speaks against {@code second} for a VM that runs on {@code first}. */
    static Optional<Refusal> second(ServerView first, ServerView second) {
        return unproven(second)
                .or(() -> unlike(first, second))
                .map(why -> new Refusal(second.name(), why, false));
    }

    private static Optional<String> unproven(ServerView server) {
        return server.qemu().isEmpty()
                ? Optional.of("it has not told yet which QEMU it has")
                : server.qemu().get().unproven();
    }

    private static Optional<String> unlike(ServerView first, ServerView second) {
        var one = first.qemu().orElseThrow();
        var other = second.qemu().orElseThrow();
        if (!one.version().equals(other.version())) {
            return Optional.of(
                    "it runs QEMU %s, and %s %s: level SYSTEM needs the same on both"
                            .formatted(other.version(), first.name(), one.version()));
        }
        if (!one.machine().equals(other.machine())) {
            return Optional.of(
                    "its VMs are machines of type %s, and those of %s %s: level SYSTEM needs the same on both (belay.qemu.machine)"
                            .formatted(other.machine(), first.name(), one.machine()));
        }
        if (!one.accelerator().equals(other.accelerator())) {
            return Optional.of(
                    "its VMs run by %s, and those of %s by %s: level SYSTEM needs the same on both (belay.qemu.accel, /dev/kvm)"
                            .formatted(other.accelerator(), first.name(), one.accelerator()));
        }
        // The guest has looked at its CPU once, and would go on with another one.
        if (!one.cpu().equals(other.cpu())) {
            return Optional.of(
                    "its VMs see the CPU %s, and those of %s %s: level SYSTEM needs the same on both (belay.qemu.cpu; a model that both servers have)"
                            .formatted(other.cpu(), first.name(), one.cpu()));
        }
        return Optional.empty();
    }
}
