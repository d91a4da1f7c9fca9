package dev.belay.decision;

import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.VmState.Refusal;
import dev.belay.decision.VmState.Vm;
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.Desired;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

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
        var candidate = first(vm.spec(), view, s -> refusal(vm, view, s, asked, insist).isEmpty());
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
    static Optional<ServerName> best(VmSpec spec, ClusterView view, List<Refusal> asked) {
        return first(spec, view, server -> refusal(spec, server, asked).isEmpty());
    }

    private static Optional<ServerName> first(
            VmSpec spec, ClusterView view, Predicate<ServerView> fits) {
        var wish = spec.placement();
        return view.servers().stream()
                .filter(fits)
                .sorted(
                        Comparator.comparingInt((ServerView server) ->
                                        wish.prefer().contains(server.name()) ? 0 : 1)
                                .thenComparingInt(
                                        server -> wish.avoid().contains(server.name()) ? 1 : 0)
                                .thenComparingInt(server -> -server.freeMiB())
                                .thenComparing(server -> server.name().value()))
                .map(ServerView::name)
                .findFirst();
    }

    private static Optional<Refusal> refusal(
            Vm vm, ClusterView view, ServerView server, List<Refusal> asked, boolean insist) {
        return refusal(vm.spec(), server, asked)
                .or(() -> held(vm, view, server.name()))
                .or(() ->
                        insist
                                ? Optional.empty()
                                : VmPriority.ahead(vm.spec(), server, view)
                                        .map(other ->
                                                new Refusal(
                                                        server.name(),
                                                        "its room is left to VM '%s' of higher priority for now"
                                                                .formatted(other),
                                                        false)));
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

    private static Optional<Refusal> refusal(VmSpec spec, ServerView server, List<Refusal> asked) {
        var said =
                asked.stream()
                        .filter(refusal -> refusal.server().equals(server.name()))
                        .findFirst();
        if (said.isPresent()) {
            return said;
        }
        return unfit(spec.placement(), spec.memoryMiB(), server)
                .map(why -> new Refusal(server.name(), why, false));
    }

    static Optional<String> unfit(Placement wish, int memoryMiB, ServerView server) {
        if (!wish.only().isEmpty() && !wish.only().contains(server.name())) {
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
