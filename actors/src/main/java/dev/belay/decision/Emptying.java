package dev.belay.decision;

import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.ServerState.Maintenance;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Raising;
import dev.belay.decision.VmState.Running;
import dev.belay.decision.VmState.Vm;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import java.util.List;
import java.util.Optional;

/**
 * How VMs leave a server that is in maintenance. One on two servers goes on on the other, and a
 * second copy is made elsewhere; one at level SYSTEM that runs there alone gets its second copy
 * elsewhere first, and so does one whose two servers are both to be empty. None is noticed. Any
 * other one stays, unless the operator wants it restarted: then it is asked to shut down and starts
 * where room was seen for it.
 *
 * <p>What is in maintenance is read from the view: a moment too early or too late moves a VM for
 * nothing or delays it, and never runs it twice.
 */
final class Emptying {
    private Emptying() {}

    /**
     * Which of two in lockstep goes on. When both are to leave it is the primary, which then gets a
     * second copy on a third server; none when no third one has room.
     */
    static Optional<RunRight> stays(Lockstep s, Context now) {
        boolean first = now.view().isEmptied(s.primary().server());
        boolean second = now.view().isEmptied(s.secondary().server());
        if (first && second) {
            return Optional.of(s.primary()).filter(_ -> hasThird(s, now.view()));
        }
        if (first == second) {
            return Optional.empty();
        }
        return Optional.of(first ? s.secondary() : s.primary());
    }

    /** One that nobody else waits for: two copies are not made one for the hope of a place. */
    static boolean hasThird(Lockstep s, ClusterView view) {
        return VmPair.candidates(s.vm(), view, s.primary(), List.of())
                .anyMatch(server ->
                        server.freeMiB()
                                >= VmPair.secondaryMiB(s.vm().spec())
                                        + VmPriority.claimed(s.vm().spec(), server, view));
    }

    /** A second copy that is being made where it may not stay is worth nothing yet. */
    static boolean isInVain(Raising s, Context now) {
        return now.view().isEmptied(s.secondary().server());
    }

    static Decision<VmEvent, VmAction> whenRunning(Running s, Context now) {
        var steps = new VmSteps(now, s);
        return restarts(s, now.view())
                ? VmRecovery.restartElsewhere(steps, s.right(), why(s.right())).accepted()
                : VmPair.pursue(steps).accepted();
    }

    private static boolean restarts(Running s, ClusterView view) {
        return !s.vm().wantsPair()
                && s.vm().isWanted()
                && view.server(s.right().server())
                        .flatMap(ServerView::maintenance)
                        .filter(Maintenance::restartVms)
                        .isPresent()
                && refuge(s.vm(), s.right(), view).isPresent();
    }

    static String why(RunRight leaving) {
        return why(leaving.server());
    }

    static String why(ServerName left) {
        return "server %s is in maintenance".formatted(left);
    }

    /** Whether what ended there had better start elsewhere, and can. */
    static boolean shunned(Vm vm, RunRight last, ClusterView view) {
        return view.isEmptied(last.server()) && refuge(vm, last, view).isPresent();
    }

    /**
     * A server with room that nobody else waits for: a VM that runs is not ended for the hope of a
     * place.
     */
    static Optional<ServerView> refuge(Vm vm, RunRight here, ClusterView view) {
        if (view.disarming().isPresent() || vm.spec().isPinned()) {
            return Optional.empty();
        }
        var spec = vm.spec();
        return VmPlacement.sorted(spec.placement(), view)
                .filter(server -> !server.name().equals(here.server()))
                .filter(server -> VmPlacement.hasNewest(vm, server.name()))
                .filter(server ->
                        VmPlacement.refusal(
                                        vm,
                                        spec.memoryMiB() + VmPriority.claimed(spec, server, view),
                                        server,
                                        List.of())
                                .isEmpty())
                .findFirst();
    }
}
