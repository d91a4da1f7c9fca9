package dev.belay.decision;

import dev.belay.decision.ServerState.Known;
import dev.belay.decision.ServerState.Live;
import dev.belay.decision.ServerState.Maintenance;
import dev.belay.decision.VmState.BackingOff;
import dev.belay.decision.VmState.FailingOver;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Pairing;
import dev.belay.decision.VmState.Placing;
import dev.belay.decision.VmState.Present;
import dev.belay.decision.VmState.Raising;
import dev.belay.decision.VmState.Refusal;
import dev.belay.decision.VmState.Running;
import dev.belay.decision.VmState.Starting;
import dev.belay.decision.VmState.Stopped;
import dev.belay.decision.VmState.Stopping;
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/**
 * What is still on a server that is to be empty, or left it and runs nowhere yet, in plain words
 * for whoever waits for it.
 *
 * @param moves it leaves by itself; otherwise it stays until somebody does something about it
 */
public record Departure(VmName vm, boolean moves, String why) {

    /**
     * @param now of the server; newer than what the view has of it
     */
    public static List<Departure> of(
            Known server, Maintenance now, List<Present> vms, ClusterView view) {
        var name = server.server().name();
        var left = new ArrayList<Departure>();
        vms.forEach(vm -> of(name, now, vm, view).ifPresent(left::add));
        if (server instanceof Live live) {
            var told = new HashSet<>(left.stream().map(Departure::vm).toList());
            live.reservations().keySet().stream()
                    .filter(vm -> !told.contains(vm))
                    .forEach(vm -> left.add(moves(vm, "its memory is about to be given back")));
        }
        left.sort(Comparator.comparing(departure -> departure.vm().value()));
        return List.copyOf(left);
    }

    /** VMs that should run on two servers and run on one, because this one takes no second copy. */
    public static List<VmName> unprotected(ServerName server, List<Present> vms) {
        return vms.stream()
                .filter(vm ->
                        vm instanceof Running running
                                && running.vm().wantsPair()
                                && !running.right().server().equals(server))
                .filter(vm ->
                        vm.vm().pursuit().refusals().stream()
                                .anyMatch(refusal -> isForMaintenance(refusal, server)))
                .map(vm -> vm.vm().spec().name())
                .toList();
    }

    private static boolean isForMaintenance(Refusal refusal, ServerName server) {
        return refusal.server().equals(server)
                && (refusal.why().equals(Explanation.maintained(server))
                        || refusal.why().equals(Emptying.why(server)));
    }

    private static Optional<Departure> of(
            ServerName here, Maintenance now, Present state, ClusterView view) {
        var vm = state.vm().spec().name();
        return switch (state) {
            case Running s when isAt(s.right(), here) -> Optional.of(running(s, now, view));
            case Pairing s when isAt(s.right(), here) ->
                    Optional.of(
                            moves(
                                    vm,
                                    "server %s is asked to keep memory for a second copy, which then goes on with it"
                                            .formatted(s.candidate())));
            case Raising s when isAt(s.primary(), here) ->
                    Optional.of(
                            moves(
                                    vm,
                                    "it goes on on server %s as soon as that has a second copy of it"
                                            .formatted(s.secondary().server())));
            case Raising s when isAt(s.secondary(), here) ->
                    Optional.of(moves(vm, "its second copy here is given up"));
            case Lockstep s when isAt(s.primary(), here) ->
                    Optional.of(
                            onTwo(
                                    s,
                                    s.secondary().server(),
                                    "it goes on on server " + s.secondary().server(),
                                    view));
            case Lockstep s when isAt(s.secondary(), here) ->
                    Optional.of(
                            onTwo(
                                    s,
                                    s.primary().server(),
                                    "its second copy here is given up",
                                    view));
            case GoingSolo s when isAt(s.winner(), here) ->
                    Optional.of(moves(vm, "it lost its other server just now"));
            case Starting s when isAt(s.right(), here) ->
                    Optional.of(moves(vm, "it is being started"));
            case Stopping s when isAt(s.right(), here) ->
                    Optional.of(
                            moves(
                                    vm,
                                    s.vm().isWanted()
                                            ? "it is being shut down, to start elsewhere"
                                            : "it is being shut down"));
            case BackingOff s when isAt(s.last(), here) ->
                    Optional.of(moves(vm, "it failed, and pauses before the next try"));
            case FailingOver s when isAt(s.lost(), here) ->
                    Optional.of(moves(vm, "the server is lost, and it starts elsewhere"));
            case Stopped _,
                    Waiting _,
                    Placing _,
                    Starting _,
                    Running _,
                    Pairing _,
                    Raising _,
                    Lockstep _,
                    GoingSolo _,
                    Stopping _,
                    FailingOver _,
                    BackingOff _ ->
                    state.vm().ending().stream().anyMatch(right -> isAt(right, here))
                            ? Optional.of(moves(vm, "its earlier copy here is being ended"))
                            : onTheWay(here, state, view);
        };
    }

