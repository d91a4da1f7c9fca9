package dev.belay.explore;

import dev.belay.decision.TenureState;
import dev.belay.decision.VmState;
import dev.belay.explore.Mechanics.Fate;
import dev.belay.explore.Step.Verb;
import dev.belay.explore.World.Jvm;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * All that can happen next in a world, for the search that leaves nothing out. Left out is only
 * what would change nothing now: a question of which all know the answer. A message is not lost as
 * a step: it is as if it never arrived.
 */
final class Moves {
    private final World world;
    private final List<Step> moves = new ArrayList<>();

    private Moves(World world) {
        this.world = world;
    }

    static List<Step> of(World world) {
        var moves = new Moves(world);
        moves.plain();
        if (world.faults > 0) {
            moves.faults();
        }
        return moves.moves;
    }

    /** Whether it takes away from what a search may still break. */
    static boolean isFault(Step step) {
        return switch (step.verb()) {
            case TICK,
                    TIMER,
                    RETRY,
                    LOOK,
                    ASK,
                    RENEW,
                    CATCH_UP,
                    START,
                    THAW,
                    POWER_ON,
                    MEND,
                    RESUME,
                    CONTINUE_QEMU,
                    CONTINUE_LEASH,
                    WRITE,
                    MEND_WIRE ->
                    false;
            case LISTEN, NOTICE -> step.c() != 0;
            case RELEASE, CONFIRM_OFF -> false;
            case DELIVER -> step.b() != 0 || step.c() != 0;
            case WORK -> step.c() != 0;
            case AGENT -> step.b() == 2;
            case RECOVER -> false;
            case DOUBLE,
                    LOSE,
                    STOP,
                    MISS,
                    CRASH,
                    FREEZE,
                    POWER_OFF,
                    SUSPEND,
                    CUT,
                    STOP_QEMU,
                    KILL_QEMU,
                    STOP_LEASH,
                    KILL_LEASH,
                    PANIC,
                    DISK_FAILS,
                    POWERS_OFF,
                    SLIP,
                    REQUEST,
                    CUT_WIRE,
                    ISLAND ->
                    true;
        };
    }

    private void add(Verb verb, int... numbers) {
        moves.add(Step.of(verb, numbers));
    }

    private void plain() {
        add(Verb.TICK);
        for (var envelope : world.network) {
            if (world.arrives(envelope)) {
                add(Verb.DELIVER, envelope.id());
            }
        }
        if (world.isBehind()) {
            add(Verb.LOOK);
        }
        for (int pid = 0; pid < world.pids(); pid++) {
            int instances = world.instances(world.pid(pid));
            if (instances == 0) {
                add(Verb.RECOVER, pid, 0);
            }
            for (int which = 0; which < instances; which++) {
                if (isOpen(pid, which)) {
                    add(Verb.RETRY, pid, which);
                }
                var entity = Objects.requireNonNull(world.instance(world.pid(pid), which));
                for (int timer = 0; timer < entity.timers.size(); timer++) {
                    add(Verb.TIMER, pid, which, timer);
                }
            }
        }
        for (var machine : world.machines) {
            int server = machine.index;
            if (!isServed(machine)) {
                add(Verb.ASK, server);
            }
            if (machine.liveUntil - machine.clock(world) < world.setup.lease()
                    && !isAsked(server)) {
                add(Verb.RENEW, server);
            }
            for (int work = 0; work < machine.works.size(); work++) {
                add(Verb.WORK, server, work, 0);
            }
            add(Verb.POWER_ON, server);
            add(Verb.CONFIRM_OFF, server);
            boolean stopped = false;
            for (int i = 0; i < machine.processes.all.size(); i++) {
                var qemu = machine.processes.all.get(i);
                stopped |= qemu.stopped();
                if (qemu.leash() == Qemu.Leash.STOPPED) {
                    add(Verb.CONTINUE_LEASH, server, i);
                }
                if (qemu.stopped()) {
                    add(Verb.CONTINUE_QEMU, server, i);
                }
            }
            if (stopped && world.jvms[machine.node()] == Jvm.STOPPED) {
                add(Verb.RESUME, server);
            }
        }
        for (int node = 0; node < world.jvms.length; node++) {
            add(Verb.START, node);
            add(Verb.THAW, node);
            add(Verb.MEND, node);
        }
        for (int call = 0; call < world.calls.size(); call++) {
            add(Verb.AGENT, call, 0);
            add(Verb.AGENT, call, 1);
        }
        if (!world.setup.holds(Rule.FRESH_GRANTS)) {
            add(Verb.CATCH_UP);
        }
        if (world.setup.pairs()) {
            moves.addAll(PairMoves.plain(world));
        }
    }

