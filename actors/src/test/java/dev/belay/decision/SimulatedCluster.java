package dev.belay.decision;

import static dev.belay.decision.Samples.AT;

import dev.belay.decision.Decision.Accepted;
import dev.belay.model.Desired;
import dev.belay.model.GuardedEvent;
import dev.belay.model.Incarnation;
import dev.belay.model.JournalGuard;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The real decisions of servers and VMs over a simulated journal, network, clock and machines. All
 * dice come from one generator, so a seed repeats everything.
 */
final class SimulatedCluster implements SimulatedServer.World {
    private static final int SHOWN = 60;

    /** The network between arbiters, which is never cut. */
    private static final ServerName NOWHERE = new ServerName("nowhere");

    /** A rule that is broken, to show that the simulation notices. */
    enum Mistake {
        NONE,
        /** Both of a pair are told to go on alone. */
        BOTH_GO_ON,
        /** A secondary is promoted before lockstep. */
        PROMOTED_EARLY,
        /** It is forgotten which disks are up to date. */
        ANY_DISK,
        /** The arbiter waits for a server's lease as long as for one of its own. */
        ITS_OWN_TERMS
    }

    /** Something on its way; a timer is neither lost nor doubled. */
    record Envelope(
            Object key, ServerName via, boolean timer, int due, Object owner, Runnable arrive) {}

    final Map<VmName, VmState> vms = new LinkedHashMap<>();
    final Map<ServerName, ServerState> servers = new LinkedHashMap<>();
    final Map<ServerName, SimulatedServer> machines = new LinkedHashMap<>();
    final TreeSet<String> transitions = new TreeSet<>();
    private final Map<ServerName, Incarnation> newest = new HashMap<>();
    private final Map<ServerName, Incarnation> fenced = new HashMap<>();
    private final List<Envelope> queue = new ArrayList<>();
    private final List<Envelope> heldUp = new ArrayList<>();
    private final Deque<Supplier<String>> history = new ArrayDeque<>();
    final Function<VmName, VmSpec> specs;
    private final Mistake mistake;
    private final Map<VmName, Set<Integer>> acknowledged = new HashMap<>();
    private final Set<Set<ServerName>> cut = new HashSet<>();
    private final RandomGenerator random;
    private int writes;
    private Optional<Disarming> disarming = Optional.empty();
    private final java.util.Set<ServerName> gone = new java.util.HashSet<>();
    private boolean troubled = true;
    private boolean shuffled;
    int now;

    SimulatedCluster(
            RandomGenerator random,
            List<ServerName> names,
            List<VmName> vmNames,
            SimulatedServer.Hole hole) {
        this(random, names, vmNames, Samples::spec, hole, Mistake.NONE);
    }

    SimulatedCluster(
            RandomGenerator random,
            List<ServerName> names,
            List<VmName> vmNames,
            Function<VmName, VmSpec> specs,
            SimulatedServer.Hole hole,
            Mistake mistake) {
        this.random = random;
        this.specs = specs;
        this.mistake = mistake;
        for (var name : names) {
            servers.put(name, ServerHistory.NEW);
            machines.put(
                    name,
                    new SimulatedServer(
                            name,
                            hole,
                            this,
                            join -> send(name, () -> serverHears(name, join)),
                            (vm, news) -> send(name, () -> vmHears(vm, news))));
        }
        for (var vm : vmNames) {
            vms.put(vm, VmHistory.NEW);
        }
    }

    // ---- the journal

    private boolean permits(Object event) {
        if (!(event instanceof GuardedEvent guarded)) {
            return true;
        }
        return guarded.guards().stream()
                .allMatch(guard ->
                        switch (guard) {
                            case JournalGuard.Grants(var server, var incarnation) ->
                                    incarnation.equals(newest.get(server))
                                            && incarnation.isAfter(
                                                    fenced.getOrDefault(server, Incarnation.NONE));
                            case JournalGuard.Admits(var server, var incarnation) ->
                                    incarnation.isAfter(
                                            newest.getOrDefault(server, Incarnation.NONE));
                            case JournalGuard.Fences _ -> true;
                        });
    }

    private void stored(Object event) {
        if (event instanceof GuardedEvent guarded) {
            for (var guard : guarded.guards()) {
                switch (guard) {
                    case JournalGuard.Grants _ -> {}
                    case JournalGuard.Admits(var server, var incarnation) ->
                            newest.put(server, incarnation);
                    case JournalGuard.Fences(var server, var incarnation) ->
                            fenced.put(server, incarnation);
                }
            }
        }
    }

