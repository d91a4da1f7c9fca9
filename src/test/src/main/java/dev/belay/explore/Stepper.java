package dev.belay.explore;

import dev.belay.decision.ServerInput;
import dev.belay.decision.TenureInput;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmState;
import dev.belay.explore.Mechanics.Fate;
import dev.belay.explore.Message.Pid;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Makes steps happen. One that cannot happen in this world is left out. */
final class Stepper {
    private final World world;
    private final Mechanics mechanics;
    private final NodeSteps nodes;

    /** What has happened, in order. */
    final List<Step> taken;

    Stepper(World world) {
        this(world, new ArrayList<>());
    }

    Stepper(World world, List<Step> taken) {
        this.world = world;
        this.mechanics = new Mechanics(world);
        this.nodes = new NodeSteps(world, mechanics);
        this.taken = taken;
    }

    /**
     * False: it cannot happen here, and nothing changed.
     *
     * @throws Broken a law does not hold any more
     */
    boolean take(Step step) {
        taken.add(step);
        if (!happens(step)) {
            taken.removeLast();
            return false;
        }
        Laws.check(world);
        forgetDeleted();
        return true;
    }

    /** With the VM its disks are forgotten; the next one of the name gets others. */
    private void forgetDeleted() {
        for (int vm = 0; world.setup.pairs() && vm < world.setup.vms().size(); vm++) {
            if (world.journal.vm(vm) instanceof VmState.Absent) {
                world.legs.forget(vm);
            }
        }
    }

    private boolean happens(Step step) {
        return switch (step.verb()) {
            case TICK -> tick();
            case DELIVER -> deliver(step.a(), Fate.values()[step.b()], step.c(), false);
            case DOUBLE -> deliver(step.a(), Fate.STORED, 0, true);
            case LOSE -> lose(step.a());
            case TIMER -> timer(world.pid(step.a()), step.b(), step.c());
            case RETRY -> retry(world.pid(step.a()), step.b());
            case RECOVER -> recover(world.pid(step.a()), step.b());
            case STOP -> stop(world.pid(step.a()), step.b());
            case LOOK -> look();
            case ASK, RENEW, CATCH_UP, WORK, MISS, AGENT, RELEASE, CONFIRM_OFF -> service(step);
            case REQUEST -> request(step.a(), Requests.values()[step.b()], step.c());
            case CRASH, START, FREEZE, THAW, POWER_OFF, POWER_ON, CUT, MEND, SLIP, ISLAND ->
                    nodes.node(step);
            case CUT_WIRE -> world.cutWires.add(World.Wire.of(step.a(), step.b()));
            case MEND_WIRE -> world.cutWires.remove(World.Wire.of(step.a(), step.b()));
            case SUSPEND,
                    RESUME,
                    STOP_QEMU,
                    CONTINUE_QEMU,
                    KILL_QEMU,
                    STOP_LEASH,
                    CONTINUE_LEASH,
                    KILL_LEASH,
                    PANIC,
                    DISK_FAILS,
                    POWERS_OFF ->
                    nodes.processes(step);
            case LISTEN ->
                    world.machines[step.a()].listen(
                            world, world.setup.vms().get(step.b()), step.c());
            case NOTICE, WRITE -> half(step);
        };
    }

    // ---- time and network

    private boolean tick() {
        world.now++;
        for (int i = 0; i < world.clocks.length; i++) {
            world.clocks[i]++;
            world.steady[i]++;
        }
        for (var machine : world.machines) {
            machine.processes.passTime(world);
        }
        if (world.setup.isCoarse()) {
            listen();
        }
        return true;
    }

    /** Once a tick by itself, so that a search has fewer steps to order. */
    private void listen() {
        for (var machine : world.machines) {
            for (var vm : world.setup.vms()) {
                machine.listen(world, vm, 0);
            }
        }
    }

