package dev.belay.http;

import dev.belay.decision.ClusterView;
import dev.belay.decision.Explanation;
import dev.belay.decision.Explanation.Protection;
import dev.belay.decision.RaiseStage;
import dev.belay.decision.VmLife;
import dev.belay.decision.VmState;
import dev.belay.decision.VmState.Absent;
import dev.belay.decision.VmState.BackingOff;
import dev.belay.decision.VmState.FailingOver;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Pairing;
import dev.belay.decision.VmState.Placing;
import dev.belay.decision.VmState.Present;
import dev.belay.decision.VmState.Raising;
import dev.belay.decision.VmState.Running;
import dev.belay.decision.VmState.Starting;
import dev.belay.decision.VmState.Stopped;
import dev.belay.decision.VmState.Stopping;
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.Desired;
import dev.belay.model.DiskSpec;
import dev.belay.model.KernelBoot;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.replica.LockstepFigures;
import java.util.List;
import java.util.Optional;

/**
 * A VM as the API shows it. All fields are always there; absent values are null.
 *
 * @param primary the server that runs it now; null when none does, or when that is unknown
 * @param secondary the second server of a VM that runs on two, or that is prepared for that
 * @param progress on its way to two servers; null otherwise
 * @param lockstep what that costs; null when it is not asked for or not known
 * @param current whether whoever decides for the VM said so; false: only what this node last knew.
 *     Null in a list, for which nobody is asked
 * @param failovers how many it went through in its life
 * @param failures to run, in a row
 * @param latencyBudgetMillis null: as its servers are configured
 */
record VmView(
        VmName name,
        Optional<Level> level,
        Optional<Desired> desired,
        String state,
        Protection protection,
        Optional<ServerName> primary,
        Optional<ServerName> secondary,
        Optional<Progress> progress,
        Optional<LockstepFigures> lockstep,
        long epoch,
        String explanation,
        Optional<Boolean> current,
        Optional<String> address,
        int failovers,
        int failures,
        boolean deleting,
        Optional<Integer> cpus,
        Optional<Integer> memoryMiB,
        Optional<Integer> priority,
        Optional<Integer> latencyBudgetMillis,
        Optional<Placement> placement,
        Optional<String> kernel,
        Optional<String> initrd,
        Optional<String> commandLine,
        List<DiskSpec> disks,
        List<NicSpec> nics) {

    record Progress(RaiseStage stage, int percent) {}

    /** After a request that its entity answered. */
    static VmView of(VmName name, VmState state, ClusterView view) {
        return switch (state) {
            case Present present -> of(present, view, Optional.empty(), Optional.of(true));
            case Absent absent -> absent(name, absent, view);
        };
    }

    /** One of a list. */
    static VmView of(Present state, ClusterView view) {
        return of(state, view, Optional.empty(), Optional.empty());
    }

    static VmView of(
            Present state,
            ClusterView view,
            Optional<LockstepFigures> lockstep,
            Optional<Boolean> current) {
        var vm = state.vm();
        var spec = vm.spec();
        return new VmView(
                spec.name(),
                Optional.of(spec.level()),
                Optional.of(vm.desired()),
                Explanation.name(state),
                Explanation.protection(state, view),
                primary(state),
                VmLife.secondary(state).map(RunRight::server),
                progress(state),
                lockstep,
                vm.epoch().value(),
                Explanation.of(state, view),
                current,
                spec.address(),
                vm.failoverCount(),
                vm.failures(),
                vm.deleting(),
                Optional.of(spec.cpus()),
                Optional.of(spec.memoryMiB()),
                Optional.of(spec.priority()),
                spec.latencyBudgetMillis(),
                Optional.of(spec.placement()),
                spec.boot().map(KernelBoot::kernel),
                spec.boot().map(KernelBoot::initrd),
                spec.boot().map(KernelBoot::commandLine),
                spec.disks(),
                spec.nics());
    }

    private static VmView absent(VmName name, Absent state, ClusterView view) {
        return new VmView(
                name,
                Optional.empty(),
                Optional.empty(),
                Explanation.name(state),
                Explanation.protection(state, view),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                state.last().value(),
                Explanation.of(state, view),
                Optional.of(true),
                Optional.empty(),
                0,
                0,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                List.of());
    }

    private static Optional<ServerName> primary(Present state) {
        return switch (state) {
            case Starting s -> Optional.of(s.right().server());
            case Running s -> Optional.of(s.right().server());
            case Pairing s -> Optional.of(s.right().server());
            case Raising s -> Optional.of(s.primary().server());
            case Lockstep s -> Optional.of(s.primary().server());
            case GoingSolo s -> Optional.of(s.winner().server());
            case Stopping s -> Optional.of(s.right().server());
            // FailingOver: whether the lost server still runs it is exactly what is not known.
            case Stopped _, Waiting _, Placing _, FailingOver _, BackingOff _ -> Optional.empty();
        };
    }

    private static Optional<Progress> progress(Present state) {
        return state instanceof Raising s
                ? Optional.of(new Progress(s.stage(), s.percent()))
                : Optional.empty();
    }
}
