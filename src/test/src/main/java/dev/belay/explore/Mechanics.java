package dev.belay.explore;

import dev.belay.decision.Context;
import dev.belay.decision.Decision;
import dev.belay.decision.OutOfReach;
import dev.belay.decision.Proof;
import dev.belay.decision.ReplicaInput;
import dev.belay.decision.ServerAction;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.ServerHistory;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerLife;
import dev.belay.decision.ServerState;
import dev.belay.decision.TenureInput;
import dev.belay.decision.VmAction;
import dev.belay.decision.VmEvent;
import dev.belay.decision.VmHistory;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmLife;
import dev.belay.decision.VmState;
import dev.belay.explore.Message.Pid;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** The entities of a world: the shells of {@link VmLife} and {@link ServerLife}. */
final class Mechanics {
    /** What becomes of the append that a decision asks for. */
    enum Fate {
        STORED,
        /** It never reaches the journal; the writer gives up. */
        LOST,
        /** It is stored, but the answer is lost; the writer gives up. */
        ANSWER_LOST,
        /** The writer gives up, and it may be stored later. */
        LATE
    }

    /** What lasts an hour there lasts a minute here. */
    private static final Duration LONG = Duration.ofMinutes(1);

    private final World world;
    private final Setup setup;

    Mechanics(World world) {
        this.world = world;
        this.setup = world.setup;
    }

    void hear(Entity entity, Object input, Fate fate) {
        if (entity.pid.vm()) {
            var state = world.journal.believed(entity.pid.index(), (VmState) entity.state);
            var context = new Context(world.wall(), world.nodeName(entity.node), world.view);
            switch (VmLife.decide(state, context, taken((VmInput) input))) {
                case Decision.Accepted<VmEvent, VmAction>(var events, var actions) ->
                        accepted(entity, input, List.copyOf(events), actions, fate);
                case Decision.Ignored<VmEvent, VmAction> _ -> {}
                case Decision.Rejected<VmEvent, VmAction>(_, var why) ->
                        world.say(() -> world.name(entity.pid) + ": rejected: " + why);
            }
        } else {
            var state = (ServerState) entity.state;
            var name = setup.servers().get(entity.pid.index());
            if (ServerLife.decide(name, state, world.wall(), (ServerInput) input)
                    instanceof
                    Decision.Accepted<ServerEvent, ServerAction>(var events, var actions)) {
                accepted(entity, input, List.copyOf(events), actions, fate);
            }
        }
    }

    /** As an arbiter takes it that does not heed {@link Rule#LEASE_PROOF_OF_A_PAIR}. */
    private VmInput taken(VmInput input) {
        return input instanceof VmInput.FenceProved(var server, var incarnation, var proof)
                        && !setup.holds(Rule.LEASE_PROOF_OF_A_PAIR)
                ? new VmInput.FenceProved(
                        server,
                        incarnation,
                        new Proof(Proof.Kind.CLEANED, proof.detail(), proof.at()))
                : input;
    }

    private void accepted(
            Entity entity, Object input, List<Object> events, List<?> actions, Fate asked) {
        if (events.isEmpty()) {
            actions.forEach(action -> carryOut(entity, action));
            return;
        }
        boolean early = !setup.holds(Rule.STORE_FIRST);
        if (early) {
            actions.forEach(action -> carryOut(entity, action));
        }
        var fate = asked == Fate.STORED && !world.reachesQuorum(entity.node) ? Fate.LOST : asked;
        if (fate == Fate.LOST || fate == Fate.LATE) {
            if (fate == Fate.LATE) {
                world.send(entity.node, new Message.LateAppend(entity.pid, entity.seq, events));
            }
            stops(entity, input, "no answer from the journal");
            return;
        }
        var refused = world.journal.append(entity.pid, entity.seq, events);
        if (refused != null) {
            stops(entity, input, refused);
            return;
        }
        if (fate == Fate.ANSWER_LOST) {
            stops(entity, input, "the journal's answer was lost");
            return;
        }
        var before = entity.state;
        for (var event : events) {
            entity.state =
                    entity.pid.vm()
                            ? VmHistory.apply((VmState) entity.state, (VmEvent) event)
                            : ServerHistory.apply((ServerState) entity.state, (ServerEvent) event);
            entity.seq++;
            if (event instanceof ServerEvent.ServerAdmitted) {
                world.missed[entity.pid.index()] = -1;
            }
        }
        replayed(entity);
        world.say(() ->
                "%s: %s: %s"
                        .formatted(
                                world.name(entity.pid),
                                Words.of(input),
                                Words.change(before, entity.state)));
        if (!early) {
            actions.forEach(action -> carryOut(entity, action));
        }
        events.forEach(event -> misguide(entity, event));
    }

