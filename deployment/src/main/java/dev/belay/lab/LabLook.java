package dev.belay.lab;

import dev.belay.lab.LabStatus.Link;
import dev.belay.lab.LabStatus.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** How the nodes of a lab are doing, and waiting till they do well. */
final class LabLook {
    private static final int LOG_LINES = 15;
    private static final int HOPELESS_STARTS = 3;
    private static final long LOOK_MILLIS = 100;
    private static final long REPORT_SECONDS = 5;

    private final LabHandle lab;

    LabLook(LabHandle lab) {
        this.lab = lab;
    }

    LabStatus status() {
        var state = lab.state();
        return look(state, new LabNetwork(state).links());
    }

    private LabStatus look(LabState state, Map<String, Link> links) {
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var looks =
                    state.nodes().stream()
                            .map(node -> pool.submit(() -> look(node, links)))
                            .toList();
            var nodes = new ArrayList<LabStatus.Node>();
            for (var look : looks) {
                nodes.add(look.get());
            }
            return new LabStatus(lab.name(), lab.folder(), List.copyOf(nodes));
        } catch (java.util.concurrent.ExecutionException e) {
            throw new LabException("cannot look at the nodes: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted", e);
        }
    }

    private LabStatus.Node look(LabState.Node node, Map<String, Link> links) {
        var all = lab.processes(node.name()).all();
        var jvmPid = lab.files(node.name()).jvm().orElse(-1);
        var supervisorPid = lab.files(node.name()).supervisor().orElse(-1);
        var jvm = all.stream().filter(process -> process.pid() == jvmPid).findFirst();
        var supervised = all.stream().anyMatch(process -> process.pid() == supervisorPid);
        var state = State.NOT_READY;
        var why = "";
        var powered = lab.isPowered(node.name());
        if (!powered) {
            state = State.OFF;
            why = "its power is cut";
        } else if (!all.isEmpty() && all.stream().allMatch(NodeProcesses.Running::isStopped)) {
            state = State.PAUSED;
            why = "all of its processes are stopped";
        } else if (jvm.isEmpty()) {
            state = supervised ? State.RESTARTING : State.STOPPED;
            why = supervised ? "its JVM is about to be started" : "its JVM does not run";
        } else {
            var reason = LabApi.whyNotReady(node.api());
            state = reason.isEmpty() ? State.READY : State.NOT_READY;
            why = reason.orElse("");
        }
        return new LabStatus.Node(
                node.name(),
                node.role().word(),
                state,
                why,
                powered ? links.getOrDefault(node.name(), Link.UP) : Link.DOWN,
                node.api(),
                node.voter(),
                jvm.isPresent() ? OptionalLong.of(jvmPid) : OptionalLong.empty(),
                node.boots());
    }

    /**
     * Waits till every node that has power is ready.
     *
     * @throws LabException with the last log lines of those that are not
     */
    void awaitReady(Duration patience) {
        awaitReady(lab.nodes(), patience);
    }

    void awaitReady(List<String> concerned, Duration patience) {
        var began = System.nanoTime();
        var reported = began;
        var told = new LinkedHashMap<String, String>();
        var startsBefore = new HashMap<String, Long>();
        concerned.forEach(node -> startsBefore.put(node, lab.files(node).starts()));
        while (true) {
            var waiting =
                    // Links do not matter here, and asking for them costs processes each time.
                    look(lab.state(), Map.of()).nodes().stream()
                            .filter(node -> concerned.contains(node.name()))
                            .filter(node -> node.state() != State.OFF)
                            .filter(node -> node.state() != State.READY)
                            .toList();
            var now = System.nanoTime();
            for (var node : concerned) {
                var ready = waiting.stream().noneMatch(other -> other.name().equals(node));
                if (ready && !"ready".equals(told.put(node, "ready"))) {
                    lab.progress().say(node + " is ready");
                } else if (!ready) {
                    told.put(node, "");
                }
            }
            if (waiting.isEmpty()) {
                return;
            }
            var hopeless =
                    waiting.stream()
                            .filter(node -> startsSince(node, startsBefore) >= HOPELESS_STARTS)
                            .toList();
            if (!hopeless.isEmpty()) {
                throw notReady("keeps ending as soon as it is started", hopeless);
            }
            if (now - began > patience.toNanos()) {
                throw notReady("did not get ready within " + patience.toSeconds() + " s", waiting);
            }
            if (now - reported > TimeUnit.SECONDS.toNanos(REPORT_SECONDS)) {
                reported = now;
                waiting.forEach(node ->
                        lab.progress().say("waiting for " + node.name() + ": " + node.why()));
            }
            Shell.pause(LOOK_MILLIS);
        }
    }

    private long startsSince(LabStatus.Node node, Map<String, Long> before) {
        return lab.files(node.name()).starts() - before.getOrDefault(node.name(), 0L);
    }

    private LabException notReady(String what, List<LabStatus.Node> nodes) {
        var text = new StringBuilder();
        for (var node : nodes) {
            text.append(node.name())
                    .append(' ')
                    .append(what)
                    .append(" (")
                    .append(node.state().word())
                    .append(": ")
                    .append(node.why())
                    .append("). Last lines of ")
                    .append(lab.files(node.name()).log())
                    .append(":\n");
            lab.files(node.name())
                    .lastLines(LOG_LINES)
                    .forEach(line -> text.append("    ").append(line).append('\n'));
        }
        text.append("`belay lab status --name ")
                .append(lab.name())
                .append("` says more while the lab is there, `belay lab down --name ")
                .append(lab.name())
                .append("` removes it.");
        return new LabException(text.toString());
    }
}
