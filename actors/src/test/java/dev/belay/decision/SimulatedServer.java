package dev.belay.decision;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A machine of the simulation: power, the node's process with the shipped cores of {@link Tenure}
 * and {@link ReplicaLife} in it, guest processes with their leashes, and what lies on its disk. A
 * {@link Hole} makes what is around the cores fail in a duty, to show that the simulation notices.
 */
final class SimulatedServer {
    /** The usual lease, in steps of virtual time. */
    static final int LEASE = 60;

    static final int LONGER_LEASE = 100;
    static final int MARGIN = 2;

    /** Two of them are so rare that a walk of a few hundred seeds does not meet them. */
    enum Hole {
        NONE,
        /** What was begun here is forgotten with the node's process. Rare. */
        FLOOR_NOT_ON_DISK,
        /** What was begun here is forgotten at once. */
        NO_FLOOR,
        /** That an incarnation was declared clean is forgotten with the node's process. Rare. */
        CLEAN_NOT_ON_DISK,
        /** The leash does nothing. */
        NO_LEASH,
        /** A primary goes on by itself when its secondary is gone. */
        PRIMARY_NOT_HELD,
        /** A right of another incarnation than the one held is started. */
        ANY_INCARNATION,
        /** A secondary is called in lockstep although its server has not seen that. */
        UNSEEN_LOCKSTEP
    }

    /** One guest process; {@code until}: its leash kills it then. */
    record Guest(RunRight right, int until, Part part) {
        Guest with(Part next) {
            return new Guest(right, until, next);
        }
    }

    /** What QEMU is to one on another server. */
    sealed interface Part {}

    record Alone() implements Part {}

    record First(RunRight second, boolean lockstep) implements Part {}

    record Second(RunRight first, boolean lockstep) implements Part {}

    /** A raise broke and could not be undone: the guest stands still. */
    record Stuck(RunRight second) implements Part {}

    /** What is around the machine. */
    interface World {
        SimulatedServer machine(ServerName name);

        boolean linked(ServerName one, ServerName other);

        /** The writes that the outside world knows of. */
        Set<Integer> acknowledged(VmName vm);
    }

    /** What survives everything. */
    private static final class Disk {
        private Incarnation incarnation = Incarnation.NONE;
        private boolean clean;
        private int boot = 1;
        private int lease = LEASE;
        private final Map<VmName, Epoch> floors = new HashMap<>();
        private final Map<VmName, Set<Integer>> legs = new HashMap<>();

        /** Those that are marked as half a copy. */
        private final Set<VmName> filling = new HashSet<>();
    }

    final ServerName name;
    final Hole hole;
    final Map<VmName, Guest> guests = new HashMap<>();
    boolean powered = true;
    boolean processUp;
    boolean cutOff;
    int boot = 1;
    private final Disk disk = new Disk();
    private TenureState tenure = new TenureState.Adopting(Incarnation.NONE, false, false);
    private final Map<VmName, ReplicaState> replicas = new HashMap<>();
    private int now;
    private int leaseUntil;
    private Incarnation lease = Incarnation.NONE;
    private int configured = LEASE;

    /** Of this process. */
    private int length = LEASE;

    private boolean troubled;
    private final World world;
    private final Consumer<ServerInput.Join> join;
    private final BiConsumer<VmName, VmInput> entities;

    SimulatedServer(
            ServerName name,
            Hole hole,
            World world,
            Consumer<ServerInput.Join> join,
            BiConsumer<VmName, VmInput> entities) {
        this.name = name;
        this.hole = hole;
        this.world = world;
        this.join = join;
        this.entities = entities;
    }

    boolean up() {
        return powered && processUp && !cutOff;
    }

    void powerOff() {
        powered = false;
        processUp = false;
        guests.clear();
    }

    void powerOn() {
        if (!powered) {
            powered = true;
            boot++;
        }
    }

    void crashProcess() {
        processUp = false;
    }

    /** An operator does; what runs does not hear of it. */
    void changeTerms() {
        configured = configured == LEASE ? LONGER_LEASE : LEASE;
    }

    private LeaseTerms terms() {
        return new LeaseTerms(
                Duration.ofSeconds(length), Duration.ofSeconds(1), Duration.ofSeconds(MARGIN));
    }