    /** What a wrong arbiter does besides. */
    private void misguide(Entity entity, Object event) {
        switch (event) {
            case VmEvent.SoloGranted(_, var winner, var loser, _)
                    when !setup.holds(Rule.ONE_GOES_ON) ->
                    carryOut(entity, new VmAction.GoSolo(loser, winner));
            case VmEvent.PairEnded(_, var primary, var secondary, _, _)
                    when !setup.holds(Rule.LOCKSTEP_BEFORE_PROMOTION) ->
                    carryOut(entity, new VmAction.GoSolo(secondary, primary));
            default -> {}
        }
    }

    /** An entity that knows all events is as if it had read them. */
    private void replayed(Entity entity) {
        if (entity.seq == world.journal.seq(entity.pid)
                && !entity.state.equals(world.journal.state(entity.pid))) {
            throw new Broken(
                    "a replay differs: %s is %s and the journal says %s"
                            .formatted(
                                    world.name(entity.pid),
                                    entity.state,
                                    world.journal.state(entity.pid)));
        }
    }

    private void stops(Entity entity, Object input, String why) {
        world.say(() ->
                "%s: %s: stops: %s"
                        .formatted(
                                world.name(entity.pid),
                                input instanceof String ? input : Words.of(input),
                                why));
        world.entities.remove(entity);
    }

    // ---- up and again

    void recover(Pid pid, int node) {
        var entity = new Entity(pid, node, world.journal.state(pid), world.journal.seq(pid));
        world.entities.add(entity);
        // One that does not exist is looked for every second.
        if (!(entity.state instanceof VmState.Absent)) {
            world.say(() ->
                    "%s: comes up on %s in %s"
                            .formatted(
                                    world.name(pid),
                                    world.nodeName(node),
                                    Words.state(entity.state)));
        }
        pending(entity);
    }

    private void pending(Entity entity) {
        if (entity.pid.vm()) {
            VmLife.pending((VmState) entity.state).forEach(action -> carryOut(entity, action));
        } else {
            ServerLife.pending((ServerState) entity.state)
                    .forEach(action -> carryOut(entity, action));
        }
    }

    void retry(Entity entity) {
        if (world.seenSeqs[world.number(entity.pid)] > entity.seq) {
            stops(entity, "Tick", "the journal has news from another instance");
        } else if (entity.pid.vm() && entity.state instanceof VmState.Absent) {
            world.entities.remove(entity);
        } else if (entity.pid.vm()) {
            pending(entity);
            hear(entity, new VmInput.Tick(), Fate.STORED);
        }
    }

    /** The arbiter misses a server, rightly or not. */
    void miss(Entity entity, Fate fate) {
        int server = entity.pid.index();
        if (!(entity.state instanceof ServerState.Live live)) {
            return;
        }
        if (world.missed[server] < 0) {
            world.missed[server] = world.clocks[entity.node];
        }
        int known = 0;
        int lost = 1;
        for (int i = 0; i < setup.servers().size(); i++) {
            if (!(world.journal.server(i) instanceof ServerState.Unknown)) {
                known++;
                if (i != server && (!world.works(i + 1) || world.isApart(i + 1))) {
                    lost++;
                }
            }
        }
        boolean frozen = lost >= 2 && lost * 2 > known;
        int told = setup.holds(Rule.FREEZE) ? lost : 1;
        var incarnation = live.server().incarnation();
        boolean wasLive = world.journal.server(server) instanceof ServerState.Live;
        hear(
                entity,
                new ServerInput.Lost(
                        incarnation,
                        List.of(),
                        told,
                        known,
                        true,
                        OutOfReach.isAll(live, vm -> world.journal.vm(setup.vm(vm)), this::isAway)),
                fate);
        if (frozen && wasLive && world.journal.server(server) instanceof ServerState.Fencing) {
            throw new Broken(
                    "%s is fenced although %d of %d servers vanished at once"
                            .formatted(setup.servers().get(server), lost, known));
        }
    }

    private boolean isAway(RunRight half) {
        int there = setup.server(half.server());
        return (!world.works(there + 1) || world.isApart(there + 1))
                && world.journal.newest(there).equals(half.incarnation());
    }

    // ---- actions

    private void carryOut(Entity entity, Object action) {
        if (action instanceof VmAction of) {
            carryOut(entity, of);
        } else {
            carryOut(entity, (ServerAction) action);
        }
    }

