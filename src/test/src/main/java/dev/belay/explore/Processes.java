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
import org.jspecify.annotations.Nullable;

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

    @Nullable Qemu find(RunRight right) {
        for (var qemu : all) {
            if (qemu.right().equals(right)) {
                return qemu;
            }
        }
        return null;
    }

    /** In place of what it was. */
    void put(Qemu now) {
        all.replaceAll(qemu -> qemu.right().equals(now.right()) ? now : qemu);
    }

    /** Its guest's CPUs run, and what it sends gets out. */
    boolean isActive(World world, Qemu qemu) {
        return !qemu.stopped()
                && isOpen(world, qemu)
                && (qemu.part() instanceof Part.Alone || new Halves(world, machine).speaks(qemu));
    }

    /** What comes to its tap gets out. */
    boolean isOpen(World world, Qemu qemu) {
        return !qemu.muted()
                && (qemu.gate() > machine.clock(world)
                        || !machine.setup.holds(Rule.GATE)
                        || isExempt(qemu));
    }

    private boolean isExempt(Qemu qemu) {
        return qemu.part().isKnownInLockstep() && !machine.setup.holds(Rule.LEASH_IN_LOCKSTEP);
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
            if (qemu.leash() == Qemu.Leash.WATCHES
                    && machine.clock(world) >= qemu.deadline()
                    && !isExempt(qemu)) {
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

    void killUpTo(World world, VmName vm, Epoch upTo) {
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
        // Those of a pair may have several steps.
        if (!(work instanceof Work.Raise || work instanceof Work.Leave)) {
            machine.works.remove(work);
        }
        switch (work) {
            case Work.Adopt() -> adopt(world, outcome);
            case Work.Launch(var right) -> launch(world, right, outcome);
            case Work.End(var right, _) -> {
                boolean done = outcome == 0;
                if (done) {
                    flush(world, right);
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
            case Work.Prepare prepare -> new Halves(world, machine).prepare(prepare, outcome);
            case Work.Await await -> new Halves(world, machine).answer(await, outcome);
            case Work.Raise raise -> new Halves(world, machine).raise(raise, outcome);
            case Work.Leave leave -> new Halves(world, machine).leave(leave, outcome);
            case Work.Undo undo -> new Halves(world, machine).undo(undo, outcome);
        }
    }

    private void flush(World world, RunRight upTo) {
        if (machine.setup.holds(Rule.SILENT_END)) {
            return;
        }
        for (var qemu : all) {
            if (qemu.right().vm().equals(upTo.vm())
                    && !qemu.right().epoch().isAfter(upTo.epoch())) {
                new Halves(world, machine).flush(qemu);
            }
        }
    }

    private void adopt(World world, int outcome) {
        if (outcome != 0) {
            return;
        }
        all.removeIf(Qemu::starting);
        for (var qemu : List.copyOf(all)) {
            machine.tell(
                    world,
                    new ReplicaInput.Found(qemu.right(), true, "it runs", taken(qemu).bond()));
        }
        for (var right : List.copyOf(graves)) {
            machine.tell(world, new ReplicaInput.Found(right, false, "it ended"));
        }
        machine.hear(world, new TenureInput.Adopted());
    }

    /** Of a second one no packet gets out; a raise is undone. */
    private Part taken(Qemu qemu) {
        var part = qemu.part();
        boolean mute = part.isSecond() || part instanceof Part.Waits || part instanceof Part.Takes;
        put(qemu.muted(mute));
        if (part instanceof Part.Raises || part instanceof Part.Joins) {
            machine.works.add(new Work.Undo(qemu.right()));
        }
        return part;
    }

    private void launch(World world, RunRight right, int outcome) {
        int clock = machine.clock(world);
        int until = machine.leaseOf(world, right);
        if (!machine.setup.holds(Rule.LEASE_BEFORE_START)) {
            until = clock + machine.setup.lease();
        }
        if (outcome == 1) {
            failed(world, right, "it could not", true);
        } else if (until <= clock || machine.over.contains(right.incarnation())) {
            failed(world, right, "no live lease", true);
        } else if (newer(right)) {
            failed(world, right, "it comes too late", false);
        } else {
            killUpTo(world, right.vm(), right.epoch());
            if (world.locked(machine, right.vm())) {
                failed(world, right, "its disk is locked", true);
                return;
            }
            if (!boots(world, right)) {
                failed(world, right, "its disk is half a copy", true);
                return;
            }
            boolean left = outcome == 2;
            all.add(Qemu.started(right, left, until));
            if (left) {
                failed(world, right, "no answer in time", false);
            } else {
                machine.tell(world, new ReplicaInput.Started(right, 1, "it runs"));
            }
        }
    }

    boolean newer(RunRight right) {
        for (var qemu : all) {
            if (qemu.right().vm().equals(right.vm())
                    && qemu.right().epoch().isAfter(right.epoch())) {
                return true;
            }
        }
        return false;
    }

    /** Whether its disk here is one. */
    private boolean boots(World world, RunRight right) {
        if (!machine.setup.pairs()) {
            return true;
        }
        boolean ready =
                world.legs.readyToBoot(
                        machine.index,
                        machine.setup.vm(right.vm()),
                        machine.setup.holds(Rule.OVERLAYS_ARE_DISK));
        if (ready) {
            new Halves(world, machine).lacksNothing(right, "starts");
        }
        return ready;
    }

    private void failed(World world, RunRight right, String why, boolean neverRan) {
        machine.tell(world, new ReplicaInput.StartFailed(right, why, true, neverRan));
    }

    List<Object> key(int clock) {
        var now = new HashSet<Object>();
        for (var qemu : all) {
            now.add(qemu.relativeTo(clock));
        }
        return List.of(now, Set.copyOf(graves));
    }
}
