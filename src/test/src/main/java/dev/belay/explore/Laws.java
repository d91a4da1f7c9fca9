package dev.belay.explore;

import dev.belay.decision.ServerState;
import dev.belay.decision.VmLife;
import dev.belay.decision.VmState;
import dev.belay.model.Desired;
import dev.belay.model.Epoch;
import dev.belay.model.RunRight;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What must hold. That epochs never fall and that a replay gives the live state is checked where it
 * may break.
 */
final class Laws {
    private Laws() {}

    /**
     * After every step: never two active copies of a VM, and none that is active although the
     * journal has given its right to another already. The second is the earlier sign: no start
     * before the proof.
     */
    static void check(World world) {
        for (int vm = 0; vm < world.setup.vms().size(); vm++) {
            check(world, vm);
        }
    }

    private static void check(World world, int vm) {
        var name = world.setup.vms().get(vm);
        var newest = Journal.epoch(world.journal.vm(vm));
        RunRight active = null;
        RunRight writer = null;
        for (var machine : world.machines) {
            if (!machine.powered) {
                continue;
            }
            int clock = machine.clock(world);
            for (var qemu : machine.processes.all) {
                if (!qemu.right().vm().equals(name)) {
                    continue;
                }
                if (machine.processes.isActive(qemu, clock)) {
                    active = only(active, qemu.right(), "two active copies");
                    outdated(qemu.right(), newest);
                }
                if (world.setup.shared() && !qemu.stopped()) {
                    writer = only(writer, qemu.right(), "two writers of one disk");
                }
            }
        }
    }

    private static RunRight only(@Nullable RunRight first, RunRight second, String law) {
        if (first != null) {
            throw new Broken(law + ": " + first + " and " + second);
        }
        return second;
    }

    private static void outdated(RunRight right, Epoch newest) {
        if (newest.isAfter(right.epoch())) {
            throw new Broken(
                    "%s is active, but %s was granted without a proof of its end"
                            .formatted(right, newest));
        }
    }

    /** Empty when every VM is as desired and every server keeps memory for just those it runs. */
    static List<String> unfinished(World world) {
        var problems = new ArrayList<String>();
        for (int vm = 0; vm < world.setup.vms().size(); vm++) {
            var name = world.setup.vms().get(vm);
            var state = world.journal.vm(vm);
            boolean wanted =
                    state instanceof VmState.Present present
                            && present.vm().desired() == Desired.RUNNING
                            && !present.vm().deleting();
            boolean fits =
                    wanted
                            ? state instanceof VmState.Running
                            : state instanceof VmState.Stopped || state instanceof VmState.Absent;
            if (!fits) {
                problems.add(name + " is " + Words.state(state));
            }
            var right = VmLife.right(state);
            for (var machine : world.machines) {
                boolean here =
                        right.filter(r -> r.server().value().equals(machine.name())).isPresent();
                boolean runs =
                        machine.processes.all.stream()
                                .anyMatch(qemu -> qemu.right().vm().equals(name));
                boolean kept =
                        world.journal.server(machine.index) instanceof ServerState.Live live
                                && live.reservations().containsKey(name);
                if (runs != here || kept != here) {
                    problems.add(
                            "%s on %s: expected %s, runs %s, memory kept %s"
                                    .formatted(name, machine.name(), here, runs, kept));
                }
            }
        }
        return problems;
    }
}