    /** One that left has not moved before it runs elsewhere. */
    private static Optional<Departure> onTheWay(ServerName here, Present state, ClusterView view) {
        boolean left =
                state.vm().isWanted()
                        && state.vm().failover().filter(f -> f.from().equals(here)).isPresent();
        if (!left) {
            return Optional.empty();
        }
        var vm = state.vm().spec().name();
        return switch (state) {
            case Placing s ->
                    Optional.of(
                            moves(
                                    vm,
                                    "it ended here, and server %s is asked to keep memory for it"
                                            .formatted(s.candidate())));
            case Starting s ->
                    Optional.of(moves(vm, "it is being started on server " + s.right().server()));
            case FailingOver s ->
                    Optional.of(
                            moves(
                                    vm,
                                    "server %s, where it went, is lost, and it starts elsewhere"
                                            .formatted(s.lost().server())));
            case BackingOff s when s.vm().failures() <= VmRecovery.TRIES_HERE ->
                    Optional.of(
                            moves(
                                    vm,
                                    "it failed on server %s, and pauses before the next try"
                                            .formatted(s.last().server())));
            case BackingOff _ ->
                    Optional.of(stays(vm, "it runs nowhere now. " + Explanation.of(state, view)));
            case Waiting s when s.refusals().isEmpty() ->
                    Optional.of(moves(vm, "it ended here, and a server is looked for"));
            case Waiting s -> Optional.of(stays(vm, stranded(here, s)));
            case Stopped _, Running _, Pairing _, Raising _, Lockstep _, GoingSolo _, Stopping _ ->
                    Optional.empty();
        };
    }

    private static String stranded(ServerName here, Waiting s) {
        var others =
                s.refusals().stream().filter(refusal -> !refusal.server().equals(here)).toList();
        return "it ended here and runs nowhere now: %s. It starts as soon as one can, or here when you say so: belay server activate %s"
                .formatted(
                        others.isEmpty()
                                ? "there is no other server for it"
                                : "no other server can take it: " + Explanation.sentence(others),
                        here);
    }

    private static Departure onTwo(Lockstep s, ServerName other, String what, ClusterView view) {
        var vm = s.vm().spec().name();
        if (view.isEmptied(other) && Emptying.hasThird(s, view)) {
            return moves(
                    vm,
                    "its other server, %s, is in maintenance, too: it gets a second copy on a third one"
                            .formatted(other));
        }
        if (view.isEmptied(other)) {
            return stays(
                    vm,
                    "its other server, %s, is in maintenance, too, and no third one has room for a second copy of it. Stop it, or end that: belay server activate %s"
                            .formatted(other, other));
        }
        return moves(
                vm,
                VmPlacement.gone(other, view).isEmpty()
                        ? what
                        : "its other server, %s, does not answer now".formatted(other));
    }

    private static Departure running(Running s, Maintenance now, ClusterView view) {
        var spec = s.vm().spec();
        var vm = spec.name();
        if (s.vm().wantsPair()) {
            return alone(s, view);
        }
        if (spec.isPinned()) {
            return stays(vm, "a local disk pins it to this server: stop it");
        }
        if (!s.vm().legs().isEmpty()
                && s.vm().legs().stream().allMatch(s.right().server()::equals)) {
            return stays(
                    vm,
                    "only this server has its disks. Stop it, or let it move without noticing: belay vm protect %s --level system"
                            .formatted(vm));
        }
        if (Emptying.refuge(s.vm(), s.right(), view).isEmpty()) {
            return stays(vm, "%s. Stop it, or make room".formatted(noRefuge(s, view)));
        }
        return now.restartVms()
                ? moves(vm, "it is restarted on another server")
                : stays(
                        vm,
                        "at level RESTART it cannot move while it runs. Stop it, or have it restarted elsewhere: belay server maintenance %s --restart-vms"
                                .formatted(s.right().server()));
    }

    /** At level SYSTEM, and on one server: it needs a second one to move. */
    private static Departure alone(Running s, ClusterView view) {
        var vm = s.vm().spec().name();
        var refusals = s.vm().pursuit().refusals();
        // What only looks so from here is asked again, and looks the same, however often it failed.
        boolean again =
                refusals.isEmpty()
                        || isClearing(s, view)
                        || (s.vm().pursuit().failures() > 0
                                && !VmPlacement.asked(refusals).isEmpty());
        boolean looks = again && view.servers().size() > 1;
        var why = "it needs a second copy elsewhere to move. " + Explanation.alone(s.vm(), view);
        return looks
                ? moves(vm, why)
                : stays(
                        vm,
                        why
                                + " Stop it, or make room for its second copy: --restart-vms does not move it");
    }

    /** An earlier copy that is still being ended keeps a server from it for a moment only. */
    private static boolean isClearing(Running s, ClusterView view) {
        return s.vm().ending().stream()
                .anyMatch(right -> VmPlacement.gone(right.server(), view).isEmpty());
    }

    private static String noRefuge(Running s, ClusterView view) {
        var disarmed = view.disarming();
        if (disarmed.isPresent()) {
            return disarmed.get().inWords();
        }
        var refusals =
                view.servers().stream()
                        .filter(server -> !isAt(s.right(), server.name()))
                        .flatMap(server ->
                                VmPlacement.refusal(
                                        s.vm(), s.vm().spec().memoryMiB(), server, List.of())
                                        .stream())
                        .toList();
        return refusals.isEmpty()
                ? "no other server has room for it that nobody else waits for"
                : "no other server can take it: " + Explanation.sentence(refusals);
    }

    private static boolean isAt(RunRight right, ServerName here) {
        return right.server().equals(here);
    }

    private static Departure moves(VmName vm, String why) {
        return new Departure(vm, true, why);
    }

    private static Departure stays(VmName vm, String why) {
        return new Departure(vm, false, why);
    }
}
