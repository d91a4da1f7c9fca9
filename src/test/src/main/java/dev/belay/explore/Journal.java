package dev.belay.explore;

import dev.belay.decision.ServerEvent;
import dev.belay.decision.ServerHistory;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmEvent;
import dev.belay.decision.VmHistory;
import dev.belay.decision.VmState;
import dev.belay.explore.Message.Pid;
import dev.belay.model.Epoch;
import dev.belay.model.GuardedEvent;
import dev.belay.model.Incarnation;
import dev.belay.model.JournalGuard;
import dev.belay.model.ServerName;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the quorum has stored: for each persistence id how many events there are and what they add
 * up to, and the facts that guards are checked against. Appends are atomic: that is the promise of
 * the replicated log, which has tests of its own.
 */
final class Journal {
    private final Setup setup;
    private final VmState[] vms;
    private final int[] vmSeqs;
    private final ServerState[] servers;
    private final int[] serverSeqs;
    private final Incarnation[] newest;
    private final Incarnation[] fenced;

    /** Servers whose disks are called up to date although they are not; without a rule only. */
    private final List<Set<ServerName>> outdated;

    Journal(Setup setup) {
        this.setup = setup;
        vms = new VmState[setup.vms().size()];
        Arrays.fill(vms, VmHistory.NEW);
        vmSeqs = new int[vms.length];
        servers = new ServerState[setup.servers().size()];
        Arrays.fill(servers, new ServerState.Unknown());
        serverSeqs = new int[servers.length];
        newest = new Incarnation[servers.length];
        fenced = new Incarnation[servers.length];
        Arrays.fill(newest, Incarnation.NONE);
        Arrays.fill(fenced, Incarnation.NONE);
        outdated = new ArrayList<>(Collections.nCopies(vms.length, Set.of()));
    }

    private Journal(Journal other) {
        setup = other.setup;
        vms = other.vms.clone();
        vmSeqs = other.vmSeqs.clone();
        servers = other.servers.clone();
        serverSeqs = other.serverSeqs.clone();
        newest = other.newest.clone();
        fenced = other.fenced.clone();
        outdated = new ArrayList<>(other.outdated);
    }

    Journal copy() {
        return new Journal(this);
    }

    VmState vm(int vm) {
        return vms[vm];
    }

    ServerState server(int server) {
        return servers[server];
    }

    /** As an arbiter takes it that does not heed {@link Rule#WINNERS_LEG_ONLY} and the like. */
    VmState believed(int vm, VmState state) {
        var wrong = outdated.get(vm);
        return wrong.isEmpty() || !(state instanceof VmState.Present present)
                ? state
                : Keys.withLegs(present, wrong);
    }

    private void outdate(int i, VmState before, VmEvent event) {
        var rule =
                event instanceof VmEvent.SoloGranted
                        ? Rule.WINNERS_LEG_ONLY
                        : Rule.ONE_LEG_AFTER_A_START;
        if (!(vms[i] instanceof VmState.Present after)
                || !(before instanceof VmState.Present present)) {
            outdated.set(i, Set.of());
        } else if (event instanceof VmEvent.LockstepReached) {
            outdated.set(i, Set.of());
        } else if (!setup.holds(rule)) {
            var more = new HashSet<>(present.vm().legs());
            more.removeAll(after.vm().legs());
            more.addAll(outdated.get(i));
            outdated.set(i, Set.copyOf(more));
        }
    }

    Object state(Pid pid) {
        return pid.vm() ? vms[pid.index()] : servers[pid.index()];
    }

    int seq(Pid pid) {
        return pid.vm() ? vmSeqs[pid.index()] : serverSeqs[pid.index()];
    }

    Incarnation newest(int server) {
        return newest[server];
    }

    /** Whether this incarnation's lease is renewed. */
    boolean grants(int server, Incarnation incarnation) {
        return incarnation.equals(newest[server]) && incarnation.isAfter(fenced[server]);
    }

    /** Newest and not fenced, as a granter that reads now would remember it. */
    Incarnation[] granted() {
        var now = newest.clone();
        for (int i = 0; i < now.length; i++) {
            if (!grants(i, now[i])) {
                now[i] = Incarnation.NONE;
            }
        }
        return now;
    }

    private boolean permits(Object event) {
        if (!(event instanceof GuardedEvent guarded) || !setup.holds(Rule.GUARDS)) {
            return true;
        }
        for (var guard : guarded.guards()) {
            boolean kept =
                    switch (guard) {
                        case JournalGuard.Grants(var server, var incarnation) ->
                                grants(setup.server(server), incarnation);
                        case JournalGuard.Admits(var server, var incarnation) ->
                                incarnation.isAfter(newest[setup.server(server)]);
                        case JournalGuard.Fences _ -> true;
                    };
            if (!kept) {
                return false;
            }
        }
        return true;
    }

    /**
     * Null when it is stored, otherwise why it is refused.
     *
     * @param base how many events the writer knows of
     * @throws Broken a law is broken by what was stored
     */
    @org.jspecify.annotations.Nullable
    String append(Pid pid, int base, List<Object> events) {
        if (base != seq(pid) && setup.holds(Rule.TEST_AND_SET)) {
            return "its sequence number is taken";
        }
        for (var event : events) {
            if (!permits(event)) {
                return "a guard refuses " + event;
            }
        }
        for (var event : events) {
            store(pid, event);
        }
        return null;
    }

    private void store(Pid pid, Object event) {
        if (event instanceof GuardedEvent guarded) {
            for (var guard : guarded.guards()) {
                switch (guard) {
                    case JournalGuard.Grants _ -> {}
                    case JournalGuard.Admits(var server, var incarnation) ->
                            newest[setup.server(server)] = incarnation;
                    case JournalGuard.Fences(var server, var incarnation) ->
                            fenced[setup.server(server)] = incarnation;
                }
            }
        }
        int i = pid.index();
        if (pid.vm()) {
            var was = vms[i];
            var before = epoch(was);
            vms[i] = VmHistory.apply(was, (VmEvent) event);
            vmSeqs[i]++;
            if (setup.pairs()) {
                outdate(i, was, (VmEvent) event);
            }
            if (before.isAfter(epoch(vms[i]))) {
                throw new Broken(
                        "an epoch fell: "
                                + setup.vms().get(i)
                                + " from "
                                + before
                                + " by "
                                + event);
            }
        } else {
            servers[i] = ServerHistory.apply(servers[i], (ServerEvent) event);
            serverSeqs[i]++;
        }
    }

    static Epoch epoch(VmState state) {
        return switch (state) {
            case VmState.Absent absent -> absent.last();
            case VmState.Present present -> present.vm().epoch();
        };
    }

    /** As it stands, for telling worlds apart: how it came to that does not matter. */
    List<Object> key() {
        var key = new Object[vms.length + servers.length * 3];
        int k = 0;
        for (var vm : vms) {
            key[k++] = Keys.of(vm);
        }
        for (int i = 0; i < servers.length; i++) {
            key[k++] = Keys.of(servers[i]);
            key[k++] = newest[i];
            key[k++] = fenced[i];
        }
        if (setup.pairs()) {
            return List.of(Arrays.asList(key), List.copyOf(outdated));
        }
        return Arrays.asList(key);
    }
}
