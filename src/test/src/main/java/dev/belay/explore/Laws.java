package dev.belay.explore;

import dev.belay.decision.ServerState;
import dev.belay.decision.VmLife;
import dev.belay.decision.VmState;
import dev.belay.model.Desired;
import dev.belay.model.Epoch;
import dev.belay.model.Level;
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
        RunRight active = null;
        RunRight writer = null;
        for (var machine : world.machines) {
            if (!machine.powered) {
                continue;
            }
            for (var qemu : machine.processes.all) {
                if (!qemu.right().vm().equals(name)) {
                    continue;
                }
                if (machine.processes.isActive(world, qemu)) {
                    active = only(active, qemu.right(), "two active copies");
                    mayBeHeard(world, machine, qemu);
                }
                if (world.setup.shared() && !qemu.stopped()) {
                    writer = only(writer, qemu.right(), "two writers of one disk");
                }
            }
        }
        if (world.setup.pairs()
                && world.journal.vm(vm) instanceof VmState.Present
                && !world.legs.isWhole(vm)) {
            throw new Broken("no copy of its disk has all that was acknowledged: " + name);
        }
        if (world.setup.pairs() && world.journal.vm(vm) instanceof VmState.Present state) {
            for (var server : state.vm().legs()) {
                newestIsWhole(world, world.setup.server(server), vm);
            }
        }
    }

    /** Or the VM would never start again where its newest bytes are. */
    private static void newestIsWhole(World world, int server, int vm) {
        if (world.legs.isFilling(server, vm)) {
            throw new Broken(
                    "the disk of %s on %s counts as one of the newest and is marked as half a copy"
                            .formatted(world.setup.vms().get(vm), world.machines[server].name()));
        }
    }

    private static RunRight only(@Nullable RunRight first, RunRight second, String law) {
        if (first != null) {
            throw new Broken(law + ": " + first + " and " + second);
        }
        return second;
    }

    /**
     * Who holds the right is heard, and one that lost only as long as it says nothing that the
     * winner does not say, too.
     */
    static void mayBeHeard(World world, Machine machine, Qemu qemu) {
        var state = world.journal.vm(world.setup.vm(qemu.right().vm()));
        var holder = VmLife.right(state);
        if (!world.setup.pairs() || holder.isEmpty()) {
            outdated(qemu.right(), Journal.epoch(state));
            return;
        }
        boolean together =
                qemu.part().partner().equals(holder)
                        && new Halves(world, machine).isConnected(qemu);
        if (!holder.get().equals(qemu.right())
                && !together
                && !qemu.right().epoch().isAfter(Journal.epoch(state))) {
            throw new Broken(
                    "%s is heard although %s has the right".formatted(qemu.right(), holder.get()));
        }
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
            boolean two = wanted && ((VmState.Present) state).vm().spec().level() == Level.SYSTEM;
            boolean fits =
                    two
                            ? state instanceof VmState.Lockstep
                            : wanted
                                    ? state instanceof VmState.Running
                                    : state instanceof VmState.Stopped
                                            || state instanceof VmState.Absent;
            if (!fits) {
                problems.add(name + " is " + Words.state(state));
            }
            var rights = new ArrayList<RunRight>();
            VmLife.right(state).ifPresent(rights::add);
            VmLife.secondary(state).ifPresent(rights::add);
            for (var machine : world.machines) {
                boolean here =
                        rights.stream().anyMatch(r -> r.server().value().equals(machine.name()));
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
