package dev.belay.lab;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.lab.LabState.Phase;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * A real cluster on this machine: every node its own JVM in its own network namespace, with its own
 * data folder, real QEMUs, and guests that this machine reaches.
 *
 * <pre>{@code
 * try (var lab = Lab.up("try", 2, 1)) {
 *     var guest = lab.vm(TestVm.of("web"));
 *     lab.kill(lab.serversRunning("web").getFirst());
 *     lab.awaitGuest(guest.address(), Duration.ofSeconds(30));
 * }
 * }</pre>
 *
 * <p>The lab itself is in the kernel and in files, not in this object: it outlives the process, any
 * number of processes may {@link #open} it, and each may do everything. It needs root.
 */
public final class Lab implements AutoCloseable {
    private static final int LOG_LINES = 15;
    private static final int HOPELESS_STARTS = 4;
    private static final int GUEST_PORT = 9;
    private static final long LOOK_MILLIS = 100;
    private static final long REPORT_SECONDS = 5;

    private final LabStore store;
    private final String name;
    private final LabOptions.Progress progress;

    private Lab(LabStore store, String name, LabOptions.Progress progress) {
        this.store = store;
        this.name = name;
        this.progress = progress;
    }

    /** How a node is doing. */
    public enum NodeState {
        /** Has joined the cluster, and its journal takes writes. */
        READY("ready"),
        /** Its JVM runs, but it says that it is not ready, or says nothing. */
        NOT_READY("not-ready"),
        /** Its JVM ended, and its supervisor is about to start it again. */
        RESTARTING("restarting"),
        /** All of its processes are stopped by a signal. */
        PAUSED("paused"),
        /** Its JVM does not run and will not be started; its guests may go on. */
        STOPPED("stopped"),
        /** Its power is cut. */
        OFF("off");

        private final String word;

        NodeState(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }
    }

    /** What gets through a node's cluster network. */
    public enum Link {
        UP("up"),
        /** Nothing gets through. */
        CUT("cut"),
        /** Nothing reaches the node; what it sends arrives. */
        CUT_IN("cut-in"),
        /** Nothing that it sends arrives; it hears the others. */
        CUT_OUT("cut-out"),
        /** The node's power is off. */
        DOWN("down");

        private final String word;

        Link(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }

        static Link of(boolean in, boolean out) {
            if (in && out) {
                return CUT;
            }
            if (in) {
                return CUT_IN;
            }
            return out ? CUT_OUT : UP;
        }
    }

    /** What {@link #cut} is to stop. */
    public enum Direction {
        /** What others send to the node. */
        IN,
        /** What the node sends. */
        OUT,
        BOTH
    }

    /**
     * One node as it is now.
     *
     * @param role {@code server} or {@code witness}
     * @param why it is not ready; empty when it is
     * @param jvm process id of its JVM, if that runs
     * @param boots how many times its power was switched on
     */
    public record NodeStatus(
            String name,
            String role,
            NodeState state,
            String why,
            Link link,
            URI api,
            boolean voter,
            OptionalLong jvm,
            int boots) {}

    /** The lab as it is now. */
    public record Status(String name, Path folder, List<NodeStatus> nodes) {
        public boolean isReady() {
            return nodes.stream().allMatch(node -> node.state == NodeState.READY);
        }
    }

    /** A VM of the test guest, and where it answers. */
    public record Guest(String name, String address) {}

    /**
     * A QEMU process found in a node's namespace.
     *
     * @param startedTicks when it was started, in 10 ms from the machine's boot
     */
    public record Qemu(String node, long pid, long startedTicks) {}

    // --- life of a lab ---

    /** Brings up a lab of real nodes that belongs to this process, and waits till all are ready. */
    public static Lab up(String name, int servers, int witnesses) {
        return up(LabOptions.of(name, servers, witnesses).boundToThisProcess());
    }

    /**
     * Brings a lab up and waits till every node is ready. What a killed lab left behind is removed
     * first.
     *
     * @throws LabException if a lab of that name is up, or a node does not get ready in time
     */
    public static Lab up(LabOptions options) {
        LabPlan.checkedLabName(options.name());
        var plan = LabPlan.nodes(options.servers(), options.witnesses());
        checkMachine();
        var program =
                options.program().isEmpty() ? NodeFiles.installedProgram() : options.program();
        var store = new LabStore(options.home());
        var lab = new Lab(store, options.name(), options.progress());
        LabState state;
        try (var _ = LabStore.lock()) {
            lab.clearTheGround(options.replace());
            var number = lab.freeNumber();
            var owner = ProcessHandle.current();
            state =
                    new LabState(
                            options.name(),
                            number,
                            Phase.STARTING,
                            options.bound(),
                            owner.pid(),
                            LabState.started(owner),
                            memoryPerServer(options.servers()),
                            program,
                            NodeFiles.environment(options.environment()),
                            plan.stream().map(node -> firstBoot(node, number)).toList(),
                            Map.of());
            store.write(state);
            new LabNetwork(state).create(store.home());
        }
        try {
            // Whoever wants to take it down again at this point waits till it can be found whole.
            try (var _ = LabStore.lock()) {
                lab.powerOnAll(state);
            }
            lab.awaitReady(options.patience());
        } catch (RuntimeException e) {
            lab.giveUp(options.keepFailed(), e);
            throw e;
        }
        store.update(options.name(), current -> current.in(Phase.UP));
        return lab;
    }

    private void powerOnAll(LabState state) {
        var network = new LabNetwork(state);
        for (var node : state.nodes()) {
            network.plug(node);
            files(node.name()).boot(state, node);
        }
        progress.say("networks are there; starting " + state.nodes().size() + " nodes");
        // All at once: they wait for each other anyway.
        state.nodes().forEach(node -> files(node.name()).launch(state, node));
    }

    private void giveUp(boolean keep, RuntimeException cause) {
        try {
            if (keep) {
                store.update(name, current -> current.in(Phase.FAILED));
            } else {
                down();
            }
        } catch (RuntimeException e) {
            cause.addSuppressed(e);
        }
    }

    /** A lab that is there. */
    public static Lab open(String name) {
        return open(name, LabStore.defaultHome());
    }

    public static Lab open(String name, Path home) {
        var store = new LabStore(home);
        LabPlan.checkedLabName(name);
        if (store.read(name).isEmpty()) {
            throw store.gone(name);
        }
        return new Lab(store, name, _ -> {});
    }

    /** The same lab, with lines about its progress going there. */
    public Lab saying(LabOptions.Progress newProgress) {
        return new Lab(store, name, newProgress);
    }

    /** All labs of that home. */
    public static List<String> list(Path home) {
        var store = new LabStore(home);
        return store.names().stream().filter(lab -> store.read(lab).isPresent()).toList();
    }

    public static List<String> list() {
        return list(LabStore.defaultHome());
    }

    /** Removes the lab: processes, namespaces, bridges, files. Does nothing if it is gone. */
    public void down() {
        checkMachine();
        try (var _ = LabStore.lock()) {
            store.read(name).ifPresent(state -> store.write(state.in(Phase.STOPPING)));
            remove(store, name);
        }
    }

    /** {@link #down}. */
    @Override
    public void close() {
        down();
    }

    /** That lab, if it is there and this process brought it up. */
    static Optional<Lab> ownedByThisProcess(String name, Path home) {
        return new LabStore(home)
                .read(name)
                .filter(state -> state.ownerPid() == ProcessHandle.current().pid())
                .filter(LabState::isOwnerAlive)
                .map(_ -> open(name, home));
    }

    /** In this order: as long as the folder or the bridge is there, the rest can be found again. */
    private static void remove(LabStore store, String lab) {
        LabNetwork.removeAll(lab);
        LabStore.deleteTree(store.folder(lab));
    }

    /** Removes what killed labs left, and makes sure that nobody uses this lab's name. */
    private void clearTheGround(boolean replace) {
        var existing = store.read(name);
        if (existing.isPresent() && !replace) {
            refuseIfInUse(existing.get());
        }
        for (var trace : LabNetwork.traces()) {
            var theirs = new LabStore(trace.home());
            var state = theirs.read(trace.lab());
            if (trace.lab().equals(name)) {
                if (!theirs.home().equals(store.home()) && state.isPresent()) {
                    throw new LabException(
                            "a lab '"
                                    + name
                                    + "' lives in "
                                    + theirs.home()
                                    + " already; take another name, or BELAY_LAB_HOME="
                                    + theirs.home());
                }
            } else if (state.isEmpty() || isAbandoned(state.get())) {
                progress.say("removing what is left of lab " + trace.lab());
                remove(theirs, trace.lab());
            }
        }
        for (var other : store.names()) {
            if (!other.equals(name) && store.read(other).filter(Lab::isAbandoned).isPresent()) {
                progress.say("removing what is left of lab " + other);
                remove(store, other);
            }
        }
        if (existing.isPresent()) {
            progress.say("removing the earlier lab " + name);
        }
        remove(store, name);
    }

    private void refuseIfInUse(LabState state) {
        if (state.phase() == Phase.STARTING && state.isOwnerAlive()) {
            throw new LabException(
                    "lab " + name + " is being started by process " + state.ownerPid());
        }
        if (state.phase() != Phase.UP || isAbandoned(state)) {
            return;
        }
        var running =
                state.nodes().stream()
                        .map(LabState.Node::name)
                        .filter(node -> jvm(node).isPresent())
                        .toList();
        if (!running.isEmpty()) {
            throw new LabException(
                    "lab "
                            + name
                            + " is up ("
                            + String.join(", ", running)
                            + (running.size() == 1 ? " runs" : " run")
                            + "): `belay lab down --name "
                            + name
                            + "` takes it down, `--replace` does both, `--name` gives another one");
        }
    }

    /** Whether nobody will miss it: cut short, ownerless, or gone with the machine's last boot. */
    private static boolean isAbandoned(LabState state) {
        return switch (state.phase()) {
            case STARTING, STOPPING -> !state.isOwnerAlive();
            case FAILED -> state.bound() && !state.isOwnerAlive();
            case UP ->
                    state.bound() && !state.isOwnerAlive()
                            || !new NodeProcesses(LabPlan.switchNamespace(state.name())).exists();
        };
    }

    private int freeNumber() {
        var taken = new ArrayList<>(LabNetwork.takenNumbers());
        for (var other : store.names()) {
            store.read(other).map(LabState::number).ifPresent(taken::add);
        }
        return LabPlan.freeNumber(taken);
    }

    private static LabState.Node firstBoot(LabPlan.Planned node, int number) {
        return new LabState.Node(
                node.name(),
                node.role(),
                node.voter(),
                node.index(),
                LabPlan.clusterAddress(number, node.index()),
                LabPlan.clientAddress(number, node.index()),
                true,
                1,
                UUID.randomUUID().toString());
    }

    /** The servers share this machine; a quarter of it is for everything else. */
    private static int memoryPerServer(int servers) {
        try (var lines = Files.lines(Path.of("/proc/meminfo"))) {
            var kib =
                    lines.filter(line -> line.startsWith("MemAvailable:"))
                            .map(line -> line.replaceAll("\\D", ""))
                            .mapToLong(Long::parseLong)
                            .findFirst()
                            .orElse(0);
            return (int) Math.max(512, kib / 1024 * 3 / 4 / servers);
        } catch (IOException e) {
            throw new LabException("cannot read /proc/meminfo: " + e.getMessage(), e);
        }
    }

    private static void checkMachine() {
        for (var tool : List.of("ip", "nft", "setsid", "bash")) {
            if (!Shell.isInstalled(tool)) {
                throw new LabException(
                        "the lab needs `"
                                + tool
                                + "` on the PATH (Debian: apt-get install iproute2 nftables"
                                + " util-linux bash)");
            }
        }
        try {
            if (!Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
                throw new LabException(
                        "the lab makes network namespaces and bridges, so it needs root: sudo it");
            }
        } catch (IOException e) {
            throw new LabException("cannot see who runs this: " + e.getMessage(), e);
        }
    }

    // --- looking at it ---

    public String name() {
        return name;
    }

    /** Everything of this lab on disk. */
    public Path folder() {
        return store.folder(name);
    }

    /** A folder that is the same for all servers, as on shared storage. */
    public Path sharedFolder() {
        return folder().resolve("shared");
    }

    public Path log(String node) {
        state().node(node);
        return files(node).log();
    }

    /** Node's data folder: survives power cuts. */
    public Path data(String node) {
        state().node(node);
        return files(node).data();
    }

    /** The end of a node's log. */
    public List<String> lastLogLines(String node, int count) {
        state().node(node);
        return files(node).lastLines(count);
    }

    /** Names of all nodes, servers first. */
    public List<String> nodes() {
        return state().nodes().stream().map(LabState.Node::name).toList();
    }

    /** Names of the servers. */
    public List<String> servers() {
        return state().nodes().stream()
                .filter(node -> node.role() == LabPlan.Role.SERVER)
                .map(LabState.Node::name)
                .toList();
    }

    /** The network namespace of a node, for {@code ip netns exec}. */
    public String namespace(String node) {
        return LabPlan.namespace(name, state().node(node).name());
    }

    /** The namespace of the switch between the nodes; a node's port there is {@code c-NODE}. */
    public String switchNamespace() {
        return LabPlan.switchNamespace(name);
    }

    /** A node's address on the cluster network. */
    public String clusterAddress(String node) {
        return state().node(node).clusterAddress();
    }

    /** Where a node's HTTP API is, whether or not it answers. */
    public URI api(String node) {
        return api(state().node(node));
    }

    /** The APIs of all nodes whose power is on. */
    public List<URI> apis() {
        return state().nodes().stream().filter(LabState.Node::powered).map(Lab::api).toList();
    }

    private static URI api(LabState.Node node) {
        return URI.create("http://" + node.clientAddress() + ":" + LabPlan.API_PORT);
    }

    /** What a path of the API says, from whichever node answers; absent if it is not found. */
    public Optional<JsonNode> get(String path) {
        return LabApi.get(apis(), path);
    }

    public Status status() {
        var state = state();
        return look(state, new LabNetwork(state).links());
    }

    private Status look(LabState state, Map<String, Link> links) {
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var looks =
                    state.nodes().stream()
                            .map(node -> pool.submit(() -> look(node, links)))
                            .toList();
            var nodes = new ArrayList<NodeStatus>();
            for (var look : looks) {
                nodes.add(look.get());
            }
            return new Status(name, folder(), List.copyOf(nodes));
        } catch (java.util.concurrent.ExecutionException e) {
            throw new LabException("cannot look at the nodes: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted", e);
        }
    }

    private NodeStatus look(LabState.Node node, Map<String, Link> links) {
        var all = processes(node.name()).all();
        var jvmPid = files(node.name()).jvm().orElse(-1);
        var supervisorPid = files(node.name()).supervisor().orElse(-1);
        var jvm = all.stream().filter(process -> process.pid() == jvmPid).findFirst();
        var supervised = all.stream().anyMatch(process -> process.pid() == supervisorPid);
        var state = NodeState.NOT_READY;
        var why = "";
        if (!node.powered()) {
            state = NodeState.OFF;
            why = "its power is cut";
        } else if (!all.isEmpty() && all.stream().allMatch(NodeProcesses.Running::isStopped)) {
            state = NodeState.PAUSED;
            why = "all of its processes are stopped";
        } else if (jvm.isEmpty()) {
            state = supervised ? NodeState.RESTARTING : NodeState.STOPPED;
            why = supervised ? "its JVM is about to be started" : "its JVM does not run";
        } else {
            var reason = LabApi.whyNotReady(api(node));
            state = reason.isEmpty() ? NodeState.READY : NodeState.NOT_READY;
            why = reason.orElse("");
        }
        return new NodeStatus(
                node.name(),
                node.role().word(),
                state,
                why,
                node.powered() ? links.getOrDefault(node.name(), Link.UP) : Link.DOWN,
                api(node),
                node.voter(),
                jvm.isPresent() ? OptionalLong.of(jvmPid) : OptionalLong.empty(),
                node.boots());
    }

    /** Process ids of everything that runs on a node. */
    public List<Long> processIds(String node) {
        return processes(state().node(node).name()).all().stream()
                .map(NodeProcesses.Running::pid)
                .toList();
    }

    /**
     * The QEMU processes of a VM of the test guest, as the kernel's process table says: nothing
     * that Belay reports is asked for this.
     */
    public List<Qemu> qemus(String vm) {
        var mark = " belay.name=" + vm + " ";
        var found = new ArrayList<Qemu>();
        for (var node : servers()) {
            processes(node).all().stream()
                    .filter(process -> isQemu(process.commandLine()))
                    .filter(process -> (process.commandLine() + " ").contains(mark))
                    .max(
                            java.util.Comparator.comparingLong(NodeProcesses.Running::startedTicks)
                                    .thenComparingLong(NodeProcesses.Running::pid))
                    .ifPresent(process ->
                            found.add(new Qemu(node, process.pid(), process.startedTicks())));
        }
        return found;
    }

    /** A leash is started with the whole command of its QEMU, but is none. */
    private static boolean isQemu(String commandLine) {
        var first = commandLine.split(" ", 2)[0];
        return commandLine.contains("qemu-system") && !first.endsWith("leash");
    }

    /** The servers on which a VM has a QEMU process. */
    public List<String> serversRunning(String vm) {
        return qemus(vm).stream().map(Qemu::node).toList();
    }

    /**
     * Waits till every node that has power is ready.
     *
     * @throws LabException with the last log lines of those that are not
     */
    public void awaitReady(Duration patience) {
        awaitReady(nodes(), patience);
    }

    /** Waits till that node is ready. */
    public void awaitReady(String node, Duration patience) {
        awaitReady(List.of(node), patience);
    }

    private void awaitReady(List<String> concerned, Duration patience) {
        var began = System.nanoTime();
        var reported = began;
        var told = new LinkedHashMap<String, String>();
        while (true) {
            var waiting =
                    // Links do not matter here, and asking for them costs processes each time.
                    look(state(), Map.of()).nodes().stream()
                            .filter(node -> concerned.contains(node.name))
                            .filter(node -> node.state != NodeState.OFF)
                            .filter(node -> node.state != NodeState.READY)
                            .toList();
            var now = System.nanoTime();
            for (var node : concerned) {
                var ready = waiting.stream().noneMatch(other -> other.name.equals(node));
                if (ready && !"ready".equals(told.put(node, "ready"))) {
                    progress.say(node + " is ready");
                } else if (!ready) {
                    told.put(node, "");
                }
            }
            if (waiting.isEmpty()) {
                return;
            }
            var hopeless =
                    waiting.stream()
                            .filter(node -> files(node.name).starts() >= HOPELESS_STARTS)
                            .toList();
            if (!hopeless.isEmpty()) {
                throw notReady("keeps ending as soon as it is started", hopeless);
            }
            if (now - began > patience.toNanos()) {
                throw notReady("did not get ready within " + patience.toSeconds() + " s", waiting);
            }
            if (now - reported > TimeUnit.SECONDS.toNanos(REPORT_SECONDS)) {
                reported = now;
                waiting.forEach(node -> progress.say("waiting for " + node.name + ": " + node.why));
            }
            Shell.pause(LOOK_MILLIS);
        }
    }

    private LabException notReady(String what, List<NodeStatus> nodes) {
        var text = new StringBuilder();
        for (var node : nodes) {
            text.append(node.name)
                    .append(' ')
                    .append(what)
                    .append(" (")
                    .append(node.state.word)
                    .append(": ")
                    .append(node.why)
                    .append("). Last lines of ")
                    .append(files(node.name).log())
                    .append(":\n");
            files(node.name)
                    .lastLines(LOG_LINES)
                    .forEach(line -> text.append("    ").append(line).append('\n'));
        }
        text.append("`belay lab status --name ")
                .append(name)
                .append("` says more while the lab is there, `belay lab down --name ")
                .append(name)
                .append("` removes it.");
        return new LabException(text.toString());
    }

    // --- faults ---

    /**
     * Cuts a node's power: its links drop first, silently, then everything that runs there gets
     * SIGKILL. Nobody receives a last word from it. Its data folder stays as it is.
     *
     * @return when the links were dropped, just before
     */
    public Instant kill(String node) {
        var state = state();
        var victim = state.node(node);
        if (!victim.powered()) {
            throw new LabException(node + " is off already");
        }
        var network = new LabNetwork(state);
        var at = network.dropLinks(victim);
        processes(node).kill();
        network.unplug(victim);
        store.update(name, current -> current.with(node, LabState.Node::poweredOff));
        return at;
    }

    /**
     * SIGKILL to everything on a node while its kernel and its links live on: the others hear of it
     * by FIN and RST. It is the same boot if the node is started again.
     *
     * @return just before the signals
     */
    public Instant killProcesses(String node) {
        powered(node);
        var at = Instant.now();
        processes(node).kill();
        return at;
    }

    /**
     * SIGKILL to the node's JVM only; its guests go on. Its supervisor starts it again at once.
     *
     * @return just before the signal
     */
    public Instant crash(String node) {
        powered(node);
        var pid =
                jvm(node)
                        .orElseThrow(
                                () -> new LabException("the JVM of " + node + " is not running"));
        var at = Instant.now();
        NodeProcesses.kill(pid);
        return at;
    }

    /** Like {@link #crash}, and the JVM stays away until {@link #start}. */
    public Instant crashForGood(String node) {
        powered(node);
        files(node)
                .supervisor()
                .ifPresent(pid -> {
                    if (processes(node).contains(pid)) {
                        NodeProcesses.kill(pid);
                    }
                });
        return crash(node);
    }

    /** SIGSTOP to everything on a node, JVM, QEMUs and storage daemons. */
    public void pause(String node) {
        powered(node);
        processes(node).stop();
    }

    /** SIGCONT to everything on a node. */
    public void resume(String node) {
        powered(node);
        processes(node).resume();
    }

    /**
     * Its cluster network silently drops packets: nobody is told, nothing is refused. Adds to what
     * is cut already, and outlasts a power cut, as a broken cable would.
     */
    public void cut(String node, Direction direction) {
        var state = state();
        new LabNetwork(state)
                .cut(state.node(node), direction != Direction.OUT, direction != Direction.IN);
    }

    /** Undoes every {@link #cut} of that node. */
    public void heal(String node) {
        var state = state();
        new LabNetwork(state).heal(state.node(node));
    }

    /**
     * Starts what does not run: after a power cut as a new boot, after a crash as the same one.
     * Does not wait till it is ready.
     *
     * @return false if the node runs, and nothing was changed
     */
    public boolean start(String node) {
        try (var _ = LabStore.lock()) {
            var state = state();
            var known = state.node(node);
            if (!known.powered()) {
                var booted =
                        store.update(
                                name,
                                current ->
                                        current.with(
                                                node,
                                                off ->
                                                        off.poweredOn(
                                                                UUID.randomUUID().toString())));
                var network = new LabNetwork(booted);
                // Whatever an earlier start that was cut short has left.
                network.unplug(known);
                network.plug(known);
                files(node).boot(booted, booted.node(node));
                files(node).launch(booted, booted.node(node));
                return true;
            }
            if (supervised(node)) {
                return false;
            }
            jvm(node).ifPresent(NodeProcesses::kill);
            files(node).launch(state, known);
            return true;
        }
    }

    // --- guests ---

    /** Creates a VM of the test guest and, unless told otherwise, waits till it answers. */
    public Guest vm(TestVm vm) {
        var wanted = vm.name();
        var state =
                store.update(
                        name,
                        current ->
                                current.guests().containsKey(wanted)
                                        ? current
                                        : current.withGuest(
                                                wanted,
                                                LabPlan.freeGuestAddress(
                                                        current.number(),
                                                        current.guests().values())));
        var address = String.valueOf(state.guests().get(wanted));
        var spec = vm.spec(state, address, sharedFolder());
        vm.makeDisk(sharedFolder());
        LabApi.post(apis(), "/api/v1/vms", spec);
        progress.say("VM " + wanted + " is created; its address is " + address);
        if (!vm.await().isZero()) {
            awaitGuest(address, vm.await());
        }
        return new Guest(wanted, address);
    }

    /** Waits till the guest at an address answers on port 9, and returns what it says. */
    public String awaitGuest(String address, Duration patience) {
        var began = System.nanoTime();
        var reported = began;
        while (true) {
            var answer = ask(address);
            if (answer.isPresent()) {
                progress.say("the guest at " + address + " answers: " + answer.get());
                return answer.get();
            }
            var now = System.nanoTime();
            if (now - began > patience.toNanos()) {
                throw new LabException(
                        "the guest at "
                                + address
                                + " did not answer on port "
                                + GUEST_PORT
                                + " within "
                                + patience.toSeconds()
                                + " s; `belay vm list --lab "
                                + name
                                + "` says how Belay sees it");
            }
            if (now - reported > TimeUnit.SECONDS.toNanos(REPORT_SECONDS)) {
                reported = now;
                progress.say("waiting for the guest at " + address);
            }
            Shell.pause(LOOK_MILLIS);
        }
    }

    private static Optional<String> ask(String address) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, GUEST_PORT), 500);
            socket.setSoTimeout(1000);
            socket.getOutputStream().write('\n');
            var answer = socket.getInputStream().readNBytes(1);
            if (answer.length == 0) {
                return Optional.empty();
            }
            var rest = new java.io.ByteArrayOutputStream();
            rest.writeBytes(answer);
            for (int next = answer[0]; next != '\n' && rest.size() < 200; ) {
                next = socket.getInputStream().read();
                if (next < 0) {
                    break;
                }
                rest.write(next);
            }
            return Optional.of(rest.toString(java.nio.charset.StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    // --- inside ---

    private LabState state() {
        return store.read(name).orElseThrow(() -> store.gone(name));
    }

    private NodeFiles files(String node) {
        return new NodeFiles(store.nodeFolder(name, node));
    }

    private NodeProcesses processes(String node) {
        return new NodeProcesses(LabPlan.namespace(name, node));
    }

    /** The JVM's process id, if it is there. */
    private Optional<Long> jvm(String node) {
        var pid = files(node).jvm();
        return pid.isPresent() && processes(node).contains(pid.getAsLong())
                ? Optional.of(pid.getAsLong())
                : Optional.empty();
    }

    private boolean supervised(String node) {
        var pid = files(node).supervisor();
        return pid.isPresent() && processes(node).contains(pid.getAsLong());
    }

    private void powered(String node) {
        if (!state().node(node).powered()) {
            throw new LabException(node + " is off: `belay lab start " + node + "` powers it on");
        }
    }
}
