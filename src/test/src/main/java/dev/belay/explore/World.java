package dev.belay.explore;

import dev.belay.decision.ClusterView;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmPriority;
import dev.belay.explore.Message.Envelope;
import dev.belay.explore.Message.Pid;
import dev.belay.model.Incarnation;
import dev.belay.model.VmName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything that changes: nodes and their clocks, what is on its way, the entities' instances, the
 * journal and the servers. {@link Mechanics} changes it a step at a time. Node 0 is the witness,
 * node i + 1 is server i.
 */
final class World {
    private static final Instant START = Instant.parse("2026-11-01T12:00:00Z");

    static final int MAIN = 1;

    /** Cut off from the main one, except through nodes that are in both. */
    static final int ISLAND = 2;

    private static final int NOWHERE = 0;

    enum Jvm {
        UP,
        /** SIGSTOP. */
        STOPPED,
        DOWN
    }

    /**
     * @param answered its word was given before the server was off; only without SEEN_OFF
     */
    record AgentCall(int server, Incarnation incarnation, boolean answered) {}

    /** Between servers, the first before the second. */
    record Wire(int one, int other) {
        static Wire of(int a, int b) {
            return new Wire(Math.min(a, b), Math.max(a, b));
        }
    }

    final Setup setup;
    final Journal journal;
    final Machine[] machines;
    final Legs legs;
    final int[] clocks;
    final Jvm[] jvms;
    final boolean[] outCut;
    final boolean[] inCut;

    /** Which networks each node is in, as bits: two nodes reach each other in one of them. */
    final int[] nets;

    /** The wires between two servers that are cut, while everybody else hears both. */
    final Set<Wire> cutWires;

    /** Ticks since the clock of the node last slipped. */
    final int[] steady;

    final List<Envelope> network;
    final List<Entity> entities;
    final List<AgentCall> calls;

    /** When an arbiter first missed the server; only without WAIT_FROM_THE_COMMIT. */
    final int[] missed;

    /** What a granter that does not ask would grant; only without FRESH_GRANTS. */
    Incarnation[] remembered;

    /** The arbiters' copy of the journal, which may lag: servers, and how many events there are. */
    ClusterView view;

    int[] seenSeqs;
    int now;
    int mostMessages = 60;

    /** Faults that a search may still make. */
    int faults = Integer.MAX_VALUE;

    private int nextMessage = 1;
    private final boolean wallJumps;
    @Nullable Consumer<String> log;

    World(Setup setup, boolean wallJumps) {
        this.setup = setup;
        this.wallJumps = wallJumps;
        int nodes = setup.servers().size() + 1;
        journal = new Journal(setup);
        machines = new Machine[nodes - 1];
        for (int i = 0; i < machines.length; i++) {
            machines[i] = new Machine(i, setup);
        }
        legs = new Legs(machines.length, setup.vms().size());
        cutWires = new HashSet<>();
        clocks = new int[nodes];
        jvms = new Jvm[nodes];
        Arrays.fill(jvms, Jvm.DOWN);
        jvms[0] = Jvm.UP;
        outCut = new boolean[nodes];
        inCut = new boolean[nodes];
        nets = new int[nodes];
        Arrays.fill(nets, MAIN);
        steady = new int[nodes];
        network = new ArrayList<>();
        entities = new ArrayList<>();
        calls = new ArrayList<>();
        missed = new int[machines.length];
        Arrays.fill(missed, -1);
        remembered = journal.granted();
        view = ClusterView.EMPTY;
        seenSeqs = new int[setup.vms().size() + machines.length];
    }

