package dev.belay.explore;

import dev.belay.decision.ReplicaInput;
import dev.belay.decision.TenureInput;
import dev.belay.decision.VmInput;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What runs on a server, and the hypervisor that starts and ends it, as the QEMU adapter does. */
final class Processes {
    final List<Qemu> all;

    /** Ended while no process of the node looked. */
    final Set<RunRight> graves;

    private final Machine machine;

    Processes(Machine machine) {
        this.machine = machine;
        all = new ArrayList<>();
        graves = new HashSet<>();
    }

    Processes(Machine machine, Processes other) {
        this.machine = machine;
        all = new ArrayList<>(other.all);
        graves = new HashSet<>(other.graves);
    }

    boolean lists(RunRight right) {
        for (var qemu : all) {
            if (qemu.right().equals(right) && !qemu.starting()) {
                return true;
            }
        }
        return false;
    }

    /** Its guest's CPUs run, and what it sends gets out. */
    boolean isActive(Qemu qemu, int clock) {
        return !qemu.stopped() && (qemu.gate() > clock || !machine.setup.holds(Rule.GATE));
    }

    void extend(Incarnation incarnation, int until) {
        boolean all = !machine.setup.holds(Rule.LEASH_BY_INCARNATION);
        this.all.replaceAll(qemu ->
                all || qemu.right().incarnation().equals(incarnation) ? qemu.granted(until) : qemu);
    }

    void extendAll(int until) {
        all.replaceAll(qemu -> qemu.granted(until));
    }

    /** The leashes that are due act, whatever the node's process does. */
    void passTime(World world) {
        if (!machine.setup.holds(Rule.LEASH)) {
            return;
        }
        for (var qemu : List.copyOf(all)) {
            if (qemu.leash() == Qemu.Leash.WATCHES && machine.clock(world) >= qemu.deadline()) {
                kill(world, qemu, VmInput.Cause.LEASE);
            }
        }
    }

    void kill(World world, Qemu qemu, VmInput.Cause cause) {
        all.remove(qemu);
        world.say(() -> machine.name() + ": " + qemu.right() + " ended, " + cause);
        if (!qemu.starting()) {
            machine.ended(world, qemu.right(), cause);
        }
    }

    private void killUpTo(World world, VmName vm, Epoch upTo) {
        for (var qemu : List.copyOf(all)) {
            if (qemu.right().vm().equals(vm) && !qemu.right().epoch().isAfter(upTo)) {
                kill(world, qemu, VmInput.Cause.DIED);
            }
        }
        graves.removeIf(right -> right.vm().equals(vm) && !right.epoch().isAfter(upTo));
    }

    /**
     * @param outcome 0 done, 1 failed, 2 failed and something was left
     */
    void end(World world, Work work, int outcome) {
        machine.works.remove(work);
        switch (work) {
            case Work.Adopt() -> adopt(world, outcome);
            case Work.Launch(var right) -> launch(world, right, outcome);
            case Work.End(var right, _) -> {
                boolean done = outcome == 0;
                if (done) {
                    killUpTo(world, right.vm(), right.epoch());
                }
                machine.tell(
                        world,
                        done || !machine.setup.holds(Rule.END_BEFORE_GONE)
                                ? new ReplicaInput.StopDone(right)
                                : new ReplicaInput.StopFailed(right, "it does not go away"));
            }
            case Work.Clean() -> {
                if (outcome != 0) {
                    machine.hear(world, new TenureInput.CleanFailed());
                    return;
                }
                all.clear();
                graves.clear();
                machine.works.clear();
                machine.hear(world, new TenureInput.CleanDone());
            }
            case Work.News(var input) -> machine.tell(world, input);
        }
    }

    private void adopt(World world, int outcome) {
        if (outcome != 0) {
            return;
        }
        all.removeIf(Qemu::starting);
        for (var qemu : List.copyOf(all)) {
            machine.tell(world, new ReplicaInput.Found(qemu.right(), true, "it runs"));
        }
        for (var right : List.copyOf(graves)) {
            machine.tell(world, new ReplicaInput.Found(right, false, "it ended"));
        }
        machine.hear(world, new TenureInput.Adopted());
    }

    private void launch(World world, RunRight right, int outcome) {
        int clock = machine.clock(world);
        int until = machine.grants.getOrDefault(right.incarnation(), clock);
        if (!machine.setup.holds(Rule.LEASE_BEFORE_START)) {
            until = clock + machine.setup.lease();
        }
        if (outcome == 1) {
            failed(world, right, "it could not");
        } else if (until <= clock || machine.over.contains(right.incarnation())) {
            failed(world, right, "no live lease");
        } else if (newer(right)) {
            failed(world, right, "it comes too late");
        } else {
            killUpTo(world, right.vm(), right.epoch());
            if (world.locked(machine, right.vm())) {
                failed(world, right, "its disk is locked");
                return;
            }
            boolean left = outcome == 2;
            all.add(new Qemu(right, left, false, Qemu.Leash.WATCHES, until, until));
            if (left) {
                failed(world, right, "no answer in time");
            } else {
                machine.tell(world, new ReplicaInput.Started(right, 1, "it runs"));
            }
        }
    }

    private boolean newer(RunRight right) {
        for (var qemu : all) {
            if (qemu.right().vm().equals(right.vm())
                    && qemu.right().epoch().isAfter(right.epoch())) {
                return true;
            }
        }
        return false;
    }

    private void failed(World world, RunRight right, String why) {
        machine.tell(world, new ReplicaInput.StartFailed(right, why, true, false));
    }

    List<Object> key(int clock) {
        var now = new HashSet<Object>();
        for (var qemu : all) {
            now.add(qemu.relativeTo(clock));
        }
        return List.of(now, Set.copyOf(graves));
    }
}