    private boolean deliver(int id, Fate fate, int which, boolean again) {
        var envelope = world.message(id);
        if (envelope == null || !world.arrives(envelope)) {
            return false;
        }
        var message = envelope.message();
        var entity =
                switch (message) {
                    case Message.ToVm to -> world.instance(new Pid(true, to.vm()), which);
                    case Message.ToServer to -> world.instance(new Pid(false, to.server()), which);
                    case Message.ToNode _,
                            Message.Welcome _,
                            Message.LeaseReply _,
                            Message.LateAppend _ ->
                            null;
                };
        boolean toEntity = message instanceof Message.ToVm || message instanceof Message.ToServer;
        if (toEntity && (entity == null || !world.works(entity.node))) {
            return false;
        }
        if (!again) {
            world.network.remove(envelope);
        }
        switch (message) {
            case Message.ToVm(_, var input) ->
                    mechanics.hear(Objects.requireNonNull(entity), input, fate);
            case Message.ToServer(_, var input) ->
                    mechanics.hear(Objects.requireNonNull(entity), input, fate);
            case Message.ToNode(var server, var input) -> world.machines[server].hear(world, input);
            case Message.Welcome(var server, var admitted) ->
                    world.machines[server].welcome(world, admitted);
            case Message.LeaseReply reply -> world.machines[reply.server()].granted(world, reply);
            case Message.LateAppend(var pid, var base, var events) -> {
                var refused = world.journal.append(pid, base, events);
                world.say(() ->
                        world.name(pid)
                                + ": a late append is "
                                + (refused == null ? "stored" : "refused: " + refused));
            }
        }
        return true;
    }

    private boolean lose(int id) {
        var envelope = world.message(id);
        return envelope != null && world.network.remove(envelope);
    }

    // ---- entities

    private boolean timer(Pid pid, int which, int index) {
        var entity = world.instance(pid, which);
        if (entity == null || !world.works(entity.node) || entity.timers.size() <= index) {
            return false;
        }
        var timer = entity.timers.get(index);
        if (timer.due() > world.clocks[entity.node]) {
            return false;
        }
        entity.timers.remove(index);
        mechanics.hear(entity, timer.input(), Fate.STORED);
        return true;
    }

    private boolean retry(Pid pid, int which) {
        var entity = world.instance(pid, which);
        if (entity == null || !world.works(entity.node)) {
            return false;
        }
        mechanics.retry(entity);
        return true;
    }

    private boolean recover(Pid pid, int node) {
        if (world.instances(pid) >= 2 || !world.reachesQuorum(node)) {
            return false;
        }
        for (var entity : world.entities) {
            if (entity.pid.equals(pid) && entity.node == node) {
                return false;
            }
        }
        mechanics.recover(pid, node);
        return true;
    }

    private boolean stop(Pid pid, int which) {
        var entity = world.instance(pid, which);
        return entity != null && world.entities.remove(entity);
    }

    private boolean look() {
        var before = world.view;
        var seqs = world.seenSeqs;
        world.look();
        return !before.equals(world.view) || !Arrays.equals(seqs, world.seenSeqs);
    }

    private boolean request(int vm, Requests what, int which) {
        var entity = world.instance(new Pid(true, vm), which);
        if (entity == null || !world.works(entity.node)) {
            return false;
        }
        VmInput.Request input = what.of(world.setup.spec(world.setup.vms().get(vm)));
        mechanics.hear(entity, input, Fate.STORED);
        return true;
    }

    // ---- servers at work

    private boolean service(Step step) {
        return switch (step.verb()) {
            case ASK -> {
                if (!world.works(step.a() + 1)) {
                    yield false;
                }
                world.machines[step.a()].hear(world, new TenureInput.Tick());
                yield true;
            }
            case RENEW -> renew(world.machines[step.a()]);
            case CATCH_UP -> {
                world.remembered = world.journal.granted();
                yield !world.setup.holds(Rule.FRESH_GRANTS);
            }
            case WORK -> work(world.machines[step.a()], step.b(), step.c());
            case MISS -> miss(step);
            case AGENT -> agent(step.a(), step.b());
            case RELEASE -> operator(step.a(), new ServerInput.EndQuarantine());
            case CONFIRM_OFF -> confirmOff(world.machines[step.a()]);
            default -> throw new IllegalArgumentException(step.toString());
        };
    }