    // ---- the entities

    void vmHears(VmName name, VmInput input) {
        var state = vm(name);
        if (VmLife.decide(believed(state), new Context(AT, "witness", view()), input)
                instanceof Accepted<VmEvent, VmAction>(var events, var actions)) {
            if (!events.stream().allMatch(this::permits)) {
                note(() -> name + ": the journal refuses " + events);
                restartVm(name);
                return;
            }
            for (var event : events) {
                stored(event);
                var next = VmHistory.apply(state, event);
                transitions.add(arrow(state, event, next));
                state = next;
                decided(name, event);
            }
            var after = Samples.name(state);
            note(() -> "%s hears %s -> %s, %s".formatted(name, input, after, actions));
            vms.put(name, state);
            actions.forEach(action -> carryOut(name, action));
        }
    }

    private VmState believed(VmState state) {
        return mistake == Mistake.ANY_DISK && state instanceof VmState.Present present
                ? VmHistory.with(present, withoutLegs(present.vm()))
                : state;
    }

    private static VmState.Vm withoutLegs(VmState.Vm vm) {
        return new VmState.Vm(
                vm.spec(),
                vm.desired(),
                vm.deleting(),
                vm.epoch(),
                vm.failures(),
                vm.failoverCount(),
                vm.failover(),
                vm.reports(),
                Set.of(),
                vm.ending(),
                vm.pursuit());
    }

    private void decided(VmName name, VmEvent event) {
        switch (event) {
            case VmEvent.SoloGranted(_, var winner, var loser, _)
                    when mistake == Mistake.BOTH_GO_ON ->
                    carryOut(name, new VmAction.GoSolo(loser, winner));
            case VmEvent.PairEnded(_, var primary, var secondary, _, _)
                    when mistake == Mistake.PROMOTED_EARLY ->
                    carryOut(name, new VmAction.GoSolo(secondary, primary));
            case VmEvent.VmDeleted _ -> {
                acknowledged.remove(name);
                machines.values().forEach(machine -> machine.forgetLeg(name));
            }
            default -> {}
        }
    }

    // ---- two servers

    @Override
    public SimulatedServer machine(ServerName name) {
        return Objects.requireNonNull(machines.get(name));
    }

    @Override
    public boolean linked(ServerName one, ServerName other) {
        return machine(one).powered
                && machine(other).powered
                && !machine(one).cutOff
                && !machine(other).cutOff
                && !cut.contains(Set.of(one, other));
    }

    @Override
    public Set<Integer> acknowledged(VmName vm) {
        return acknowledged.computeIfAbsent(vm, _ -> new HashSet<>());
    }

    /** The wire between two servers; everybody else still hears both. */
    void cut(ServerName one, ServerName other, boolean off) {
        if (off) {
            cut.add(Set.of(one, other));
        } else {
            cut.remove(Set.of(one, other));
        }
    }

    void write() {
        writes++;
        machines.values().stream()
                .filter(machine -> machine.powered)
                .forEach(machine -> machine.write(writes));
    }

    void serverHears(ServerName name, ServerInput input) {
        var state = server(name);
        if (ServerLife.decide(name, state, AT, input)
                instanceof Accepted<ServerEvent, ServerAction>(var events, var actions)) {
            if (!events.stream().allMatch(this::permits)) {
                note(() -> name + ": the journal refuses " + events);
                restartServer(name);
                return;
            }
            for (var event : events) {
                stored(event);
                var next = ServerHistory.apply(state, event);
                transitions.add(arrow(state, event, next));
                state = next;
            }
            if (!events.isEmpty()) {
                var after = state;
                note(() -> "%s hears %s -> %s".formatted(name, input, after));
            }
            servers.put(name, state);
            actions.forEach(action -> carryOut(name, action));
        }
    }

    private static String arrow(Object state, Object event, Object next) {
        return "%s -%s-> %s"
                .formatted(Samples.name(state), Samples.name(event), Samples.name(next));
    }

    /** Its timers are gone, and it sends again what the state says. */
    void restartVm(VmName name) {
        queue.removeIf(envelope -> envelope.timer() && envelope.owner().equals(name));
        VmLife.pending(vm(name)).forEach(action -> carryOut(name, action));
    }

