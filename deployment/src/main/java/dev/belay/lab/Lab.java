package dev.belay.lab;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.clock.BootClock;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

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
    private final LabHandle lab;

    private Lab(LabHandle lab) {
        this.lab = lab;
    }

    /** What {@link #cut} is to stop. */
    public enum Direction {
        /** What others send to the node. */
        IN,
        /** What the node sends. */
        OUT,
        BOTH
    }

    /** A VM of the test guest, and where it answers. */
    public record Guest(String name, String address) {}

    /**
     * A QEMU process found in a node's namespace.
     *
     * @param startedTicks when it was started, in 10 ms from the machine's boot
     */
    public record Qemu(String node, long pid, long startedTicks) {
        private static final long NANOS_PER_TICK = 10_000_000;

        /** When it was started, to 10 ms, by this machine's wall clock. */
        public Instant started() {
            return Instant.now().minusNanos(BootClock.nanos() - startedTicks * NANOS_PER_TICK);
        }
    }

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
        return new Lab(LabLife.up(options));
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
        return new Lab(new LabHandle(store, name, _ -> {}));
    }

    /** The same lab, with lines about its progress going there. */
    public Lab saying(LabOptions.Progress progress) {
        return new Lab(new LabHandle(lab.store(), lab.name(), progress));
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
        new LabLife(lab).down();
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

    // --- looking at it ---

    public String name() {
        return lab.name();
    }

    /** Everything of this lab on disk. */
    public Path folder() {
        return lab.folder();
    }

    /** A folder that is the same for all servers, as on shared storage. */
    public Path sharedFolder() {
        return lab.sharedFolder();
    }

    public Path log(String node) {
        return known(node).log();
    }

    /** Node's data folder: survives power cuts. */
    public Path data(String node) {
        return known(node).data();
    }

    public Path config(String node) {
        return known(node).config();
    }

    /** The command that starts a node, but for its last word, the configuration. */
    public List<String> program() {
        return lab.state().program();
    }

    /** The end of a node's log. */
    public List<String> lastLogLines(String node, int count) {
        return known(node).lastLines(count);
    }

    private NodeFiles known(String node) {
        return lab.files(lab.state().node(node).name());
    }

    /** Names of all nodes, servers first. */
    public List<String> nodes() {
        return lab.nodes();
    }

    /** Names of the servers. */
    public List<String> servers() {
        return lab.servers();
    }

    /** The network namespace of a node, for {@code ip netns exec}. */
    public String namespace(String node) {
        return LabPlan.namespace(name(), lab.state().node(node).name());
    }

    /** The namespace of the switch between the nodes; a node's port there is {@code c-NODE}. */
    public String switchNamespace() {
        return LabPlan.switchNamespace(name());
    }

    /** A node's address on the cluster network. */
    public String clusterAddress(String node) {
        return lab.state().node(node).clusterAddress();
    }

    /** Where a node's HTTP API is, whether or not it answers. */
    public URI api(String node) {
        return lab.state().node(node).api();
    }

    /** The APIs of all nodes whose power is on. */
    public List<URI> apis() {
        return lab.apis();
    }

    /** What a path of the API says, from whichever node answers; absent if it is not found. */
    public Optional<JsonNode> get(String path) {
        return LabApi.get(apis(), path);
    }

    /**
     * Has whichever node answers do what a path of the API asks for that needs no body.
     *
     * @throws LabException if none does
     */
    public JsonNode post(String path) {
        return LabApi.post(apis(), path, LabStore.JSON.createObjectNode());
    }

    /** Has whichever node answers delete what is at a path of the API; done if it is not there. */
    public void delete(String path) {
        LabApi.delete(apis(), path);
    }

    public LabStatus status() {
        return new LabLook(lab).status();
    }

    /** Process ids of everything that runs on a node. */
    public List<Long> processIds(String node) {
        return lab.processes(lab.state().node(node).name()).all().stream()
                .map(NodeProcesses.Running::pid)
                .toList();
    }

    /**
     * The QEMU processes of a VM, as the kernel's process table says: nothing that Belay reports is
     * asked for this.
     */
    public List<Qemu> qemus(String vm) {
        return new LabGuests(lab).qemus(vm);
    }

    /** Of these, the ones that no signal has stopped. */
    public List<Qemu> runningQemus(String vm) {
        return new LabGuests(lab).runningQemus(vm);
    }

    /** The taps of a server whose guests may send, as its kernel's packet filter says. */
    public List<String> openTaps(String server) {
        return LabNetwork.openTaps(namespace(server));
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
        new LabLook(lab).awaitReady(patience);
    }

    /** Waits till that node is ready. */
    public void awaitReady(String node, Duration patience) {
        new LabLook(lab).awaitReady(List.of(node), patience);
    }

    /** Waits till a VM runs on two servers in lockstep, and says how far it is. */
    public void awaitLockstep(String vm, Duration patience) {
        new LabGuests(lab).awaitLockstep(vm, patience);
    }

    // --- faults ---

    private LabFaults faults() {
        return new LabFaults(lab);
    }

    /**
     * Cuts a node's power: its links drop first, silently, then everything that runs there gets
     * SIGKILL. Nobody receives a last word from it. Its data folder stays as it is.
     *
     * @return when the links were dropped, just before
     */
    public Instant kill(String node) {
        return faults().kill(node);
    }

    /**
     * SIGKILL to everything on a node while its kernel and its links live on: the others hear of it
     * by FIN and RST. It is the same boot if the node is started again.
     *
     * @return just before the signals
     */
    public Instant killProcesses(String node) {
        return faults().killProcesses(node);
    }

    /**
     * SIGKILL to the node's JVM only; its guests go on. Its supervisor starts it again at once.
     *
     * @return just before the signal
     */
    public Instant crash(String node) {
        return faults().crash(node);
    }

    /** Like {@link #crash}, and the JVM stays away until {@link #start}. */
    public Instant crashForGood(String node) {
        return faults().crashForGood(node);
    }

    /** SIGSTOP to everything on a node, JVM, QEMUs and storage daemons. */
    public void pause(String node) {
        faults().pause(node);
    }

    /** SIGCONT to everything on a node. */
    public void resume(String node) {
        faults().resume(node);
    }

    /**
     * Its cluster network silently drops packets: nobody is told, nothing is refused. Adds to what
     * is cut already, and outlasts a power cut, as a broken cable would.
     */
    public void cut(String node, Direction direction) {
        faults().cut(node, direction);
    }

    /** The same, but only between the two: everybody else hears both. */
    public void cut(String node, String other, Direction direction) {
        faults().cut(node, other, direction);
    }

    /** Undoes every {@link #cut} of that node. */
    public void heal(String node) {
        faults().heal(node);
    }

    /**
     * Cuts and heals a node's cluster network in turn for that long, then leaves it whole.
     *
     * @param every how long each cut and each pause between two cuts lasts; 100 ms at least
     */
    public void flap(String node, Duration every, Duration span) {
        faults().flap(node, every, span);
    }

    /**
     * Lets a node's wall clock jump: it is that much ahead of this machine's, or behind. What
     * measures time (monotonic, boot time) is not touched.
     *
     * @throws LabException unless the lab was brought up {@link LabOptions#withFakeClock}
     */
    public void clock(String node, Duration ahead) {
        faults().clock(node, ahead);
    }

    /**
     * Starts what does not run: after a power cut as a new boot, after a crash as the same one.
     * Does not wait till it is ready.
     *
     * @return false if the node runs, and nothing was changed
     */
    public boolean start(String node) {
        return faults().start(node);
    }

    // --- guests ---

    /** Creates a VM of the test guest and, unless told otherwise, waits till it answers. */
    public Guest vm(TestVm vm) {
        return new LabGuests(lab).vm(vm);
    }

    /** Waits till the guest at an address answers on port 9, and returns what it says. */
    public String awaitGuest(String address, Duration patience) {
        return new LabGuests(lab).awaitGuest(address, patience);
    }
}
