package dev.belay.explore;

import dev.belay.decision.ReplicaCommand;
import dev.belay.decision.ReplicaInput;
import dev.belay.decision.ReplicaLife;
import dev.belay.decision.ReplicaState;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerState;
import dev.belay.decision.Tenure;
import dev.belay.decision.TenureCommand;
import dev.belay.decision.TenureInput;
import dev.belay.decision.TenureState;
import dev.belay.decision.VmAction;
import dev.belay.decision.VmInput;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A server: power, the node's process with the shipped {@link Tenure} and {@link ReplicaLife} in
 * it, the lease that it keeps, and its disk. What it runs is in {@link Processes}. The shells of
 * the two cores and the lease keeper are imitated: they have no rules beyond "in this order".
 */
final class Machine {
    final int index;
    final Setup setup;
    final Processes processes;
    boolean powered = true;
    int boot = 1;
    TenureState tenure = new TenureState.Adopting(Incarnation.NONE, false, false);
    final Map<VmName, ReplicaState> replicas;

    /** What the lease keeper renews. */
    Incarnation lease = Incarnation.NONE;

    int liveUntil;

    /** By incarnation, as the hypervisor was told. */
    final Map<Incarnation, Integer> grants;

    /** Cleaned by this process: nothing of them starts or is extended. */
    final Set<Incarnation> over;

    final List<Work> works;

    /** What is heard of the other ones of pairs, by this process. */
    private final Map<VmName, Ear> ears;

    // the disk
    private Incarnation savedIncarnation = Incarnation.NONE;
    private boolean savedClean;
    private int savedBoot = 1;
    final Map<VmName, Epoch> floors;

    Machine(int index, Setup setup) {
        this.index = index;
        this.setup = setup;
        processes = new Processes(this);
        replicas = new HashMap<>();
        grants = new HashMap<>();
        over = new HashSet<>();
        works = new ArrayList<>();
        ears = new HashMap<>();
        floors = new HashMap<>();
    }

    private Machine(Machine other) {
        index = other.index;
        setup = other.setup;
        processes = new Processes(this, other.processes);
        powered = other.powered;
        boot = other.boot;
        tenure = other.tenure;
        replicas = new HashMap<>(other.replicas);
        lease = other.lease;
        liveUntil = other.liveUntil;
        grants = new HashMap<>(other.grants);
        over = new HashSet<>(other.over);
        works = new ArrayList<>(other.works);
        ears = new HashMap<>(other.ears);
        savedIncarnation = other.savedIncarnation;
        savedClean = other.savedClean;
        savedBoot = other.savedBoot;
        floors = new HashMap<>(other.floors);
    }

    Machine copy() {
        return new Machine(this);
    }

    int node() {
        return index + 1;
    }

    String name() {
        return setup.servers().get(index).value();
    }

    int clock(World world) {
        return world.clocks[node()];
    }

    // ---- power and process

    void powerOff(World world) {
        powered = false;
        processes.all.clear();
        processes.graves.clear();
        processEnds(world);
    }

    void powerOn() {
        powered = true;
        boot++;
    }

    void processEnds(World world) {
        world.jvms[node()] = World.Jvm.DOWN;
        works.clear();
        replicas.clear();
        tenure = new TenureState.Adopting(Incarnation.NONE, false, false);
        // An answer goes to the process that asked.
        world.network.removeIf(envelope ->
                envelope.message() instanceof Message.LeaseReply reply && reply.server() == index);
        lease = Incarnation.NONE;
        liveUntil = 0;
        grants.clear();
        over.clear();
        ears.clear();
    }

    void processStarts(World world) {
        world.jvms[node()] = World.Jvm.UP;
        tenure = new TenureState.Adopting(savedIncarnation, savedClean, savedBoot != boot);
        boolean usable = savedBoot == boot && !savedClean;
        lease = usable ? savedIncarnation : Incarnation.NONE;
        if (!setup.holds(Rule.FLOOR_ON_DISK)) {
            floors.clear();
        }
        if (!setup.holds(Rule.ADOPTION_EXTENDS_NOTHING)) {
            processes.extendAll(clock(world) + setup.lease());
        }
        works.add(new Work.Adopt());
    }

    // ---- the lease keeper

    /** Until when the hypervisor may run something of this right; now or before: not at all. */
    int leaseOf(World world, RunRight right) {
        int clock = clock(world);
        return over.contains(right.incarnation())
                ? clock
                : grants.getOrDefault(right.incarnation(), clock);
    }

    void granted(World world, Message.LeaseReply reply) {
        if (!reply.incarnation().equals(lease)) {
            return;
        }
        if (!reply.granted()) {
            lease = Incarnation.NONE;
            liveUntil = 0;
            hear(world, new TenureInput.LeaseRefused(reply.incarnation()));
            return;
        }
        int from = setup.holds(Rule.LEASE_FROM_SENDING) ? reply.sent() : clock(world);
        int until = from + setup.lease();
        liveUntil = Math.max(liveUntil, until);
        if (!over.contains(lease)) {
            grants.merge(lease, until, Math::max);
            processes.extend(lease, until);
        }
    }

