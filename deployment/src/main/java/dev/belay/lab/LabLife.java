package dev.belay.lab;

import dev.belay.lab.LabState.Phase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Brings labs up and takes them down, those that others left behind, too. */
final class LabLife {
    private final LabHandle lab;
    private final LabStore store;
    private final String name;

    LabLife(LabHandle lab) {
        this.lab = lab;
        this.store = lab.store();
        this.name = lab.name();
    }

    /**
     * Brings a lab up and waits till every node is ready. What a killed lab left behind is removed
     * first.
     *
     * @throws LabException if a lab of that name is up, or a node does not get ready in time
     */
    static LabHandle up(LabOptions options) {
        LabPlan.checkedLabName(options.name());
        var plan = LabPlan.nodes(options.servers(), options.witnesses());
        checkMachine();
        if (options.fakeClock() && !Shell.isInstalled("gcc")) {
            throw new LabException(
                    "clocks of the nodes' own need `gcc` on the PATH (Debian: apt-get install gcc)");
        }
        var program =
                options.program().isEmpty() ? NodeFiles.installedProgram() : options.program();
        var store = new LabStore(options.home());
        var lab = new LabHandle(store, options.name(), options.progress());
        var life = new LabLife(lab);
        LabState state;
        try (var _ = LabStore.lock()) {
            life.clearTheGround(options.replace());
            var number = life.freeNumber();
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
                            options.settings(),
                            options.fence(),
                            plan.stream().map(node -> firstBoot(node, number)).toList(),
                            Map.of());
            store.write(state);
            new LabNetwork(state).create(store.home());
        }
        try {
            // Whoever wants to take it down again at this point waits till it can be found whole.
            try (var _ = LabStore.lock()) {
                life.powerOnAll(state, options.fakeClock());
            }
            new LabLook(lab).awaitReady(options.patience());
        } catch (RuntimeException e) {
            life.giveUp(options.keepFailed(), e);
            throw e;
        }
        store.update(options.name(), current -> current.in(Phase.UP));
        return lab;
    }

    private void powerOnAll(LabState state, boolean fakeClock) {
        var network = new LabNetwork(state);
        lab.progress().say("starting " + state.nodes().size() + " nodes");
        // None waits for the next one's cables: while those are made, its JVM starts.
        for (var node : state.nodes()) {
            network.plug(node);
            if (fakeClock) {
                lab.files(node.name()).makeClock();
            }
            lab.files(node.name()).boot(state, node);
            lab.files(node.name()).launch(state, node);
        }
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

    /** Removes the lab: processes, namespaces, bridges, files. Does nothing if it is gone. */
    void down() {
        checkMachine();
        try (var _ = LabStore.lock()) {
            store.read(name).ifPresent(state -> store.write(state.in(Phase.STOPPING)));
            remove(store, name);
        }
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
                lab.progress().say("removing what is left of lab " + trace.lab());
                remove(theirs, trace.lab());
            }
        }
        for (var other : store.names()) {
            if (!other.equals(name) && store.read(other).filter(LabLife::isAbandoned).isPresent()) {
                lab.progress().say("removing what is left of lab " + other);
                remove(store, other);
            }
        }
        if (existing.isPresent()) {
            lab.progress().say("removing the earlier lab " + name);
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
                        .filter(node -> lab.jvm(node).isPresent())
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
}