    private boolean miss(Step step) {
        var entity = world.instance(new Pid(false, step.a()), step.b());
        if (entity == null || !world.works(entity.node)) {
            return false;
        }
        mechanics.miss(entity, Fate.values()[step.c()]);
        return true;
    }

    /** A person looks before they speak, as a fence agent does. */
    private boolean confirmOff(Machine machine) {
        boolean answers = world.works(machine.node()) && !world.isApart(machine.node());
        boolean honest = !machine.powered || !world.setup.holds(Rule.HONEST_AGENT);
        return honest
                && operator(
                        machine.index,
                        new ServerInput.ConfirmOff(world.journal.newest(machine.index), answers));
    }

    private boolean operator(int server, ServerInput.Request request) {
        var entity = world.instance(new Pid(false, server), 0);
        if (entity == null || !world.works(entity.node)) {
            return false;
        }
        mechanics.hear(entity, request, Fate.STORED);
        return true;
    }

    private boolean renew(Machine machine) {
        if (machine.lease.equals(dev.belay.model.Incarnation.NONE)
                || !world.reachesQuorum(machine.node())) {
            return false;
        }
        boolean granted =
                world.setup.holds(Rule.FRESH_GRANTS)
                        ? world.journal.grants(machine.index, machine.lease)
                        : world.remembered[machine.index].equals(machine.lease);
        world.send(
                0,
                new Message.LeaseReply(
                        machine.index, machine.lease, granted, machine.clock(world)));
        return true;
    }

    private boolean work(Machine machine, int index, int outcome) {
        if (!world.works(machine.node()) || machine.works.size() <= index) {
            return false;
        }
        var work = machine.works.get(index);
        if (work instanceof Work.Await await
                && outcome == 0
                && new Halves(world, machine).mayStillSee(await)) {
            return false;
        }
        machine.processes.end(world, work, outcome);
        return true;
    }

    private boolean agent(int index, int outcome) {
        if (world.calls.size() <= index) {
            return false;
        }
        var call = world.calls.remove(index);
        var machine = world.machines[call.server()];
        if (call.answered()) {
            nodes.powerOff(machine);
            return true;
        }
        boolean off = outcome == 0;
        boolean lie = outcome == 2 && !world.setup.holds(Rule.HONEST_AGENT);
        if (off && world.setup.holds(Rule.SEEN_OFF)) {
            nodes.powerOff(machine);
        } else if (off) {
            world.calls.add(new World.AgentCall(call.server(), call.incarnation(), true));
        }
        world.say(() ->
                "fence agent of "
                        + machine.name()
                        + ": "
                        + (off ? "off" : lie ? "lies" : "failed"));
        world.send(
                0,
                new Message.ToServer(
                        call.server(),
                        new ServerInput.AgentAnswered(call.incarnation(), off || lie, "agent")));
        return true;
    }

    // ---- pairs

    private boolean half(Step step) {
        var machine = world.machines[step.a()];
        if (!machine.powered || machine.processes.all.size() <= step.b()) {
            return false;
        }
        var qemu = machine.processes.all.get(step.b());
        var halves = new Halves(world, machine);
        if (step.verb() == Step.Verb.NOTICE) {
            return world.works(machine.node()) && halves.notice(qemu, step.c() == 1);
        }
        var before = world.legs.key();
        halves.write(qemu);
        if (step.c() == 1) {
            halves.speak(qemu);
        }
        return !before.equals(world.legs.key());
    }
}