    private boolean isServed(Machine machine) {
        return machine.tenure instanceof TenureState.Serving(var held)
                && world.journal.grants(machine.index, held);
    }

    private boolean isAsked(int server) {
        for (var envelope : world.network) {
            if (envelope.message() instanceof Message.LeaseReply reply
                    && reply.server() == server) {
                return true;
            }
        }
        return false;
    }

    /** Whether something is unanswered, or not as it is believed to be. */
    private boolean isOpen(int number, int which) {
        var pid = world.pid(number);
        var entity = Objects.requireNonNull(world.instance(pid, which));
        if (world.seenSeqs[number] > entity.seq) {
            return true;
        }
        if (world.setup.pairs() && entity.state instanceof VmState vm) {
            return PairMoves.isOpen(world, vm);
        }
        if (!(entity.state instanceof VmState.Running(_, var right))) {
            return pid.vm()
                    && !(entity.state instanceof VmState.Stopped
                            || entity.state instanceof VmState.Absent);
        }
        int server = world.setup.server(right.server());
        return !world.machines[server].processes.lists(right)
                || !world.journal.grants(server, right.incarnation());
    }

    private void faults() {
        for (var envelope : world.network) {
            if (world.arrives(envelope)) {
                add(Verb.DOUBLE, envelope.id());
                if (envelope.message() instanceof Message.ToVm
                        || envelope.message() instanceof Message.ToServer) {
                    for (var fate : List.of(Fate.LOST, Fate.ANSWER_LOST, Fate.LATE)) {
                        add(Verb.DELIVER, envelope.id(), fate.ordinal());
                    }
                    add(Verb.DELIVER, envelope.id(), 0, 1);
                }
            }
        }
        for (int pid = 0; pid < world.pids(); pid++) {
            if (world.instances(world.pid(pid)) == 1) {
                for (int node = 0; node < world.jvms.length; node++) {
                    add(Verb.RECOVER, pid, node);
                }
            }
            add(Verb.STOP, pid, 0);
        }
        for (int vm = 0; vm < world.setup.vms().size(); vm++) {
            for (var what : Requests.values()) {
                if (what != Requests.CREATE && (world.setup.pairs() || !what.isOfPairs())) {
                    add(Verb.REQUEST, vm, what.ordinal());
                }
            }
        }
        for (int node = 0; node < world.jvms.length; node++) {
            add(Verb.CRASH, node);
            add(Verb.FREEZE, node);
            for (int direction = 1; direction <= 3 && node > 0; direction++) {
                add(Verb.CUT, node, direction);
            }
            // A waiter's clock that runs fast, and a leash's that runs slow.
            add(Verb.SLIP, node, node == 0 ? 1 : -1);
        }
        for (var machine : world.machines) {
            servers(machine);
        }
        if (world.setup.pairs()) {
            moves.addAll(PairMoves.faults(world));
        }
        if (!world.setup.holds(Rule.HONEST_AGENT)) {
            for (int call = 0; call < world.calls.size(); call++) {
                add(Verb.AGENT, call, 2);
            }
        }
    }

    private void servers(Machine machine) {
        int server = machine.index;
        add(Verb.MISS, server, 0, 0);
        add(Verb.MISS, server, 0, Fate.LATE.ordinal());
        add(Verb.POWER_OFF, server);
        for (int work = 0; work < machine.works.size(); work++) {
            if (!(machine.works.get(work) instanceof Work.News)) {
                add(Verb.WORK, server, work, 1);
            }
            if (machine.works.get(work).mayLeaveSomething()) {
                add(Verb.WORK, server, work, 2);
            }
        }
        int replicas = machine.processes.all.size();
        if (replicas > 0) {
            add(Verb.SUSPEND, server);
        }
        for (int i = 0; i < replicas; i++) {
            add(Verb.STOP_QEMU, server, i);
            add(Verb.KILL_QEMU, server, i);
            add(Verb.STOP_LEASH, server, i);
            if (!world.setup.holds(Rule.LEASH)) {
                add(Verb.KILL_LEASH, server, i);
            }
            add(Verb.PANIC, server, i);
            add(Verb.DISK_FAILS, server, i);
        }
    }
}
