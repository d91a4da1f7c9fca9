package dev.belay.decision;

import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.VmState.Refusal;
import dev.belay.decision.VmState.Stopped;
import dev.belay.decision.VmState.Vm;
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.Desired;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Where a VM goes next, when nothing of it runs. */
final class VmPlacement {
    private VmPlacement() {}

    /**
     * The next step towards what the user desires. {@code asked}: servers that refused and are left
     * alone for now.
     */
    static VmSteps pursue(VmSteps steps, List<Refusal> asked) {
        return pursue(steps, asked, false);
    }

    /**
     * @param insist takes room that a VM of higher priority could have had
     */
    static VmSteps pursue(VmSteps steps, List<Refusal> asked, boolean insist) {
        var vm = steps.vm();
        if (vm.deleting() || vm.desired() == Desired.STOPPED) {
            return rest(steps);
        }
        var view = steps.now().view();
        var candidate =
                sorted(vm.spec().placement(), view)
                        .filter(s -> refusal(vm, view, s, asked, insist).isEmpty())
                        .map(ServerView::name)
                        .findFirst();
        if (candidate.isPresent()) {
            var server = candidate.get();
            return steps.step("chose " + server + " to run it")
                    .add(new VmEvent.PlacementTried(steps.now().at(), server, asked))
                    .act(new VmAction.Reserve(server, vm.epoch().next(), vm.spec().memoryMiB()));
        }
        var refusals =
                view.servers().stream()
                        .sorted(Comparator.comparing(server -> server.name().value()))
                        .flatMap(server -> refusal(vm, view, server, asked, insist).stream())
                        .toList();
        boolean known =
                steps.state() instanceof Waiting waiting && waiting.refusals().equals(refusals);
        if (!known) {
            steps.add(new VmEvent.NoServerFound(steps.now().at(), refusals));
        }
        return asked.isEmpty() && known
                ? steps
                : steps.act(new VmAction.WakeAfter(retryPause(vm), vm.epoch()));
    }

    /** Nothing runs and nothing shall. */
    static VmSteps rest(VmSteps steps) {
        var now = steps.now();
        steps.vm()
                .failover()
                .ifPresent(failover ->
                        steps.add(
                                new VmEvent.FailoverEnded(
                                        now.at(),
                                        failover.with(
                                                List.of(
                                                        new Failover.Step(
                                                                now.at(),
                                                                now.where(),
                                                                "not wanted any more: stays stopped",
                                                                -1))))));
        // What lost is ended first, so that nothing of it is left behind.
        if (steps.vm().deleting() && !steps.vm().ending().isEmpty()) {
            return steps.state() instanceof Stopped
                    ? steps
                    : steps.add(new VmEvent.VmStopped(now.at()));
        }
        return steps.vm().deleting()
                ? steps.add(new VmEvent.VmDeleted(now.at(), steps.vm().epoch()))
                : steps.add(new VmEvent.VmStopped(now.at()));
    }

    static VmSteps grant(VmSteps steps, RunRight right) {
        return steps.step(
                        "granted %s to %s%s"
                                .formatted(right.epoch(), right.server(), right.incarnation()))
                .add(new VmEvent.RightGranted(steps.now().at(), right))
                .act(new VmAction.StartReplica(right, steps.vm().spec()));
    }

    static List<Refusal> asked(List<Refusal> refusals) {
        return refusals.stream().filter(Refusal::asked).toList();
    }

    static List<Refusal> plus(List<Refusal> refusals, ServerName server, String why) {
        var all = new ArrayList<>(asked(refusals));
        all.removeIf(refusal -> refusal.server().equals(server));
        all.add(new Refusal(server, why, true));
        return all;
    }

    /** Longer after each failure, so that a VM that can start nowhere does not fill the journal. */
    static Duration retryPause(Vm vm) {
        return Duration.ofSeconds(Math.min(60, 2L << Math.min(5, vm.failures())));
    }

    /** Where it fits, whoever else waits and whether or not it may move by itself now. */
    static Optional<ServerName> best(Vm vm, ClusterView view, List<Refusal> asked) {
        return sorted(vm.spec().placement(), view)
                .filter(server -> refusal(vm, vm.spec().memoryMiB(), server, asked).isEmpty())
                .map(ServerView::name)
                .findFirst();
    }