    void restartServer(ServerName name) {
        queue.removeIf(envelope -> envelope.timer() && envelope.owner().equals(name));
        ServerLife.pending(server(name)).forEach(action -> carryOut(name, action));
    }

    void tick(VmName name) {
        VmLife.pending(vm(name)).forEach(action -> carryOut(name, action));
        vmHears(name, new VmInput.Tick());
    }

    private void carryOut(VmName vm, VmAction action) {
        switch (action) {
            case VmAction.Reserve(var server, var epoch, var memory) ->
                    toServer(vm, server, new ServerInput.Reserve(vm, epoch, memory));
            case VmAction.Release(var server, var upTo) ->
                    toServer(vm, server, new ServerInput.Release(vm, upTo));
            case VmAction.AskStanding(var server, var incarnation) ->
                    toServer(vm, server, new ServerInput.AskStanding(vm, incarnation));
            case VmAction.Order order -> order(order, order.right());
            case VmAction.WakeAfter(_, var epoch) ->
                    timer(action, vm, 5, () -> vmHears(vm, new VmInput.BackOffOver(epoch)));
            case VmAction.OverdueAfter(_, var secondary) ->
                    timer(action, vm, 30, () -> vmHears(vm, new VmInput.RaiseOverdue(secondary)));
            case VmAction.HandOverAfter(_, var primary, var secondary, var asked) ->
                    timer(
                            action,
                            vm,
                            3,
                            () -> vmHears(vm, new VmInput.HandOver(primary, secondary, asked)));
            case VmAction.OutliveAfter(var partner) ->
                    timer(
                            action,
                            vm,
                            SimulatedServer.LONGER_LEASE + SimulatedServer.MARGIN,
                            () -> vmHears(vm, new VmInput.Outlived(partner)));
            case VmAction.InsistAfter(_, var epoch) ->
                    timer(action, vm, 200, () -> vmHears(vm, new VmInput.Insist(epoch)));
            case VmAction.SettleAfter(_, var epoch) ->
                    timer(action, vm, 50, () -> vmHears(vm, new VmInput.Settled(epoch)));
        }
    }

    private void toServer(VmName vm, ServerName server, ServerInput input) {
        send(NOWHERE, () -> serverHears(server, input));
    }

    private void order(VmAction order, RunRight right) {
        var machine = machine(right.server());
        send(right.server(), () -> machine.order(order, now, troubled && random.nextInt(10) == 0));
    }

    private void carryOut(ServerName name, ServerAction action) {
        var machine = machine(name);
        switch (action) {
            case ServerAction.Welcome(var admitted) -> send(name, () -> machine.welcome(admitted));
            case ServerAction.TellClean(_, var upTo, var isFenced) ->
                    send(name, () -> machine.mustClean(upTo, isFenced));
            case ServerAction.AwaitLease(var incarnation, var told) ->
                    timer(
                            action,
                            name,
                            mistake == Mistake.ITS_OWN_TERMS
                                    ? SimulatedServer.LEASE + SimulatedServer.MARGIN
                                    : (int) told.orElseThrow().toSeconds(),
                            () ->
                                    serverHears(
                                            name,
                                            new ServerInput.LeaseWaited(incarnation, "waited")));
            case ServerAction.AgeLoss(var number) ->
                    timer(
                            action,
                            name,
                            400,
                            () -> serverHears(name, new ServerInput.LossAged(number)));
            case ServerAction.CoolDown(var incarnation) ->
                    timer(
                            action,
                            name,
                            200,
                            () -> serverHears(name, new ServerInput.CooledDown(incarnation)));
            case ServerAction.CallOffFenceAgent _ ->
                    queue.removeIf(timer ->
                            timer.owner().equals(name)
                                    && timer.key() instanceof ServerAction.CallFenceAgent);
            case ServerAction.CallFenceAgent(_, var incarnation) ->
                    timer(
                            action,
                            name,
                            20,
                            () -> {
                                boolean works = random.nextInt(3) == 0;
                                if (works) {
                                    machine.powerOff();
                                }
                                serverHears(
                                        name,
                                        new ServerInput.AgentAnswered(incarnation, works, "agent"));
                            });
            case ServerAction.TellVm(var vm, var news) -> send(NOWHERE, () -> vmHears(vm, news));
        }
    }

    ClusterView view() {
        return new ClusterView(
                serverViews(),
                disarming,
                vms.values().stream()
                        .flatMap(vm -> VmPriority.claim(vm, disarming).stream())
                        .toList());
    }

