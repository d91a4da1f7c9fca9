package dev.belay.decision;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * A machine of the simulation: power, the node's process, guest processes with their leashes, and
 * what lies on its disk. It behaves as server.ServerNode and replica.ReplicaActor have to; a {@link
 * Hole} makes it forget one of their duties, to show that the simulation notices.
 */
final class SimulatedServer {
    /** Longest lease, in steps of virtual time. */
    static final int LEASE = 60;

    /** Two of them are so rare that a walk of a few hundred seeds does not meet them. */
    enum Hole {
        NONE,
        /** What ended here is forgotten with the node's process. Rare. */
        FLOOR_NOT_ON_DISK,
        /** Only an ordered stop is remembered, not an end of another kind. */
        FLOOR_ONLY_FROM_STOPS,
        /** Welcomed to an incarnation after which it said that it has cleaned up. Rare. */
        WELCOMED_AGAIN,
        /** The leash does nothing. */
        NO_LEASH,
        /** A right of another incarnation than the one held is started. */
        ANY_INCARNATION
    }

    /** One guest process; {@code until}: its leash kills it then. */
    record Guest(RunRight right, int until) {}

    /** What survives everything. {@code spent}: cleaned up after it, so never to be used again. */
    record Disk(Incarnation incarnation, boolean spent, Map<VmName, Epoch> floors) {}

    final ServerName name;
    final Hole hole;
    final Map<VmName, Guest> guests = new HashMap<>();
    boolean powered = true;
    boolean processUp;
    boolean cutOff;
    int boot = 1;
    private Disk disk = new Disk(Incarnation.NONE, false, new HashMap<>());
    private Incarnation holding = Incarnation.NONE;
    private boolean clean;
    private boolean welcomed;
    private int leaseUntil;
    private Incarnation lease = Incarnation.NONE;
    private final Map<VmName, Epoch> floors = new HashMap<>();
    private final Map<VmName, VmInput> endings = new HashMap<>();
    private final Consumer<ServerInput.Join> join;
    private final BiConsumer<VmName, VmInput> entities;

    SimulatedServer(
            ServerName name,
            Hole hole,
            Consumer<ServerInput.Join> join,
            BiConsumer<VmName, VmInput> entities) {
        this.name = name;
        this.hole = hole;
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

    void startProcess() {
        if (!powered || processUp) {
            return;
        }
        processUp = true;
        holding = disk.incarnation();
        clean = disk.spent();
        welcomed = false;
        lease = Incarnation.NONE;
        leaseUntil = 0;
        endings.clear();
        floors.clear();
        if (hole != Hole.FLOOR_NOT_ON_DISK) {
            floors.putAll(disk.floors());
        }
        guests.values()
                .forEach(guest ->
                        entities.accept(
                                guest.right().vm(), new VmInput.ReplicaSeen(guest.right())));
        askAgain();
    }

    void askAgain() {
        if (processUp) {
            join.accept(new ServerInput.Join("boot-" + boot, 8192, holding, clean));
        }
    }

    void welcome(Incarnation incarnation) {
        boolean usedUp = clean && incarnation.equals(holding) && hole != Hole.WELCOMED_AGAIN;
        if (!processUp || holding.isAfter(incarnation) || usedUp) {
            return;
        }
        holding = incarnation;
        welcomed = true;
        clean = false;
        disk = new Disk(incarnation, false, disk.floors());
        if (!lease.equals(incarnation)) {
            lease = incarnation;
            leaseUntil = 0;
        }
    }

    void mustClean(Incarnation upTo, boolean fenced) {
        boolean late = holding.isAfter(upTo) || (welcomed && holding.equals(upTo) && !fenced);
        if (!processUp || late || (clean && holding.equals(upTo))) {
            return;
        }
        guests.clear();
        welcomed = false;
        lease = Incarnation.NONE;
        leaseUntil = 0;
        endings.clear();
        holding = upTo;
        clean = true;
        disk = new Disk(upTo, true, disk.floors());
        askAgain();
    }

    /** The incarnation to ask a lease for; none when nothing can or may be asked. */
    Incarnation renewing() {
        return up() ? lease : Incarnation.NONE;
    }

    void granted(Incarnation incarnation, int sent) {
        if (!powered || !processUp || !lease.equals(incarnation)) {
            return;
        }
        leaseUntil = Math.max(leaseUntil, sent + LEASE);
        guests.replaceAll((_, guest) ->
                guest.right().incarnation().equals(incarnation)
                        ? new Guest(guest.right(), Math.max(guest.until(), sent + LEASE))
                        : guest);
    }

    void refused(Incarnation incarnation) {
        if (processUp && incarnation.equals(holding)) {
            welcomed = false;
            askAgain();
        }
    }

    /** The leashes do their work, whatever the node's process does. */
    void passTime(int now) {
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
            say(right, new VmInput.ReplicaGone(right, cause, "ended"), false);
        }
    }