    private World(World other) {
        setup = other.setup;
        wallJumps = other.wallJumps;
        journal = other.journal.copy();
        machines = new Machine[other.machines.length];
        for (int i = 0; i < machines.length; i++) {
            machines[i] = other.machines[i].copy();
        }
        legs = new Legs(other.legs);
        cutWires = new HashSet<>(other.cutWires);
        clocks = other.clocks.clone();
        jvms = other.jvms.clone();
        outCut = other.outCut.clone();
        inCut = other.inCut.clone();
        nets = other.nets.clone();
        steady = other.steady.clone();
        network = new ArrayList<>(other.network);
        entities = new ArrayList<>(other.entities.size());
        other.entities.forEach(entity -> entities.add(entity.copy()));
        calls = new ArrayList<>(other.calls);
        missed = other.missed.clone();
        remembered = other.remembered;
        view = other.view;
        seenSeqs = other.seenSeqs;
        now = other.now;
        mostMessages = other.mostMessages;
        faults = other.faults;
        nextMessage = other.nextMessage;
    }

    World copy() {
        return new World(this);
    }

    // ---- nodes

    String nodeName(int node) {
        return node == 0 ? "witness" : setup.servers().get(node - 1).value();
    }

    boolean hasPower(int node) {
        return node == 0 || machines[node - 1].powered;
    }

    boolean works(int node) {
        return hasPower(node) && jvms[node] == Jvm.UP;
    }

    boolean isCut(int node) {
        return outCut[node] || inCut[node];
    }

    /** Whether two servers reach each other, in both directions. */
    boolean linked(int server, int other) {
        return machines[server].powered
                && machines[other].powered
                && !isCut(server + 1)
                && !isCut(other + 1)
                && (nets[server + 1] & nets[other + 1]) != 0
                && !cutWires.contains(Wire.of(server, other));
    }

    private boolean severed(int node, int other) {
        return (nets[node] & nets[other]) == 0 || isWireCut(node, other);
    }

    private boolean isWireCut(int node, int other) {
        return node > 0
                && other > 0
                && !cutWires.isEmpty()
                && cutWires.contains(Wire.of(node - 1, other - 1));
    }

    /** Whether the others of a majority answer it: three voters, the witness and two servers. */
    boolean reachesQuorum(int node) {
        return works(node) && !isCut(node) && (nets[node] & quorum()) != 0;
    }

    /** The network in which it is. */
    private int quorum() {
        return isMajority(ISLAND) ? ISLAND : isMajority(MAIN) ? MAIN : NOWHERE;
    }

    private boolean isMajority(int net) {
        int voters = 0;
        for (int i = 0; i < Math.min(3, jvms.length); i++) {
            if (works(i) && !isCut(i) && (nets[i] & net) != 0) {
                voters++;
            }
        }
        return voters >= 2;
    }

    /** Cut off from where the quorum is, or from everybody. */
    boolean isApart(int node) {
        return isCut(node) || (nets[node] & (isMajority(ISLAND) ? ISLAND : MAIN)) == 0;
    }

    /** Wall time: told to decisions, and wrong by hours now and then. */
    Instant wall() {
        long jump = wallJumps ? (now * 7919L % 5 - 2) * 3600 : 0;
        return wallJumps ? START.plusSeconds(now / 2 + jump) : START;
    }

    // ---- what is on its way

    /** What is on its way already is not sent twice, and there is room for so much only. */
    void send(int from, Message message) {
        if (network.size() >= mostMessages) {
            return;
        }
        for (var envelope : network) {
            if (envelope.message().equals(message)) {
                return;
            }
        }
        network.add(new Envelope(nextMessage++, from, message));
    }

    @Nullable Envelope message(int id) {
        for (var envelope : network) {
            if (envelope.id() == id) {
                return envelope;
            }
        }
        return null;
    }

    boolean arrives(Envelope envelope) {
        if (outCut[envelope.from()] && !(envelope.message() instanceof Message.LateAppend)) {
            return false;
        }
        return switch (envelope.message()) {
            case Message.ToVm(var vm, _) ->
                    reachable(instance(new Pid(true, vm), 0), envelope.from());
            case Message.ToServer(var server, _) ->
                    reachable(instance(new Pid(false, server), 0), envelope.from());
            case Message.ToNode(var server, _) -> reachesNode(server + 1, envelope.from());
            case Message.Welcome(var server, _) -> reachesNode(server + 1, envelope.from());
            case Message.LeaseReply reply ->
                    works(reply.server() + 1) && !inCut[reply.server() + 1];
            case Message.LateAppend _ -> true;
        };
    }