    private List<ClusterView.ServerView> serverViews() {
        return servers.entrySet().stream()
                .filter(entry -> !(entry.getValue() instanceof ServerState.Unknown))
                .map(entry -> {
                    var free =
                            entry.getValue() instanceof ServerState.Live live ? live.freeMiB() : 0;
                    return new ClusterView.ServerView(
                            entry.getKey(),
                            newest.getOrDefault(entry.getKey(), Incarnation.NONE),
                            entry.getValue() instanceof ServerState.Live,
                            machine(entry.getKey()).up(),
                            entry.getValue() instanceof ServerState.Known known
                                    && known.losses().quarantined(),
                            entry.getValue() instanceof ServerState.Live frozen
                                    && frozen.freeze().isPresent(),
                            free,
                            8192,
                            entry.getValue() instanceof ServerState.Known maintained
                                    ? maintained.maintenance()
                                    : Optional.empty(),
                            entry.getValue() instanceof ServerState.Live live
                                    ? live.qemu()
                                    : Optional.empty());
                })
                .toList();
    }

    private VmState vm(VmName name) {
        return Objects.requireNonNull(vms.get(name));
    }

    private ServerState server(ServerName name) {
        return Objects.requireNonNull(servers.get(name));
    }

    // ---- network and clock

    private void send(ServerName via, Runnable arrive) {
        queue.add(new Envelope("message", via, false, 0, via, arrive));
    }

    /** Repeats of a timer that runs do not set it back. */
    private void timer(Object key, Object owner, int delay, Runnable arrive) {
        if (queue.stream()
                .noneMatch(timer -> timer.owner().equals(owner) && timer.key().equals(key))) {
            queue.add(new Envelope(key, NOWHERE, true, now + delay, owner, arrive));
        }
    }

    void passTime() {
        now++;
        machines.values().forEach(machine -> machine.passTime(now));
        for (var envelope : List.copyOf(queue)) {
            if (envelope.timer() && envelope.due() <= now && queue.remove(envelope)) {
                envelope.arrive().run();
            }
        }
    }

    /** One message arrives, the oldest or any; it may be lost, or come once more later. */
    void deliver() {
        var ready =
                queue.stream()
                        .filter(envelope -> !envelope.timer() && !isCut(envelope.via()))
                        .toList();
        if (ready.isEmpty()) {
            return;
        }
        boolean oldest = !shuffled && (!troubled || random.nextInt(3) > 0);
        var envelope = ready.get(oldest ? 0 : random.nextInt(ready.size()));
        int dice = troubled ? random.nextInt(10) : 9;
        if (dice != 0) {
            queue.remove(envelope);
        }
        if (dice != 1) {
            envelope.arrive().run();
        }
    }

    /** A copy of some message is held up on its way, over whatever comes meanwhile. */
    void holdUp() {
        var ready = queue.stream().filter(envelope -> !envelope.timer()).toList();
        if (!ready.isEmpty()) {
            heldUp.add(ready.get(random.nextInt(ready.size())));
        }
    }

    void letGo() {
        if (!heldUp.isEmpty()) {
            queue.add(heldUp.remove(random.nextInt(heldUp.size())));
        }
    }

    private boolean isCut(ServerName via) {
        return machines.containsKey(via) && machine(via).cutOff;
    }

    /** The read is linearizable; its answer may come late, and counts from when it was asked. */
    void renew(SimulatedServer machine) {
        var incarnation = machine.renewing();
        if (incarnation.equals(Incarnation.NONE)) {
            return;
        }
        int sent = now;
        if (incarnation.equals(newest.get(machine.name))
                && incarnation.isAfter(fenced.getOrDefault(machine.name, Incarnation.NONE))) {
            send(machine.name, () -> machine.granted(incarnation, sent));
        } else {
            machine.refused(incarnation);
        }
    }

    /** What the arbiter's own membership sees. {@code wrongly}: it takes this one for lost. */
    void look(SimulatedServer machine, boolean wrongly) {
        if (!machine.up() || wrongly) {
            int lost = (int) machines.values().stream().filter(m -> !m.up()).count();
            var incarnation = newest.getOrDefault(machine.name, Incarnation.NONE);
            serverHears(
                    machine.name,
                    new ServerInput.Lost(
                            incarnation,
                            List.of(),
                            Math.max(1, lost),
                            machines.size(),
                            disarming.isEmpty()));
        }
    }

