package dev.belay.explore;

import dev.belay.decision.VmInput;
import dev.belay.explore.World.Jvm;
import java.util.List;

/** What happens to nodes and to the processes on servers. */
final class NodeSteps {
    private final World world;
    private final Mechanics mechanics;

    NodeSteps(World world, Mechanics mechanics) {
        this.world = world;
        this.mechanics = mechanics;
    }

    // ---- nodes

    boolean node(Step step) {
        int node = step.a();
        return switch (step.verb()) {
            case CRASH -> world.jvms[node] != Jvm.DOWN && world.hasPower(node) && crash(node);
            case START -> world.jvms[node] == Jvm.DOWN && world.hasPower(node) && start(node);
            case FREEZE -> change(node, Jvm.UP, Jvm.STOPPED);
            case THAW -> change(node, Jvm.STOPPED, Jvm.UP);
            case POWER_OFF -> world.machines[node].powered && powerOff(world.machines[node]);
            case POWER_ON -> {
                if (world.machines[node].powered) {
                    yield false;
                }
                world.machines[node].powerOn();
                yield true;
            }
            case CUT -> {
                world.outCut[node] |= (step.b() & 1) != 0;
                world.inCut[node] |= (step.b() & 2) != 0;
                yield true;
            }
            case MEND -> {
                boolean cut = world.isCut(node) || world.nets[node] != World.MAIN;
                world.nets[node] = World.MAIN;
                world.outCut[node] = false;
                world.inCut[node] = false;
                yield cut;
            }
            case ISLAND -> {
                int before = world.nets[node];
                world.nets[node] = step.b() == 1 ? World.MAIN | World.ISLAND : World.ISLAND;
                yield before != world.nets[node];
            }
            case SLIP -> slip(node, step.b());
            default -> throw new IllegalArgumentException(step.toString());
        };
    }

    private boolean crash(int node) {
        if (node == 0) {
            world.jvms[0] = Jvm.DOWN;
        } else {
            world.machines[node - 1].processEnds(world);
        }
        world.entities.removeIf(entity -> entity.node == node);
        return true;
    }

    private boolean start(int node) {
        if (node == 0) {
            world.jvms[0] = Jvm.UP;
        } else {
            world.machines[node - 1].processStarts(world);
        }
        return true;
    }

    private boolean change(int node, Jvm from, Jvm to) {
        if (world.jvms[node] != from) {
            return false;
        }
        world.jvms[node] = to;
        return true;
    }

    boolean powerOff(Machine machine) {
        if (machine.powered) {
            machine.powerOff(world);
            world.entities.removeIf(entity -> entity.node == machine.node());
        }
        return true;
    }

    /** Clocks run apart, but not more than the margin allows for. */
    private boolean slip(int node, int by) {
        if (world.steady[node] < world.setup.slipEvery() || Math.abs(by) != 1) {
            return false;
        }
        world.steady[node] = 0;
        world.clocks[node] += by;
        if (node > 0) {
            world.machines[node - 1].processes.passTime(world);
        }
        return true;
    }

    // ---- processes

    boolean processes(Step step) {
        var machine = world.machines[step.a()];
        var all = machine.processes.all;
        if (!machine.powered) {
            return false;
        }
        if (step.verb() == Step.Verb.SUSPEND || step.verb() == Step.Verb.RESUME) {
            return suspend(machine, step.verb() == Step.Verb.SUSPEND);
        }
        if (all.size() <= step.b()) {
            return false;
        }
        var qemu = all.get(step.b());
        return switch (step.verb()) {
            case STOP_QEMU -> change(all, step.b(), qemu, qemu.stopped(true));
            case CONTINUE_QEMU -> change(all, step.b(), qemu, qemu.stopped(false));
            case STOP_LEASH -> change(all, step.b(), qemu, qemu.leash(Qemu.Leash.STOPPED));
            case CONTINUE_LEASH -> change(all, step.b(), qemu, qemu.leash(Qemu.Leash.WATCHES));
            case KILL_LEASH -> {
                // QEMU's parent: its death is QEMU's.
                if (world.setup.holds(Rule.LEASH)) {
                    machine.processes.kill(world, qemu, VmInput.Cause.DIED);
                } else {
                    all.set(step.b(), qemu.leash(Qemu.Leash.GONE));
                }
                yield true;
            }
            case KILL_QEMU -> {
                machine.processes.kill(world, qemu, VmInput.Cause.DIED);
                yield true;
            }
            case POWERS_OFF -> {
                machine.processes.kill(world, qemu, VmInput.Cause.POWERED_OFF);
                yield true;
            }
            case PANIC, DISK_FAILS -> {
                mechanics.trouble(machine, qemu, step.verb() == Step.Verb.DISK_FAILS);
                yield true;
            }
            default -> throw new IllegalArgumentException(step.toString());
        };
    }

    private static boolean change(List<Qemu> all, int index, Qemu before, Qemu after) {
        all.set(index, after);
        return !before.equals(after);
    }

    /** What was asleep goes on at once; what is due is done with the next tick. */
    private boolean suspend(Machine machine, boolean asleep) {
        int node = machine.node();
        if (world.jvms[node] == (asleep ? Jvm.STOPPED : Jvm.UP)) {
            return false;
        }
        if (world.jvms[node] != Jvm.DOWN) {
            world.jvms[node] = asleep ? Jvm.STOPPED : Jvm.UP;
        }
        machine.processes.all.replaceAll(qemu ->
                qemu.stopped(asleep)
                        .leash(
                                qemu.leash() == Qemu.Leash.GONE
                                        ? Qemu.Leash.GONE
                                        : asleep ? Qemu.Leash.STOPPED : Qemu.Leash.WATCHES));
        return true;
    }
}