    void startProcess() {
        if (!powered || processUp) {
            return;
        }
        processUp = true;
        length = configured;
        tenure = new TenureState.Adopting(disk.incarnation, disk.clean, disk.boot != boot);
        lease = disk.clean || disk.lease != length ? Incarnation.NONE : disk.incarnation;
        leaseUntil = 0;
        replicas.clear();
        if (hole == Hole.FLOOR_NOT_ON_DISK) {
            disk.floors.clear();
        }
        for (var guest : List.copyOf(guests.values())) {
            if (guest.part() instanceof Stuck
                    || (guest.part() instanceof First(_, var lockstep) && !lockstep)) {
                put(guest.with(new Alone()));
            }
            tell(
                    guest.right().vm(),
                    new ReplicaInput.Found(
                            guest.right(),
                            true,
                            "runs",
                            switch (guest.part()) {
                                case First(var second, var lockstep) when lockstep ->
                                        new ReplicaState.Raising(second, false);
                                case Second(var first, _) ->
                                        new ReplicaState.Follows(first, Optional.empty());
                                case Alone _, First _, Stuck _ -> new ReplicaState.Alone();
                            }));
        }
        hear(new TenureInput.Adopted());
    }

    void askAgain() {
        hear(new TenureInput.Tick());
    }

    void welcome(ServerState.Server admitted) {
        if (admitted.admits("boot-" + boot, terms())) {
            hear(new TenureInput.Welcome(admitted.incarnation()));
        }
    }

    void mustClean(Incarnation upTo, boolean fenced) {
        hear(new TenureInput.MustClean(upTo, fenced));
    }

    /** The incarnation to ask a lease for; none when nothing can or may be asked. */
    Incarnation renewing() {
        return up() ? lease : Incarnation.NONE;
    }

    void granted(Incarnation incarnation, int sent) {
        if (!powered || !processUp || !lease.equals(incarnation)) {
            return;
        }
        leaseUntil = Math.max(leaseUntil, sent + length);
        guests.replaceAll((_, guest) ->
                guest.right().incarnation().equals(incarnation)
                        ? new Guest(
                                guest.right(), Math.max(guest.until(), sent + length), guest.part())
                        : guest);
    }

    void refused(Incarnation incarnation) {
        if (lease.equals(incarnation)) {
            lease = Incarnation.NONE;
        }
        hear(new TenureInput.LeaseRefused(incarnation));
    }

    /** The leashes do their work, whatever the node's process does. */
    void passTime(int time) {
        now = time;
        if (hole == Hole.NO_LEASH) {
            return;
        }
        for (var guest : List.copyOf(guests.values())) {
            if (now >= guest.until()) {
                guests.remove(guest.right().vm());
                ended(guest.right(), VmInput.Cause.LEASE);
            }
        }
    }

    /** QEMU dies. */
    void killGuest(VmName vm) {
        var guest = guests.remove(vm);
        if (guest != null) {
            ended(guest.right(), VmInput.Cause.DIED);
        }
    }

    private void ended(RunRight right, VmInput.Cause cause) {
        if (processUp) {
            tell(right.vm(), new ReplicaInput.Gone(right, cause, "ended"));
        }
    }

    /**
     * @param fails whether the hypervisor fails to do it; it may have begun
     */
    void order(VmAction action, int time, boolean fails) {
        now = time;
        troubled = fails;
        if (hole == Hole.ANY_INCARNATION && processUp && action instanceof VmAction.StartReplica) {
            carryOut(new TenureCommand.Pass(action));
        } else {
            hear(new TenureInput.Ordered(action));
        }
        troubled = false;
    }

    // ---- the shells of the two cores

    private void hear(TenureInput input) {
        if (!processUp) {
            return;
        }
        var turn = Tenure.decide(tenure, input);
        tenure = turn.state();
        turn.commands().forEach(this::carryOut);
    }