    boolean leaseLive(World world) {
        return clock(world) < liveUntil;
    }

    // ---- the shell of Tenure

    void welcome(World world, ServerState.Server admitted) {
        if (admitted.admits("boot-" + boot, setup.terms())) {
            hear(world, new TenureInput.Welcome(admitted.incarnation()));
        }
    }

    void hear(World world, TenureInput input) {
        if (!setup.holds(Rule.RIGHT_INCARNATION)
                && input instanceof TenureInput.Ordered(var order)
                && order instanceof VmAction.StartReplica) {
            pass(world, order);
            return;
        }
        var turn = Tenure.decide(tenure, input);
        world.tell(node(), tenure, input, turn.state());
        tenure = turn.state();
        for (var command : turn.commands()) {
            carryOut(world, command);
        }
    }

    private void carryOut(World world, TenureCommand command) {
        switch (command) {
            case TenureCommand.Keep(var incarnation, var clean) -> {
                savedIncarnation = incarnation;
                savedClean = clean && setup.holds(Rule.CLEAN_ON_DISK);
                savedBoot = boot;
            }
            case TenureCommand.HoldLease(var incarnation) -> {
                if (!lease.equals(incarnation)) {
                    lease = incarnation;
                    liveUntil = 0;
                }
            }
            case TenureCommand.Join(var holding, var clean) ->
                    world.send(
                            node(),
                            new Message.ToServer(
                                    index,
                                    new ServerInput.Join(
                                            "boot-" + boot,
                                            Setup.SERVER_MEMORY,
                                            holding,
                                            clean,
                                            setup.terms(),
                                            Optional.empty())));
            case TenureCommand.Adopt() -> {
                if (!works.contains(new Work.Adopt())) {
                    works.add(new Work.Adopt());
                }
            }
            case TenureCommand.Clean _ -> {
                over.addAll(grants.keySet());
                replicas.clear();
                ears.clear();
                works.clear();
                if (setup.holds(Rule.CLEAN_BEFORE_SUCCESSION)) {
                    works.add(new Work.Clean());
                } else {
                    hear(world, new TenureInput.CleanDone());
                }
            }
            case TenureCommand.Pass(var order) -> pass(world, order);
        }
    }

    private void pass(World world, VmAction order) {
        switch (order) {
            case VmAction.StartReplica(var right, var spec) ->
                    tell(
                            world,
                            new ReplicaInput.Start(
                                    right,
                                    spec,
                                    leaseLive(world) || !setup.holds(Rule.LEASE_BEFORE_START)));
            case VmAction.StopReplica(var right, var kill) ->
                    tell(world, new ReplicaInput.Stop(right, kill));
            case VmAction.Confirm(var right, _) ->
                    tell(world, new ReplicaInput.Confirm(right, processes.lists(right)));
            case VmAction.ConfirmLockstep(var right, var partner) ->
                    tell(
                            world,
                            new ReplicaInput.Confirm(
                                    right, processes.lists(right), Optional.of(partner)));
            case VmAction.PrepareSecondary(var secondary, var primary, var spec) ->
                    tell(
                            world,
                            new ReplicaInput.Start(
                                    secondary, spec, leaseLive(world), Optional.of(primary)));
            case VmAction.AwaitLockstep(var secondary, var primary) ->
                    tell(world, new ReplicaInput.AwaitLockstep(secondary, primary));
            case VmAction.RaisePair(var primary, var secondary, var at) ->
                    tell(world, new ReplicaInput.RaisePair(primary, secondary, at));
            // What a checkpoint is good for the explorer does not model.
            case VmAction.PassCheckpoint(var primary, var secondary, var asked) ->
                    send(world, primary.vm(), new VmInput.HandOver(primary, secondary, asked));
            case VmAction.GoSolo(var winner, var loser) ->
                    tell(world, new ReplicaInput.GoSolo(winner, loser));
            default -> throw new Broken("not an order for a server: " + order);
        }
    }

    // ---- the shell of ReplicaLife

    void tell(World world, ReplicaInput input) {
        var vm = input.right().vm();
        var known =
                replicas.getOrDefault(vm, ReplicaState.of(vm, floors.getOrDefault(vm, Epoch.NONE)));
        var turn = ReplicaLife.decide(known, input);
        world.tell(node(), known.standing(), input, turn.state().standing());
        replicas.put(vm, turn.state());
        for (var command : turn.commands()) {
            carryOut(world, vm, turn.state(), command);
        }
        turn.state()
                .bond()
                .ifPresentOrElse(
                        bond -> ears.merge(vm, Ear.of(bond, clock(world)), Ear::of),
                        () -> ears.remove(vm));
    }

    /** Trouble of a replica is told once, and again when it is asked for. */
    boolean isInTrouble(RunRight right) {
        var known = replicas.get(right.vm());
        return known == null
                || !(known.standing() instanceof ReplicaState.Runs runs)
                || !runs.right().equals(right)
                || runs.trouble().isPresent();
    }

