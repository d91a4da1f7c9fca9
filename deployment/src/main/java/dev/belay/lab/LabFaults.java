package dev.belay.lab;

import java.time.Instant;
import java.util.UUID;

/** What can happen to the nodes of a lab. */
final class LabFaults {
    private final LabHandle lab;

    LabFaults(LabHandle lab) {
        this.lab = lab;
    }

    /**
     * Cuts a node's power: its links drop first, silently, then everything that runs there gets
     * SIGKILL. Nobody receives a last word from it. Its data folder stays as it is.
     *
     * @return when the links were dropped, just before
     */
    Instant kill(String node) {
        var state = lab.state();
        var victim = state.node(node);
        if (!victim.powered()) {
            throw new LabException(node + " is off already");
        }
        var network = new LabNetwork(state);
        var at = network.dropLinks(victim);
        lab.processes(node).kill();
        network.unplug(victim);
        lab.store().update(lab.name(), current -> current.with(node, LabState.Node::poweredOff));
        return at;
    }

    /**
     * SIGKILL to everything on a node while its kernel and its links live on: the others hear of it
     * by FIN and RST. It is the same boot if the node is started again.
     *
     * @return just before the signals
     */
    Instant killProcesses(String node) {
        lab.requirePower(node);
        var at = Instant.now();
        lab.processes(node).kill();
        return at;
    }

    /**
     * SIGKILL to the node's JVM only; its guests go on. Its supervisor starts it again at once.
     *
     * @return just before the signal
     */
    Instant crash(String node) {
        lab.requirePower(node);
        var pid =
                lab.jvm(node)
                        .orElseThrow(
                                () -> new LabException("the JVM of " + node + " is not running"));
        var at = Instant.now();
        NodeProcesses.kill(pid);
        return at;
    }

    /** Like {@link #crash}, and the JVM stays away until {@link #start}. */
    Instant crashForGood(String node) {
        lab.requirePower(node);
        lab.files(node)
                .supervisor()
                .ifPresent(pid -> {
                    if (lab.processes(node).contains(pid)) {
                        NodeProcesses.kill(pid);
                    }
                });
        return crash(node);
    }

    /** SIGSTOP to everything on a node, JVM, QEMUs and storage daemons. */
    void pause(String node) {
        lab.requirePower(node);
        lab.processes(node).stop();
    }

    /** SIGCONT to everything on a node. */
    void resume(String node) {
        lab.requirePower(node);
        lab.processes(node).resume();
    }

    /**
     * Its cluster network silently drops packets: nobody is told, nothing is refused. Adds to what
     * is cut already, and outlasts a power cut, as a broken cable would.
     */
    void cut(String node, Lab.Direction direction) {
        var state = lab.state();
        new LabNetwork(state)
                .cut(
                        state.node(node),
                        direction != Lab.Direction.OUT,
                        direction != Lab.Direction.IN);
    }

    /** Undoes every {@link #cut} of that node. */
    void heal(String node) {
        var state = lab.state();
        new LabNetwork(state).heal(state.node(node));
    }

    /**
     * Starts what does not run: after a power cut as a new boot, after a crash as the same one.
     * Does not wait till it is ready.
     *
     * @return false if the node runs, and nothing was changed
     */
    boolean start(String node) {
        try (var _ = LabStore.lock()) {
            var state = lab.state();
            var known = state.node(node);
            if (!known.powered()) {
                var booted =
                        lab.store()
                                .update(
                                        lab.name(),
                                        current ->
                                                current.with(
                                                        node,
                                                        off ->
                                                                off.poweredOn(
                                                                        UUID.randomUUID()
                                                                                .toString())));
                var network = new LabNetwork(booted);
                // Whatever an earlier start that was cut short has left.
                network.unplug(known);
                network.plug(known);
                lab.files(node).boot(booted, booted.node(node));
                lab.files(node).launch(booted, booted.node(node));
                return true;
            }
            if (lab.supervised(node)) {
                return false;
            }
            lab.jvm(node).ifPresent(NodeProcesses::kill);
            lab.files(node).launch(state, known);
            return true;
        }
    }
}
