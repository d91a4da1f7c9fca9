package dev.belay.persistence.kryo;

import dev.belay.decision.Failover;
import dev.belay.decision.VmEvent;
import dev.belay.decision.VmState;
import dev.belay.decision.VmState.Refusal;
import dev.belay.model.Desired;
import dev.belay.model.Epoch;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What was stored of VMs before they could have a budget for what lockstep costs, and snapshots
 * from before one could run on two servers; such a one never did.
 */
final class PastVmStates {
    private PastVmStates() {}

    record Vm(
            VmSpec spec,
            Desired desired,
            boolean deleting,
            Epoch epoch,
            int failures,
            int failoverCount,
            Optional<Failover> failover,
            List<Failover> reports) {
        private VmState.Vm present() {
            return new VmState.Vm(
                    spec, desired, deleting, epoch, failures, failoverCount, failover, reports);
        }
    }

    record Stopped(Vm vm) {}

    record Waiting(Vm vm, List<Refusal> refusals) {}

    record Placing(Vm vm, ServerName candidate, List<Refusal> refusals) {}

    record Starting(Vm vm, RunRight right) {}

    record Running(Vm vm, RunRight right) {}

    record Stopping(Vm vm, RunRight right, boolean kill, boolean elsewhere) {}

    record FailingOver(Vm vm, RunRight lost) {}

    record BackingOff(Vm vm, RunRight last, Duration pause) {}

    static void register(KryoTypes.Registry registry) {
        withoutBudget(registry, "vm.VmCreated/1", VmEvent.VmCreated.class);
        withoutBudget(registry, "vm.state.Stopped/2", VmState.Stopped.class);
        withoutBudget(registry, "vm.state.Waiting/2", VmState.Waiting.class);
        withoutBudget(registry, "vm.state.Placing/2", VmState.Placing.class);
        withoutBudget(registry, "vm.state.Starting/2", VmState.Starting.class);
        withoutBudget(registry, "vm.state.Running/2", VmState.Running.class);
        withoutBudget(registry, "vm.state.Stopping/2", VmState.Stopping.class);
        withoutBudget(registry, "vm.state.FailingOver/2", VmState.FailingOver.class);
        withoutBudget(registry, "vm.state.BackingOff/2", VmState.BackingOff.class);
        withoutBudget(registry, "vm.state.Pairing/1", VmState.Pairing.class);
        withoutBudget(registry, "vm.state.Raising/1", VmState.Raising.class);
        withoutBudget(registry, "vm.state.Lockstep/1", VmState.Lockstep.class);
        withoutBudget(registry, "vm.state.GoingSolo/1", VmState.GoingSolo.class);
        onOneServer(registry);
    }

    /** The same record; only what it says of the VM's specification has grown. */
    private static <T> void withoutBudget(
            KryoTypes.Registry registry, String manifest, Class<T> type) {
        registry.upcast(manifest, type, Function.identity(), PastVmSpec.PART);
    }

    private static void onOneServer(KryoTypes.Registry registry) {
        registry.upcast(
                "vm.state.Stopped/1",
                Stopped.class,
                s -> new VmState.Stopped(s.vm().present()),
                PastVmSpec.PART);
        registry.upcast(
                "vm.state.Waiting/1",
                Waiting.class,
                s -> new VmState.Waiting(s.vm().present(), s.refusals()),
                PastVmSpec.PART);
        registry.upcast(
                "vm.state.Placing/1",
                Placing.class,
                s -> new VmState.Placing(s.vm().present(), s.candidate(), s.refusals()),
                PastVmSpec.PART);
        registry.upcast(
                "vm.state.Starting/1",
                Starting.class,
                s -> new VmState.Starting(s.vm().present(), s.right()),
                PastVmSpec.PART);
        registry.upcast(
                "vm.state.Running/1",
                Running.class,
                s -> new VmState.Running(s.vm().present(), s.right()),
                PastVmSpec.PART);
        registry.upcast(
                "vm.state.Stopping/1",
                Stopping.class,
                s -> new VmState.Stopping(s.vm().present(), s.right(), s.kill(), s.elsewhere()),
                PastVmSpec.PART);
        registry.upcast(
                "vm.state.FailingOver/1",
                FailingOver.class,
                s -> new VmState.FailingOver(s.vm().present(), s.lost()),
                PastVmSpec.PART);
        registry.upcast(
                "vm.state.BackingOff/1",
                BackingOff.class,
                s -> new VmState.BackingOff(s.vm().present(), s.last(), s.pause()),
                PastVmSpec.PART);
    }
}