    /** The best first. */
    static Stream<ServerView> sorted(Placement wish, ClusterView view) {
        return view.servers().stream()
                .sorted(
                        Comparator.comparingInt((ServerView server) ->
                                        wish.prefer().contains(server.name()) ? 0 : 1)
                                .thenComparingInt(
                                        server -> wish.avoid().contains(server.name()) ? 1 : 0)
                                .thenComparingInt(server -> -server.freeMiB())
                                .thenComparing(server -> server.name().value()));
    }

    private static Optional<Refusal> refusal(
            Vm vm, ClusterView view, ServerView server, List<Refusal> asked, boolean insist) {
        return outdated(vm, server)
                .or(() -> refusal(vm, vm.spec().memoryMiB(), server, asked))
                .or(() -> held(vm, view, server.name()))
                .or(() ->
                        insist
                                ? Optional.empty()
                                : VmPriority.leftTo(
                                        vm.spec(), vm.spec().memoryMiB(), server, view));
    }

    /** A VM starts only from the newest bytes of its disks. */
    private static Optional<Refusal> outdated(Vm vm, ServerView server) {
        if (hasNewest(vm, server.name())) {
            return Optional.empty();
        }
        var newest = vm.legs().stream().map(ServerName::value).collect(Collectors.joining(" and "));
        return Optional.of(
                new Refusal(
                        server.name(),
                        "its disk there is not up to date; only %s has the newest"
                                .formatted(newest),
                        false));
    }

    /**
     * While the cluster is disarmed, a VM that was lost or failed stays with the server that it was
     * on when that began. A start that a user asked for is no move.
     */
    static Optional<Refusal> held(Vm vm, ClusterView view, ServerName server) {
        boolean move = vm.failover().filter(f -> !f.from().equals(server)).isPresent();
        return view.disarming()
                .filter(_ -> move)
                .map(disarming -> new Refusal(server, disarming.inWords(), false));
    }

    static boolean hasNewest(Vm vm, ServerName server) {
        return !vm.spec().isMirrored() || vm.legs().isEmpty() || vm.legs().contains(server);
    }

    /** What speaks against running it there, first of the pair or second. */
    static Optional<Refusal> refusal(Vm vm, int memoryMiB, ServerView server, List<Refusal> asked) {
        var said =
                asked.stream()
                        .filter(refusal -> refusal.server().equals(server.name()))
                        .findFirst();
        if (said.isPresent()) {
            return said;
        }
        return unfit(vm.spec().placement(), memoryMiB, server)
                .or(() -> beingEnded(vm, server))
                .map(why -> new Refusal(server.name(), why, false));
    }

    /** Why a server that was asked to keep memory is not waited for any longer. */
    static Optional<String> gone(ServerName candidate, ClusterView view) {
        var server = view.server(candidate).filter(there -> there.live() && there.reachable());
        if (server.isEmpty()) {
            return Optional.of("it does not answer");
        }
        return view.isEmptied(candidate)
                ? Optional.of(Explanation.maintained(candidate))
                : Optional.empty();
    }

    private static Optional<String> beingEnded(Vm vm, ServerView server) {
        return vm.ending().stream()
                .filter(right -> VmLife.isAt(right, server.name(), server.incarnation()))
                .findFirst()
                .map(_ -> "an earlier copy of it is still being ended there");
    }

    static Optional<String> unfit(Placement wish, int memoryMiB, ServerView server) {
        if (!wish.allows(server.name())) {
            return Optional.of("the VM may not run there (placement.only)");
        }
        if (!server.live()) {
            return Optional.of("it is fenced and has not come back");
        }
        if (!server.reachable()) {
            return Optional.of(
                    server.frozen()
                            ? "it does not answer, as most servers, so none is fenced"
                            : "it does not answer");
        }
        if (server.maintenance().isPresent()) {
            return Optional.of(Explanation.maintained(server.name()));
        }
        if (server.quarantined()) {
            return Optional.of(Explanation.quarantined(server.name()));
        }
        if (server.freeMiB() < memoryMiB) {
            return Optional.of(
                    "it has %d MiB free of %d, and %d are needed"
                            .formatted(server.freeMiB(), server.memoryMiB(), memoryMiB));
        }
        return Optional.empty();
    }
}
