package dev.belay.lab;

import dev.belay.lab.LabPlan.Role;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Which lab is meant, and where its parts are: its file, its nodes' folders and processes. */
record LabHandle(LabStore store, String name, LabOptions.Progress progress) {
    LabState state() {
        return store.read(name).orElseThrow(() -> store.gone(name));
    }

    /** Names of all nodes, servers first. */
    List<String> nodes() {
        return state().nodes().stream().map(LabState.Node::name).toList();
    }

    List<String> servers() {
        return state().nodes().stream()
                .filter(node -> node.role() == Role.SERVER)
                .map(LabState.Node::name)
                .toList();
    }

    /** The APIs of all nodes whose power is on. */
    List<URI> apis() {
        return state().nodes().stream()
                .filter(node -> isPowered(node.name()))
                .map(LabState.Node::api)
                .toList();
    }

    Path folder() {
        return store.folder(name);
    }

    Path sharedFolder() {
        return folder().resolve("shared");
    }

    NodeFiles files(String node) {
        return new NodeFiles(store.nodeFolder(name, node));
    }

    NodeProcesses processes(String node) {
        return new NodeProcesses(LabPlan.namespace(name, node));
    }

    /** The JVM's process id, if it is there. */
    Optional<Long> jvm(String node) {
        var pid = files(node).jvm();
        return pid.isPresent() && processes(node).contains(pid.getAsLong())
                ? Optional.of(pid.getAsLong())
                : Optional.empty();
    }

    boolean supervised(String node) {
        var pid = files(node).supervisor();
        return pid.isPresent() && processes(node).contains(pid.getAsLong());
    }

    /** False after a power cut. */
    boolean isPowered(String node) {
        return !files(node).isOff();
    }

    /** Refuses a node that is off. */
    void requirePower(String node) {
        if (!isPowered(state().node(node).name())) {
            throw new LabException(node + " is off: `belay lab start " + node + "` powers it on");
        }
    }
}