    // ---- the shell of PairSilence

    /**
     * False: there is none to listen to.
     *
     * @param how 1: what the other one said since is lost; 2: that it vouches comes late
     */
    boolean listen(World world, VmName vm, int how) {
        var ear = ears.get(vm);
        if (ear == null || !world.works(node())) {
            return false;
        }
        var bond = ear.bond();
        var there = world.machines[setup.server(bond.partner().server())];
        boolean heard =
                how != 1
                        && world.linked(index, there.index)
                        && world.works(there.node())
                        && there.ears.get(vm) instanceof Ear other
                        && other.beatsFor(bond);
        var look = ear.look(clock(world), heard);
        ears.put(vm, look.next());
        ear.vouched().ifPresent(asked -> livesOn(vm, asked));
        if (heard && !look.next().isTold() && there.vouches(bond.partner(), bond.own())) {
            if (how == 2) {
                ears.put(vm, look.next().with(Optional.of(clock(world))));
            } else {
                ears.put(vm, look.next().with(Optional.empty()));
                livesOn(vm, clock(world));
            }
        }
        if (look.silent()) {
            new Halves(world, this).lost(bond.own(), bond.partner());
        }
        return true;
    }

    /** Whether it runs here in lockstep with that one, for all that this server knows. */
    private boolean vouches(RunRight right, RunRight partner) {
        var qemu = processes.find(right);
        var ear = ears.get(right.vm());
        return qemu != null
                && qemu.stored()
                && qemu.part().isKnownInLockstep()
                && qemu.part().partner().filter(partner::equals).isPresent()
                && !over.contains(right.incarnation())
                && ear != null
                && ear.bond().own().equals(right)
                && !ear.isTold()
                && !isInTrouble(right);
    }

    /** By the other one's word, for a lease from when it was asked. */
    private void livesOn(VmName vm, int asked) {
        var bond = java.util.Objects.requireNonNull(ears.get(vm)).bond();
        var qemu = processes.find(bond.own());
        if (qemu != null && vouches(bond.own(), bond.partner())) {
            processes.put(qemu.granted(asked + setup.lease()));
        }
    }

    private void carryOut(World world, VmName vm, ReplicaState state, ReplicaCommand command) {
        switch (command) {
            case ReplicaCommand.KeepFloor(var floor) -> floors.put(vm, floor);
            case ReplicaCommand.Launch(var right, _) -> works.add(new Work.Launch(right));
            case ReplicaCommand.End(var right, _) -> {
                boolean clearing = state.standing() instanceof ReplicaState.ClearingUp;
                if (clearing && !setup.holds(Rule.CLEAR_FAILED_STARTS)) {
                    works.add(new Work.News(new ReplicaInput.StopDone(right)));
                } else {
                    works.add(new Work.End(right, clearing));
                }
            }
            case ReplicaCommand.Prepare(var right, var primary, _) ->
                    works.add(new Work.Prepare(right, primary));
            case ReplicaCommand.Await(var right, var primary) -> {
                if (!works.contains(new Work.Await(right, primary))) {
                    works.add(new Work.Await(right, primary));
                }
            }
            case ReplicaCommand.Raise(var right, var second, _) ->
                    works.add(new Work.Raise(right, second, false));
            case ReplicaCommand.Part(var right, var loser) ->
                    works.add(new Work.Leave(right, loser));
            case ReplicaCommand.NoteLockstep(var right, var partner) -> {
                var qemu = processes.find(right);
                if (qemu != null
                        && qemu.part().isKnownInLockstep()
                        && qemu.part().partner().filter(partner::equals).isPresent()) {
                    processes.put(qemu.asStored());
                }
            }
            case ReplicaCommand.Tell(var news) -> send(world, vm, news);
        }
    }

    private void send(World world, VmName vm, VmInput news) {
        world.send(node(), new Message.ToVm(setup.vm(vm), news));
    }

    void ended(World world, RunRight right, VmInput.Cause cause) {
        if (world.jvms[node()] == World.Jvm.DOWN) {
            processes.graves.add(right);
        } else {
            works.add(new Work.News(new ReplicaInput.Gone(right, cause, "it ended")));
        }
    }

    List<Object> key(World world) {
        int clock = clock(world);
        var left = new HashMap<Incarnation, Integer>();
        grants.forEach((incarnation, until) -> left.put(incarnation, Math.max(0, until - clock)));
        return List.of(
                powered,
                boot,
                tenure,
                Map.copyOf(replicas),
                lease,
                Math.max(0, liveUntil - clock),
                left,
                Set.copyOf(over),
                List.copyOf(works),
                List.of(savedIncarnation, savedClean, savedBoot),
                Map.copyOf(floors),
                left(clock),
                processes.key(clock));
    }

    private Map<VmName, Ear> left(int clock) {
        var left = new HashMap<VmName, Ear>();
        ears.forEach((vm, ear) -> left.put(vm, ear.relativeTo(clock, setup.lease())));
        return left;
    }
}
