package dev.belay.explore;

import dev.belay.decision.Failover;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmState;
import java.util.List;
import java.util.Optional;

/** States without what is only told: reports, evidence, words. */
final class Keys {
    private Keys() {}

    static Object of(VmState state) {
        return switch (state) {
            case VmState.Absent s -> s;
            case VmState.Stopped s -> new VmState.Stopped(bare(s.vm()));
            case VmState.Waiting s -> new VmState.Waiting(bare(s.vm()), s.refusals());
            case VmState.Placing s ->
                    new VmState.Placing(bare(s.vm()), s.candidate(), s.refusals());
            case VmState.Starting s -> new VmState.Starting(bare(s.vm()), s.right());
            case VmState.Running s -> new VmState.Running(bare(s.vm()), s.right());
            case VmState.Pairing s ->
                    new VmState.Pairing(bare(s.vm()), s.right(), s.candidate(), s.refusals());
            case VmState.Raising s ->
                    new VmState.Raising(
                            bare(s.vm()), s.primary(), s.secondary(), s.stage(), s.percent());
            case VmState.Lockstep s ->
                    new VmState.Lockstep(bare(s.vm()), s.primary(), s.secondary());
            case VmState.GoingSolo s -> new VmState.GoingSolo(bare(s.vm()), s.winner(), s.loser());
            case VmState.Stopping s ->
                    new VmState.Stopping(bare(s.vm()), s.right(), s.kill(), s.elsewhere());
            case VmState.FailingOver s -> new VmState.FailingOver(bare(s.vm()), s.lost());
            case VmState.BackingOff s -> new VmState.BackingOff(bare(s.vm()), s.last(), s.pause());
        };
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
