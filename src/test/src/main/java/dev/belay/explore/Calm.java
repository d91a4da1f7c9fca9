package dev.belay.explore;

import dev.belay.decision.ServerState;
import dev.belay.decision.VmState;
import dev.belay.explore.Message.Pid;
import dev.belay.explore.Step.Verb;
import dev.belay.explore.World.Jvm;
import java.util.List;
import java.util.function.Predicate;

/** A world in which everything that is not broken does what it should, in a fixed order. */
final class Calm {
    /** What a fence agent does when it is called. */
    enum Agent {
        WORKS,
        FAILS,
        HANGS,
        LIES
    }

    private static final int MOST_MESSAGES = 500;

    /** Until all run on two servers. */
    private static final int MOST_ROUNDS = 12;

    private final World world;
    private final Stepper stepper;
    Agent agent = Agent.FAILS;

    /** Ticks that a server is away before it is missed. */
    int patience = 3;

    private final int[] away;

    /** Asked before each step of a round: false leaves it for later. */
    Predicate<Step> allows = _ -> true;

    Calm(World world, Stepper stepper) {
        this.world = world;
        this.stepper = stepper;
        away = new int[world.machines.length];
    }

    /**
     * Ends all faults: what is off is switched on, what is cut is mended, what is stopped goes on.
     */
    void heal() {
        for (int node = 0; node < world.jvms.length; node++) {
            if (node > 0) {
                take(Verb.POWER_ON, node - 1);
                take(Verb.RESUME, node - 1);
                for (int i = 0; i < world.machines[node - 1].processes.all.size(); i++) {
                    take(Verb.CONTINUE_QEMU, node - 1, i);
                    take(Verb.CONTINUE_LEASH, node - 1, i);
                }
            }
            if (node > 0 && isQuarantined(node - 1)) {
                take(Verb.RELEASE, node - 1);
            }
            take(Verb.MEND, node);
            for (var wire : List.copyOf(world.cutWires)) {
                take(Verb.MEND_WIRE, wire.one(), wire.other());
            }
            take(Verb.THAW, node);
            if (world.jvms[node] == Jvm.DOWN) {
                take(Verb.START, node);
            }
        }
    }

    private boolean isQuarantined(int server) {
        return world.journal.server(server) instanceof ServerState.Known known
                && known.losses().quarantined();
    }

    /** All nodes come up, and every VM is created and runs. */
    void begin() {
        heal();
        for (int round = 0; round < 4; round++) {
            round();
        }
        for (int vm = 0; vm < world.setup.vms().size(); vm++) {
            take(Verb.REQUEST, vm, Requests.CREATE.ordinal());
        }
        for (int round = 0; round < 4 || (round < MOST_ROUNDS && !isRunning()); round++) {
            round();
        }
    }

    private boolean isRunning() {
        for (int vm = 0; world.setup.pairs() && vm < world.setup.vms().size(); vm++) {
            if (!(world.journal.vm(vm) instanceof VmState.Lockstep)) {
                return false;
            }
        }
        return true;
    }

    /** One tick, with all that happens in it. */
    void round() {
        recover();
        take(Verb.LOOK);
        take(Verb.CATCH_UP);
        for (var machine : world.machines) {
            take(Verb.RENEW, machine.index);
            if (world.now % 2 == 0) {
                take(Verb.ASK, machine.index);
            }
        }
        if (world.now % 2 == 0) {
            for (int pid = 0; pid < world.pids(); pid++) {
                for (int which = 0; which < world.instances(world.pid(pid)); which++) {
                    take(Verb.RETRY, pid, which);
                }
            }
        }
        watch();
        if (world.setup.pairs()) {
            halves();
        }
        agents();
        settle();
        timers();
        settle();
        take(Verb.TICK);
    }

    private void recover() {
        for (int pid = 0; pid < world.pids(); pid++) {
            // Sharding leaves one of them, and not always the one that knows all.
            if (world.instances(world.pid(pid)) > 1) {
                take(Verb.STOP, pid, 0);
            }
            var entity = world.instance(world.pid(pid), 0);
            if (entity != null && !world.reachesQuorum(entity.node)) {
                take(Verb.STOP, pid, 0);
                entity = null;
            }
            for (int node = 0; entity == null && node < world.jvms.length; node++) {
                if (take(Verb.RECOVER, pid, node)) {
                    break;
                }
            }
        }
    }

    /** What the arbiters' membership sees: one that is away for a while is missed. */
    private void watch() {
        for (var machine : world.machines) {
            int node = machine.node();
            boolean there = world.works(node) && !world.isApart(node);
            away[machine.index] = there ? 0 : away[machine.index] + 1;
            if (away[machine.index] >= patience
                    && world.journal.server(machine.index) instanceof ServerState.Live) {
                take(Verb.MISS, machine.index, 0);
            }
        }
    }

    /** What guests do, and what the halves of pairs see of each other. */
    private void halves() {
        for (var machine : world.machines) {
            for (int vm = 0; vm < world.setup.vms().size(); vm++) {
                take(Verb.LISTEN, machine.index, vm);
            }
            for (int i = 0; i < machine.processes.all.size(); i++) {
                take(Verb.NOTICE, machine.index, i);
                take(Verb.WRITE, machine.index, i, 1);
            }
        }
    }

    private void agents() {
        if (agent == Agent.HANGS) {
            return;
        }
        int outcome =
                switch (agent) {
                    case WORKS -> 0;
                    case FAILS, HANGS -> 1;
                    case LIES -> 2;
                };
        for (int call = world.calls.size() - 1; call >= 0; call--) {
            take(Verb.AGENT, call, outcome);
        }
    }

    /** Whatever is on its way arrives, and whatever is being done is done. */
    private void settle() {
        int messages = 0;
        boolean moved = true;
        while (moved && messages < MOST_MESSAGES) {
            moved = false;
            for (var machine : world.machines) {
                int work = 0;
                moved |= see(machine);
                while (world.works(machine.node()) && machine.works.size() > work) {
                    if (take(Verb.WORK, machine.index, work, 0)) {
                        moved = true;
                    } else {
                        work++;
                    }
                }
            }
            for (var envelope : List.copyOf(world.network)) {
                if (take(Verb.DELIVER, envelope.id())) {
                    messages++;
                    moved = true;
                    recoverStopped();
                }
            }
        }
    }

    /** Whether a second one sees that it is in lockstep; it looks many times in a tick. */
    private boolean see(Machine machine) {
        boolean seen = false;
        for (int i = 0; i < machine.processes.all.size(); i++) {
            seen |=
                    machine.processes.all.get(i).part() instanceof Part.Filled
                            && take(Verb.NOTICE, machine.index, i);
        }
        return seen;
    }

    private void recoverStopped() {
        for (int pid = 0; pid < world.pids(); pid++) {
            if (world.instances(world.pid(pid)) == 0) {
                recover();
                return;
            }
        }
    }

    private void timers() {
        for (int pid = 0; pid < world.pids(); pid++) {
            Pid id = world.pid(pid);
            for (int timer = 0; ; timer++) {
                var entity = world.instance(id, 0);
                if (entity == null || entity.timers.size() <= timer) {
                    break;
                }
                if (take(Verb.TIMER, pid, 0, timer)) {
                    timer--;
                }
            }
        }
    }

    boolean take(Verb verb, int... numbers) {
        var step = Step.of(verb, numbers);
        return allows.test(step) && stepper.take(step);
    }
}
