package dev.belay.explore;

import dev.belay.decision.Failover;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmState;
import dev.belay.model.ServerName;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** States without what is only told: reports, evidence, words. */
final class Keys {
    private Keys() {}

    static Object of(VmState state) {
        return state instanceof VmState.Present present ? with(present, bare(present.vm())) : state;
    }

    private static VmState with(VmState.Present state, VmState.Vm vm) {
        return switch (state) {
            case VmState.Stopped s -> new VmState.Stopped(vm);
            case VmState.Waiting s -> new VmState.Waiting(vm, s.refusals());
            case VmState.Placing s -> new VmState.Placing(vm, s.candidate(), s.refusals());
            case VmState.Starting s -> new VmState.Starting(vm, s.right());
            case VmState.Running s -> new VmState.Running(vm, s.right());
            case VmState.Pairing s ->
                    new VmState.Pairing(vm, s.right(), s.candidate(), s.refusals());
            case VmState.Raising s ->
                    new VmState.Raising(vm, s.primary(), s.secondary(), s.stage(), s.percent());
            case VmState.Lockstep s -> new VmState.Lockstep(vm, s.primary(), s.secondary());
            case VmState.GoingSolo s -> new VmState.GoingSolo(vm, s.winner(), s.loser());
            case VmState.Stopping s -> new VmState.Stopping(vm, s.right(), s.kill(), s.elsewhere());
            case VmState.FailingOver s -> new VmState.FailingOver(vm, s.lost());
            case VmState.BackingOff s -> new VmState.BackingOff(vm, s.last(), s.pause());
        };
    }

    /** The same, with more servers whose copies of the disks are called up to date. */
    static VmState withLegs(VmState.Present state, Set<ServerName> more) {
        var vm = state.vm();
        var all = new HashSet<>(vm.legs());
        all.addAll(more);
        return with(
                state,
                new VmState.Vm(
                        vm.spec(),
                        vm.desired(),
                        vm.deleting(),
                        vm.epoch(),
                        vm.failures(),
                        vm.failoverCount(),
                        vm.failover(),
                        vm.reports(),
                        all,
                        vm.ending(),
                        vm.pursuit()));
    }

    private static VmState.Vm bare(VmState.Vm vm) {
        Optional<Failover> open =
                vm.failover()
                        .map(f ->
                                new Failover(
                                        0,
                                        "",
                                        f.from(),
                                        Optional.empty(),
                                        java.time.Instant.EPOCH,
                                        Optional.empty(),
                                        List.of()));
        return new VmState.Vm(
                vm.spec(),
                vm.desired(),
                vm.deleting(),
                vm.epoch(),
                vm.failures(),
                0,
                open,
                List.of(),
                vm.legs(),
                vm.ending(),
                vm.pursuit());
    }

    static Object of(ServerState state) {
        return switch (state) {
            case ServerState.Unknown s -> s;
            case ServerState.Live s -> s;
            case ServerState.Fencing s ->
                    new ServerState.Fencing(
                            s.server(),
                            s.vms(),
                            List.of(),
                            s.agentFailure(),
                            s.losses(),
                            s.maintenance());
            case ServerState.Fenced s ->
                    List.of(s.server(), s.proof().kind(), s.losses(), s.maintenance());
        };
    }
}