    private void carryOut(TenureCommand command) {
        switch (command) {
            case TenureCommand.Keep(var incarnation, var clean) -> {
                disk.incarnation = incarnation;
                disk.boot = boot;
                disk.lease = length;
                disk.clean = clean && hole != Hole.CLEAN_NOT_ON_DISK;
            }
            case TenureCommand.HoldLease(var incarnation) -> {
                if (!lease.equals(incarnation)) {
                    lease = incarnation;
                    leaseUntil = 0;
                }
            }
            case TenureCommand.Join(var holding, var clean) ->
                    join.accept(
                            new ServerInput.Join(
                                    "boot-" + boot,
                                    8192,
                                    holding,
                                    clean,
                                    terms(),
                                    Optional.of(Samples.QEMU)));
            case TenureCommand.Adopt() -> hear(new TenureInput.Adopted());
            case TenureCommand.Clean _ -> {
                guests.clear();
                replicas.clear();
                hear(new TenureInput.CleanDone());
            }
            case TenureCommand.Pass(VmAction.StartReplica(var right, var spec)) -> {
                boolean live =
                        hole == Hole.ANY_INCARNATION
                                || (lease.equals(right.incarnation()) && now < leaseUntil);
                tell(right.vm(), new ReplicaInput.Start(right, spec, live));
            }
            case TenureCommand.Pass(VmAction.StopReplica(var right, var kill)) ->
                    tell(right.vm(), new ReplicaInput.Stop(right, kill));
            case TenureCommand.Pass(VmAction.Confirm(var right, _)) -> {
                var guest = guests.get(right.vm());
                boolean runs = guest != null && guest.right().equals(right);
                tell(right.vm(), new ReplicaInput.Confirm(right, runs));
            }
            case TenureCommand.Pass(
                            VmAction.PassCheckpoint(var primary, var secondary, var asked)) ->
                    entities.accept(primary.vm(), new VmInput.HandOver(primary, secondary, asked));
            case TenureCommand.Pass(VmAction.ConfirmLockstep(var right, var partner)) -> {
                var guest = guests.get(right.vm());
                boolean runs = guest != null && guest.right().equals(right);
                tell(right.vm(), new ReplicaInput.Confirm(right, runs, Optional.of(partner)));
            }
            case TenureCommand.Pass(
                            VmAction.PrepareSecondary(var secondary, var primary, var spec)) ->
                    tell(
                            secondary.vm(),
                            new ReplicaInput.Start(
                                    secondary,
                                    spec,
                                    lease.equals(secondary.incarnation()) && now < leaseUntil,
                                    Optional.of(primary)));
            case TenureCommand.Pass(VmAction.AwaitLockstep(var secondary, var primary)) ->
                    tell(secondary.vm(), new ReplicaInput.AwaitLockstep(secondary, primary));
            case TenureCommand.Pass(VmAction.RaisePair(var primary, var secondary, var at)) ->
                    tell(primary.vm(), new ReplicaInput.RaisePair(primary, secondary, at));
            case TenureCommand.Pass(VmAction.GoSolo(var winner, var loser)) ->
                    tell(winner.vm(), new ReplicaInput.GoSolo(winner, loser));
            case TenureCommand.Pass(var order) ->
                    throw new IllegalArgumentException("not an order for a server: " + order);
        }
    }

    private void tell(VmName vm, ReplicaInput input) {
        var known =
                replicas.getOrDefault(
                        vm, ReplicaState.of(vm, disk.floors.getOrDefault(vm, Epoch.NONE)));
        var turn = ReplicaLife.decide(known, input);
        var next = turn.state();
        boolean forgets = hole == Hole.NO_FLOOR && next.standing() instanceof ReplicaState.Ended;
        replicas.put(vm, forgets ? ReplicaState.of(vm, Epoch.NONE) : next);
        turn.commands().forEach(command -> carryOut(vm, command));
    }