    private boolean reachesNode(int node, int from) {
        return works(node) && !severed(from, node) && (!inCut[node] || from == node);
    }

    private boolean reachable(@Nullable Entity entity, int from) {
        return entity != null
                && works(entity.node)
                && !severed(from, entity.node)
                && (entity.node == from || (!inCut[entity.node] && !outCut[from]));
    }

    // ---- entities

    Pid pid(int number) {
        int vms = setup.vms().size();
        return number < vms ? new Pid(true, number) : new Pid(false, number - vms);
    }

    int number(Pid pid) {
        return pid.vm() ? pid.index() : setup.vms().size() + pid.index();
    }

    int pids() {
        return setup.vms().size() + setup.servers().size();
    }

    String name(Pid pid) {
        return pid.vm()
                ? setup.vms().get(pid.index()).value()
                : "server " + setup.servers().get(pid.index());
    }

    @Nullable Entity instance(Pid pid, int which) {
        int seen = 0;
        for (var entity : entities) {
            if (entity.pid.equals(pid) && seen++ == which) {
                return entity;
            }
        }
        return null;
    }

    int instances(Pid pid) {
        int seen = 0;
        for (var entity : entities) {
            if (entity.pid.equals(pid)) {
                seen++;
            }
        }
        return seen;
    }

    void look() {
        var servers = new ArrayList<ClusterView.ServerView>();
        for (int i = 0; i < machines.length; i++) {
            var state = journal.server(i);
            if (!(state instanceof ServerState.Unknown)) {
                boolean live = state instanceof ServerState.Live;
                servers.add(
                        new ClusterView.ServerView(
                                setup.servers().get(i),
                                journal.newest(i),
                                live,
                                works(i + 1) && !isApart(i + 1),
                                state instanceof ServerState.Known known
                                        && known.losses().quarantined(),
                                state instanceof ServerState.Live s && s.freeze().isPresent(),
                                state instanceof ServerState.Live s2 ? s2.freeMiB() : 0,
                                Setup.SERVER_MEMORY,
                                Optional.empty(),
                                Optional.of(Setup.QEMU)));
            }
        }
        var claims = new ArrayList<ClusterView.Claim>();
        for (int i = 0; i < setup.vms().size(); i++) {
            VmPriority.claim(journal.vm(i), Optional.empty()).ifPresent(claims::add);
        }
        view = new ClusterView(servers, Optional.empty(), claims);
        seenSeqs = new int[pids()];
        for (int i = 0; i < seenSeqs.length; i++) {
            seenSeqs[i] = journal.seq(pid(i));
        }
    }

    /** Whether {@link #look} would see something new. */
    boolean isBehind() {
        var before = view;
        var seqs = seenSeqs;
        look();
        boolean news = !view.equals(before) || !Arrays.equals(seenSeqs, seqs);
        view = before;
        seenSeqs = seqs;
        return news;
    }

    /** Whether another server holds the lock of the VM's shared disk. */
    boolean locked(Machine machine, VmName vm) {
        if (!setup.shared() || !setup.holds(Rule.DISK_LOCK)) {
            return false;
        }
        for (var other : machines) {
            if (other != machine && other.powered) {
                for (var qemu : other.processes.all) {
                    if (qemu.right().vm().equals(vm)) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    // ---- words

    void say(Supplier<String> what) {
        if (log != null) {
            log.accept(what.get());
        }
    }

    void tell(int node, Object before, Object input, Object after) {
        if (log != null && !before.equals(after)) {
            log.accept(
                    nodeName(node) + ": " + Words.of(input) + ": " + Words.change(before, after));
        }
    }
}
