package dev.belay.decision;

import dev.belay.decision.ClusterView.Claim;
import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.VmState.FailingOver;
import dev.belay.decision.VmState.Placing;
import dev.belay.decision.VmState.Present;
import dev.belay.decision.VmState.Refusal;
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.Desired;
import dev.belay.model.Placement;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Who goes first when room is short: a VM leaves a server's room to one of higher priority that
 * waits for room too, could be placed there, and would not fit beside it. It does so for a while
 * only; then it takes what there is, whatever keeps the other. A VM that runs is never stopped for
 * another one.
 */
public final class VmPriority {
    /**
     * Longer than a lease is waited out, so that a VM whose server is being fenced is waited for.
     */
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private VmPriority() {}

    /** What the VM claims of the room that is left, if it waits for some or soon will. */
    public static Optional<Claim> claim(VmState state, Optional<Disarming> disarming) {
        return claim(state)
                .map(claim ->
                        state instanceof Present present
                                ? present.vm()
                                        .failover()
                                        .filter(_ -> disarming.isPresent())
                                        .map(failover -> onlyOn(failover.from(), claim))
                                        .orElse(claim)
                                : claim);
    }

    /** While it may not move it claims nothing elsewhere. */
    private static Claim onlyOn(ServerName from, Claim claim) {
        var wish = claim.wish();
        return new Claim(
                claim.vm(),
                claim.priority(),
                claim.memoryMiB(),
                new Placement(List.of(from), wish.prefer(), wish.avoid()),
                claim.no());
    }

    private static Optional<Claim> claim(VmState state) {
        return switch (state) {
            case Waiting s -> claim(s, refused(s.refusals()));
            // It may be refused and go elsewhere, so it claims room on every server that fits.
            case Placing s -> claim(s, refused(s.refusals()));
            case FailingOver s -> claim(s, List.of(s.lost().server()));
            // One that was asked to leave its server was promised room elsewhere.
            case VmState.Stopping s when s.elsewhere() -> claim(s, List.of(s.right().server()));
            case VmState.Absent _,
                    VmState.Stopped _,
                    VmState.Starting _,
                    VmState.Running _,
                    VmState.Pairing _,
                    VmState.Raising _,
                    VmState.Lockstep _,
                    VmState.GoingSolo _,
                    VmState.Stopping _,
                    VmState.BackingOff _ ->
                    Optional.empty();
        };
    }

    private static Optional<Claim> claim(Present state, List<ServerName> no) {
        var vm = state.vm();
        var spec = vm.spec();
        return vm.deleting() || vm.desired() == Desired.STOPPED
                ? Optional.empty()
                : Optional.of(
                        new Claim(spec.name(), spec.priority(), spec.memoryMiB(), wish(vm), no));
    }

    /** It can only start where the newest bytes of its disks are. */
    private static Placement wish(VmState.Vm vm) {
        var wish = vm.spec().placement();
        return vm.legs().isEmpty()
                ? wish
                : new Placement(List.copyOf(vm.legs()), wish.prefer(), wish.avoid());
    }

    private static List<ServerName> refused(List<Refusal> refusals) {
        return refusals.stream().filter(Refusal::asked).map(Refusal::server).toList();
    }

    /** Why {@code neededMiB} of the server's room are not for this VM now. */
    static Optional<Refusal> leftTo(
            VmSpec spec, int neededMiB, ServerView server, ClusterView view) {
        return ahead(spec, neededMiB, server, view)
                .map(other ->
                        new Refusal(
                                server.name(),
                                "its room is left to VM '%s' of higher priority for now"
                                        .formatted(other),
                                false));
    }

    /** How much of the server's room others wait for, whoever comes first. */
    static int claimed(VmSpec spec, ServerView server, ClusterView view) {
        return view.claims().stream()
                .filter(claim -> !claim.vm().equals(spec.name()))
                .filter(claim -> !claim.no().contains(server.name()))
                .filter(claim ->
                        VmPlacement.unfit(claim.wish(), claim.memoryMiB(), server).isEmpty())
                .mapToInt(Claim::memoryMiB)
                .sum();
    }

    /** The VM for which {@code server}'s room is left, if it is not enough for both. */
    private static Optional<VmName> ahead(
            VmSpec spec, int neededMiB, ServerView server, ClusterView view) {
        int free = server.freeMiB();
        var claims =
                view.claims().stream()
                        .filter(claim -> claim.priority() > spec.priority())
                        .filter(claim -> !claim.vm().equals(spec.name()))
                        .filter(claim -> !claim.no().contains(server.name()))
                        .sorted(
                                Comparator.comparingInt(Claim::priority)
                                        .reversed()
                                        .thenComparing(claim -> claim.vm().value()))
                        .toList();
        for (var claim : claims) {
            if (VmPlacement.unfit(claim.wish(), claim.memoryMiB(), server).isPresent()
                    || claim.memoryMiB() > free) {
                continue;
            }
            free -= claim.memoryMiB();
            if (free < neededMiB) {
                return Optional.of(claim.vm());
            }
        }
        return Optional.empty();
    }
}
