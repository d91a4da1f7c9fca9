package dev.belay.lab;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** What can happen to the nodes of a lab. */
final class LabFaults {
    private static final long SHORTEST_FLAP_MILLIS = 100;

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
        if (!lab.isPowered(node)) {
            throw new LabException(node + " is off already");
        }
        var network = new LabNetwork(state);
        var at = network.dropLinks(victim);
        lab.processes(node).kill();
        network.unplug(victim);
        lab.files(node).markOff();
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
        lab.processes(node).kill(pid);
        return at;
    }

    /** Like {@link #crash}, and the JVM stays away until {@link #start}. */
    Instant crashForGood(String node) {
        lab.requirePower(node);
        lab.files(node).supervisor().ifPresent(lab.processes(node)::kill);
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

    /** The same, but only between the two: everybody else hears both. */
    void cut(String node, String other, Lab.Direction direction) {
        if (node.equals(other)) {
            throw new LabUsageException(node + " has no cable to itself; name another node");
        }
        var state = lab.state();
        new LabNetwork(state)
                .cut(
                        state.node(node),
                        state.node(other),
                        direction != Lab.Direction.OUT,
                        direction != Lab.Direction.IN);
    }

    /** Undoes every {@link #cut} of that node. */
    void heal(String node) {
        var state = lab.state();
        new LabNetwork(state).heal(state.node(node));
    }

    void flap(String node, Duration every, Duration span) {
        if (every.toMillis() < SHORTEST_FLAP_MILLIS) {
            throw new LabUsageException(
                    "a link flaps every " + SHORTEST_FLAP_MILLIS + " ms at the most often");
        }
        var began = System.nanoTime();
        try {
            for (long turn = 1; ; turn++) {
                if (turn % 2 == 1) {
                    cut(node, Lab.Direction.BOTH);
                } else {
                    heal(node);
                }
                var next = Math.min(turn * every.toNanos(), span.toNanos());
                var left = began + next - System.nanoTime();
                if (left > 0) {
                    Shell.pause(TimeUnit.NANOSECONDS.toMillis(left));
                }
                if (next == span.toNanos()) {
                    return;
                }
            }
        } finally {
            heal(node);
        }
    }

    void clock(String node, Duration ahead) {
        var files = lab.files(lab.state().node(node).name());
        if (!files.hasClock()) {
            throw new LabException(
                    "the nodes of lab "
                            + lab.name()
                            + " have this machine's clock: `belay lab up --fake-clock` gives each"
                            + " one of its own");
        }
        files.setClock(ahead);
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
            if (!lab.isPowered(node)) {
                var booted =
                        lab.store()
                                .update(
                                        lab.name(),
                                        current ->
                                                current.with(
                                                        node,
                                                        off ->
                                                                off.booted(
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
            lab.jvm(node).ifPresent(lab.processes(node)::kill);
            lab.files(node).launch(state, known);
            return true;
        }
    }
}