    /** A person looks at the machine: what has no power runs nothing. */
    void confirmOff(SimulatedServer machine) {
        if (!machine.powered) {
            var incarnation = newest.getOrDefault(machine.name, Incarnation.NONE);
            serverHears(machine.name, new ServerInput.ConfirmOff(incarnation, machine.up()));
        }
    }

    // ---- the second half: everything works again, and what is off is switched on

    void disarm(boolean off) {
        disarming = off ? Optional.of(Samples.DISARMING) : Optional.empty();
    }

    void heal() {
        queue.addAll(heldUp);
        heldUp.clear();
        troubled = false;
        cut.clear();
        disarm(false);
        servers.keySet().forEach(name -> serverHears(name, new ServerInput.EndMaintenance()));
        repair();
    }

    /** A fence agent that was called long ago may still switch a server off. */
    private void repair() {
        for (var machine : machines.values()) {
            if (gone.contains(machine.name)) {
                machine.powerOff();
                look(machine, false);
            } else {
                machine.powerOn();
                machine.cutOff = false;
                machine.startProcess();
            }
        }
    }

    /** From here on messages come in any order, and this machine does not come back. */
    void loseForGood(ServerName server) {
        gone.add(server);
        shuffled = true;
    }

    /** Everything works for a while, so that what follows finds the VM on two servers. */
    void calmDown(int rounds) {
        troubled = false;
        cut.clear();
        for (int round = 0;
                round < rounds
                        && vms.values().stream().noneMatch(VmState.Lockstep.class::isInstance);
                round++) {
            calmRound();
        }
        troubled = true;
    }

    void calmRound() {
        repair();
        vms.keySet().forEach(this::tick);
        for (var machine : machines.values()) {
            machine.askAgain();
            for (int renewals = 0; renewals < 2; renewals++) {
                renew(machine);
            }
        }
        for (int messages = 0; messages < 40; messages++) {
            deliver();
            assertOneActiveCopy();
        }
        machines.values().forEach(machine -> machine.work(random));
        write();
        passTime();
    }

    // ---- what must hold

    void assertOneActiveCopy() {
        var seen = new HashMap<VmName, RunRight>();
        for (var machine : machines.values()) {
            for (var right : machine.heard()) {
                var other = seen.put(right.vm(), right);
                if (other != null) {
                    throw new AssertionError("two active copies: " + other + " and " + right);
                }
            }
        }
    }

    /** Empty when every VM is as desired and every server keeps memory for just those it runs. */
    List<String> unfinished() {
        var problems = new ArrayList<String>();
        vms.forEach((name, state) -> {
            boolean wanted =
                    state instanceof VmState.Present present
                            && present.vm().desired() == Desired.RUNNING;
            var right = VmLife.right(state);
            boolean two =
                    wanted && VmLife.vm(state).wantsPair() && machines.size() - gone.size() > 1;
            boolean fits =
                    wanted
                            ? (two
                                    ? state instanceof VmState.Lockstep
                                    : state instanceof VmState.Running)
                            : state instanceof VmState.Stopped || state instanceof VmState.Absent;
            if (!fits) {
                problems.add(name + " is " + state);
            }
            for (var machine : machines.values()) {
                boolean expected =
                        Stream.concat(right.stream(), VmLife.secondary(state).stream())
                                .anyMatch(r -> r.server().equals(machine.name));
                boolean runs = machine.running().stream().anyMatch(r -> r.vm().equals(name));
                boolean kept =
                        servers.get(machine.name) instanceof ServerState.Live live
                                && live.reservations().containsKey(name);
                if (runs != expected || kept != expected) {
                    problems.add(
                            "%s: expected on %s: %s, runs: %s, memory kept: %s"
                                    .formatted(name, machine.name, expected, runs, kept));
                }
            }
        });
        return problems;
    }

    /** Put into words only when somebody reads it. */
    private void note(Supplier<String> what) {
        int at = now;
        history.add(() -> at + " " + what.get());
        if (history.size() > SHOWN) {
            history.removeFirst();
        }
    }

    void noteFault(String what) {
        note(() -> what);
    }

    String story() {
        return history.stream().map(Supplier::get).collect(Collectors.joining("\n"))
                + "\n"
                + String.join("\n", machines.values().stream().map(Object::toString).toList());
    }
}