    private void carryOut(Entity entity, VmAction action) {
        int vm = entity.pid.index();
        var name = setup.vms().get(vm);
        switch (action) {
            case VmAction.Reserve(var server, var epoch, var memory) ->
                    toServer(entity, server, new ServerInput.Reserve(name, epoch, memory));
            case VmAction.Release(var server, var upTo) ->
                    toServer(entity, server, new ServerInput.Release(name, upTo));
            case VmAction.AskStanding(var server, var incarnation) ->
                    toServer(entity, server, new ServerInput.AskStanding(name, incarnation));
            case VmAction.AwaitLockstep(var secondary, var primary)
                    when !setup.holds(Rule.SEEN_AT_BOTH) ->
                    world.send(
                            entity.node,
                            new Message.ToVm(vm, new VmInput.LockstepSeen(primary, secondary)));
            case VmAction.Order order -> order(entity, order.right(), action);
            case VmAction.WakeAfter(var pause, var epoch) ->
                    timer(entity, action, new VmInput.BackOffOver(epoch), pause);
            case VmAction.OverdueAfter(var limit, var secondary) ->
                    timer(entity, action, new VmInput.RaiseOverdue(secondary), limit);
            case VmAction.HandOverAfter(var limit, var primary, var secondary, var asked) ->
                    timer(entity, action, new VmInput.HandOver(primary, secondary, asked), limit);
            case VmAction.OutliveAfter(var partner) ->
                    entity.timer(
                            action,
                            new VmInput.Outlived(partner),
                            world.clocks[entity.node] + setup.proofWait());
            case VmAction.InsistAfter(var patience, var epoch) ->
                    timer(entity, action, new VmInput.Insist(epoch), patience);
            case VmAction.SettleAfter(var run, var epoch) ->
                    timer(entity, action, new VmInput.Settled(epoch), run);
        }
    }

    private void toServer(Entity entity, ServerName server, ServerInput input) {
        world.send(entity.node, new Message.ToServer(setup.server(server), input));
    }

    private void order(Entity entity, RunRight right, VmAction action) {
        world.send(
                entity.node,
                new Message.ToNode(setup.server(right.server()), new TenureInput.Ordered(action)));
    }

    private void timer(Entity entity, Object key, Object input, Duration pause) {
        int ticks = Math.max(1, (int) pause.toSeconds() * setup.second());
        entity.timer(key, input, world.clocks[entity.node] + ticks);
    }

    private void carryOut(Entity entity, ServerAction action) {
        int server = entity.pid.index();
        switch (action) {
            case ServerAction.Welcome(var admitted) ->
                    world.send(entity.node, new Message.Welcome(server, admitted));
            case ServerAction.TellClean(_, var upTo, var fenced) ->
                    toNode(entity, new TenureInput.MustClean(upTo, fenced));
            case ServerAction.AwaitLease(var incarnation, var wait) ->
                    await(entity, action, incarnation, wait.orElseThrow());
            case ServerAction.CallFenceAgent(_, var incarnation) -> {
                if (setup.agents() && !entity.agentCalledFor.equals(incarnation)) {
                    entity.agentCalledFor = incarnation;
                    world.calls.add(new World.AgentCall(server, incarnation, false));
                }
            }
            case ServerAction.CallOffFenceAgent _ ->
                    world.calls.removeIf(call -> call.server() == server && !call.answered());
            case ServerAction.AgeLoss(var number) ->
                    timer(entity, action, new ServerInput.LossAged(number), LONG);
            case ServerAction.CoolDown(var incarnation) ->
                    timer(entity, action, new ServerInput.CooledDown(incarnation), LONG);
            case ServerAction.TellVm(var vm, var news) ->
                    world.send(entity.node, new Message.ToVm(setup.vm(vm), news));
        }
    }

    private void toNode(Entity entity, TenureInput input) {
        world.send(entity.node, new Message.ToNode(entity.pid.index(), input));
    }

    private void await(Entity entity, Object key, Incarnation incarnation, Duration told) {
        int clock = world.clocks[entity.node];
        int from =
                setup.holds(Rule.WAIT_FROM_THE_COMMIT) || world.missed[entity.pid.index()] < 0
                        ? clock
                        : world.missed[entity.pid.index()];
        int wait = setup.holds(Rule.WAIT_FOR_THE_LEASE) ? (int) told.toSeconds() : 0;
        entity.timer(key, new ServerInput.LeaseWaited(incarnation, "waited"), from + wait);
    }

    /** What a hypervisor notices of a guest. */
    void trouble(Machine machine, Qemu qemu, boolean disk) {
        if (world.jvms[machine.node()] != World.Jvm.DOWN && !qemu.starting()) {
            var right = qemu.right();
            machine.works.add(
                    new Work.News(
                            new ReplicaInput.InTrouble(
                                    right,
                                    disk
                                            ? new VmInput.DiskFailed(right, "root", "it is broken")
                                            : new VmInput.GuestPanicked(right))));
        }
    }

    Entity entity(Pid pid, int which) {
        return Objects.requireNonNull(world.instance(pid, which));
    }
}