    private void carryOut(VmName vm, ReplicaCommand command) {
        switch (command) {
            case ReplicaCommand.KeepFloor(var floor) -> {
                if (hole != Hole.NO_FLOOR) {
                    disk.floors.put(vm, floor);
                }
            }
            case ReplicaCommand.Launch(var right, var spec) -> {
                if (spec.isMirrored()) {
                    boots(right);
                }
                if (troubled && now % 4 < 2) {
                    tell(vm, new ReplicaInput.StartFailed(right, "no image", true, true));
                    return;
                }
                // Too late for its lease: it is begun, and its leash ends it at once.
                put(new Guest(right, Math.max(leaseUntil, now + 1), new Alone()));
                tell(
                        vm,
                        troubled
                                ? new ReplicaInput.StartFailed(right, "no answer", true, false)
                                : new ReplicaInput.Started(right, 1, "runs"));
            }
            case ReplicaCommand.End(var right, _) -> {
                if (troubled && now % 2 == 0) {
                    tell(vm, new ReplicaInput.StopFailed(right, "it does not go away"));
                    return;
                }
                var guest = guests.get(vm);
                if (guest != null && !guest.right().epoch().isAfter(right.epoch())) {
                    guests.remove(vm);
                }
                tell(vm, new ReplicaInput.StopDone(right));
            }
            // Here a half lives by its own server's lease alone.
            case ReplicaCommand.NoteLockstep _ -> {}
            case ReplicaCommand.Tell(var news) -> entities.accept(vm, news);
            case ReplicaCommand.Prepare(var right, var primary, _) -> {
                var known = guests.get(vm);
                if (known == null || !known.right().equals(right)) {
                    disk.legs.put(vm, new HashSet<>());
                    disk.filling.add(vm);
                    put(
                            new Guest(
                                    right,
                                    Math.max(leaseUntil, now + 1),
                                    new Second(primary, false)));
                }
                tell(
                        vm,
                        troubled
                                ? new ReplicaInput.StartFailed(right, "no answer", true, false)
                                : new ReplicaInput.Prepared(right, primary, Samples.PAIR_ADDRESS));
            }
            // When it does not see that yet it is asked again.
            case ReplicaCommand.Await(var right, var primary) -> {
                if (hole == Hole.UNSEEN_LOCKSTEP || sees(right, primary)) {
                    tell(vm, new ReplicaInput.InLockstep(right, primary));
                }
            }
            case ReplicaCommand.Raise(var right, var secondary, _) -> {
                var guest = guests.get(vm);
                if (guest == null || !guest.right().equals(right)) {
                    tell(vm, new ReplicaInput.RaiseBroke(right, secondary, "it is gone", true));
                } else if (guest.part().equals(new First(secondary, true))) {
                    tell(vm, new ReplicaInput.Raised(right, secondary, List.of()));
                } else {
                    put(guest.with(new First(secondary, false)));
                }
            }
            case ReplicaCommand.Part(var right, var loser) -> part(vm, right, loser);
        }
    }

    // ---- two servers

    private void put(Guest guest) {
        guests.put(guest.right().vm(), guest);
    }

    private Set<Integer> leg(VmName vm) {
        return disk.legs.computeIfAbsent(vm, _ -> new HashSet<>());
    }

    void forgetLeg(VmName vm) {
        disk.legs.remove(vm);
        disk.filling.remove(vm);
    }

    /** Its disk is no half copy from here on. */
    private boolean sees(RunRight right, RunRight primary) {
        var guest = guests.get(right.vm());
        boolean seen =
                guest != null
                        && guest.right().equals(right)
                        && guest.part().equals(new Second(primary, true));
        if (seen) {
            disk.filling.remove(right.vm());
        }
        return seen;
    }

    private void boots(RunRight right) {
        if (disk.filling.contains(right.vm())) {
            throw new AssertionError(
                    right + " has not all acknowledged writes: its disk is half a copy");
        }
        if (!leg(right.vm()).containsAll(world.acknowledged(right.vm()))) {
            throw new AssertionError(right + " has not all acknowledged writes");
        }
    }

    private void part(VmName vm, RunRight right, RunRight loser) {
        var guest = guests.get(vm);
        if (troubled || now >= leaseUntil || guest == null || !guest.right().equals(right)) {
            tell(vm, new ReplicaInput.PartFailed(right, loser, "no lease, or it does not answer"));
            return;
        }
        if (guest.part() instanceof Second(_, var lockstep) && !lockstep) {
            throw new AssertionError(
                    right + " has not all acknowledged writes: it was never raised");
        }
        if (!(guest.part() instanceof Alone)) {
            boots(right);
        }
        put(guest.with(new Alone()));
        tell(vm, new ReplicaInput.Parted(right, loser, List.of()));
    }