    void order(VmAction action, int now, boolean startFails) {
        if (!processUp) {
            return;
        }
        switch (action) {
            case VmAction.StartReplica(var right, _) -> start(right, now, startFails);
            case VmAction.StopReplica(var right, _) -> {
                var guest = guests.get(right.vm());
                if (guest != null && !guest.right().epoch().isAfter(right.epoch())) {
                    guests.remove(right.vm());
                }
                say(right, new VmInput.ReplicaGone(right, VmInput.Cause.STOPPED, "stopped"), true);
            }
            case VmAction.Confirm(var right) -> {
                var guest = guests.get(right.vm());
                if (right.incarnation().equals(holding)
                        && (guest == null || !guest.right().equals(right))) {
                    say(
                            right,
                            new VmInput.ReplicaGone(right, VmInput.Cause.DIED, "not found"),
                            false);
                }
            }
            default -> throw new IllegalArgumentException("not an order for a server: " + action);
        }
    }

    private void start(RunRight right, int now, boolean fails) {
        var vm = right.vm();
        var guest = guests.get(vm);
        if (guest != null && guest.right().equals(right)) {
            entities.accept(vm, new VmInput.ReplicaStarted(right, "runs", List.of()));
            return;
        }
        if (!right.incarnation().equals(holding) && hole != Hole.ANY_INCARNATION) {
            return;
        }
        if (!right.epoch().isAfter(floors.getOrDefault(vm, Epoch.NONE))) {
            var known = endings.get(vm);
            entities.accept(
                    vm,
                    known instanceof VmInput.ReplicaStartFailed failed
                                    && failed.right().equals(right)
                            ? known
                            : new VmInput.ReplicaGone(
                                    right, VmInput.Cause.STOPPED, "ended here already"));
            return;
        }
        boolean leaseLive = lease.equals(right.incarnation()) && now < leaseUntil;
        if ((!leaseLive && hole != Hole.ANY_INCARNATION) || fails) {
            say(right, new VmInput.ReplicaStartFailed(right, "could not", !leaseLive), false);
            return;
        }
        guests.put(vm, new Guest(right, Math.max(leaseUntil, now + 1)));
        entities.accept(vm, new VmInput.ReplicaStarted(right, "runs", List.of()));
    }

    /** Nothing of this right runs, and none will: whoever says so has to remember it. */
    private void say(RunRight right, VmInput news, boolean stop) {
        if (stop || hole != Hole.FLOOR_ONLY_FROM_STOPS) {
            floors.merge(right.vm(), right.epoch(), SimulatedServer::newer);
            disk.floors().merge(right.vm(), right.epoch(), SimulatedServer::newer);
        }
        endings.put(right.vm(), news);
        entities.accept(right.vm(), news);
    }

    private static Epoch newer(Epoch one, Epoch other) {
        return one.isAfter(other) ? one : other;
    }

    List<RunRight> running() {
        var rights = new ArrayList<RunRight>();
        guests.values().forEach(guest -> rights.add(guest.right()));
        return rights;
    }

    @Override
    public String toString() {
        return "%s boot %d%s%s%s holding %s%s lease %s until %d runs %s"
                .formatted(
                        name,
                        boot,
                        powered ? "" : " OFF",
                        processUp ? "" : " no process",
                        cutOff ? " cut off" : "",
                        holding,
                        clean ? " clean" : "",
                        lease,
                        leaseUntil,
                        guests.values());
    }
}