    /** Raises go on or end, and those that lost their partners notice. */
    void work(RandomGenerator random) {
        for (var guest : List.copyOf(guests.values())) {
            var right = guest.right();
            switch (guest.part()) {
                case First(var second, var lockstep) when !lockstep && processUp ->
                        raise(guest, second, random.nextInt(8));
                case First(var second, var lockstep)
                        when lockstep && processUp && !isConnected(guest) ->
                        tell(
                                right.vm(),
                                new ReplicaInput.InTrouble(
                                        right, new VmInput.PartnerLost(right, second, "gone")));
                case Second(var first, var lockstep)
                        when lockstep && processUp && !isConnected(guest) ->
                        tell(
                                right.vm(),
                                new ReplicaInput.InTrouble(
                                        right, new VmInput.PartnerLost(right, first, "gone")));
                case Alone _, First _, Second _, Stuck _ -> {}
            }
        }
    }

    private void raise(Guest guest, RunRight second, int dice) {
        var right = guest.right();
        var partner = partner(second);
        if (partner == null
                || !(partner.part() instanceof Second(var first, _))
                || !first.equals(right)
                || dice == 0) {
            boolean undone = now % 4 != 0;
            put(guest.with(undone ? new Alone() : new Stuck(second)));
            tell(right.vm(), new ReplicaInput.RaiseBroke(right, second, "broken", undone));
        } else if (dice < 4) {
            tell(
                    right.vm(),
                    new ReplicaInput.RaiseStep(right, second, RaiseStage.MEMORY, 10 * dice));
        } else {
            var other = world.machine(second.server());
            other.disk.legs.put(right.vm(), new HashSet<>(leg(right.vm())));
            other.put(partner.with(new Second(right, true)));
            put(guest.with(new First(second, true)));
            if (dice == 4) {
                crashProcess();
            } else {
                tell(right.vm(), new ReplicaInput.Raised(right, second, List.of()));
            }
        }
    }

    /** The guest process of that right, when this server reaches it. */
    private @Nullable Guest partner(RunRight right) {
        if (!world.linked(name, right.server())) {
            return null;
        }
        var guest = world.machine(right.server()).guests.get(right.vm());
        return guest != null && guest.right().equals(right) ? guest : null;
    }

    private boolean isConnected(Guest guest) {
        return switch (guest.part()) {
            case Alone _, Stuck _ -> false;
            case First(var second, _) ->
                    partner(second) instanceof Guest other
                            && other.part().equals(new Second(guest.right(), true));
            case Second(var first, _) ->
                    partner(first) instanceof Guest other
                            && other.part().equals(new First(guest.right(), true));
        };
    }

    /** A primary in lockstep without its secondary holds its output back. */
    boolean isHeard(Guest guest) {
        return switch (guest.part()) {
            case Alone _ -> true;
            case First(_, var lockstep) ->
                    !lockstep || hole == Hole.PRIMARY_NOT_HELD || isConnected(guest);
            case Second _, Stuck _ -> false;
        };
    }

    List<RunRight> heard() {
        return guests.values().stream().filter(this::isHeard).map(Guest::right).toList();
    }

    /** Each guest writes; what it is heard of is acknowledged. */
    void write(int number) {
        for (var guest : guests.values()) {
            var vm = guest.right().vm();
            if (guest.part() instanceof Second
                    || guest.part() instanceof Stuck
                    || !disk.legs.containsKey(vm)) {
                continue;
            }
            leg(vm).add(number);
            if (guest.part() instanceof First(var second, var lockstep)
                    && lockstep
                    && isConnected(guest)) {
                world.machine(second.server()).leg(vm).add(number);
            }
            if (isHeard(guest)) {
                world.acknowledged(vm).add(number);
            }
        }
    }

    List<RunRight> running() {
        return guests.values().stream().map(Guest::right).toList();
    }

    @Override
    public String toString() {
        return "%s boot %d%s%s%s %s lease %s until %d runs %s, replicas %s"
                .formatted(
                        name,
                        boot,
                        powered ? "" : " OFF",
                        processUp ? "" : " no process",
                        cutOff ? " cut off" : "",
                        tenure,
                        lease,
                        leaseUntil,
                        guests.values(),
                        replicas.values());
    }
}
