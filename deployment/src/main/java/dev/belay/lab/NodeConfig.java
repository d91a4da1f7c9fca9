package dev.belay.lab;

import java.nio.file.Path;
import java.util.stream.Collectors;

/** The file {@code belay.conf} of one node of a lab. */
final class NodeConfig {
    private final LabState lab;
    private final LabState.Node self;
    private final NodeFiles files;

    NodeConfig(LabState lab, LabState.Node self, NodeFiles files) {
        this.lab = lab;
        this.self = self;
        this.files = files;
    }

    String text() {
        var nodes =
                lab.nodes().stream()
                        .map(node ->
                                "      { name = %s, address = %s, role = %s, voter = %s, api = %s }"
                                        .formatted(
                                                quoted(node.name()),
                                                quoted(node.clusterAddress()),
                                                node.role().word(),
                                                node.voter(),
                                                quoted(
                                                        "http://%s:%d"
                                                                .formatted(
                                                                        node.clientAddress(),
                                                                        LabPlan.API_PORT))))
                        .collect(Collectors.joining("\n"));
        return """
        # Written by the lab at each power-on of this node.
        belay {
          node {
            name = %s
            data-dir = %s
            run-dir = %s
            boot-id = %s
          }
          cluster {
            nodes = [
        %s
            ]
          }
          http { address = %s, port = %d }
          server { memory-mib = %d }
          fencing.agents {
        %s
          }
          # Emulated: several servers on one machine prove nothing by speed, and nested KVM is not to be relied on.
          qemu.accel = %s
          # All labs of this machine have the same QEMU: one node looks, once.
          lockstep.proofs = %s
        }
        %s
        """
                .formatted(
                        quoted(self.name()),
                        quoted(files.data().toString()),
                        quoted(files.run().toString()),
                        quoted(self.bootId()),
                        nodes,
                        quoted(self.clientAddress()),
                        LabPlan.API_PORT,
                        lab.memoryMib(),
                        agents(),
                        quoted(System.getenv().getOrDefault("BELAY_ACCEL", "tcg")),
                        quoted(proofs()),
                        lab.settings());
    }

    /** Kept with what {@code ./belay} has fetched, so also when all labs are gone. */
    private static String proofs() {
        var cache = System.getenv("BELAY_CACHE");
        var folder =
                cache == null || cache.isBlank()
                        ? Path.of(System.getProperty("user.home"), ".cache", "belay")
                        : Path.of(cache);
        return folder.toAbsolutePath().resolve("proofs").toString();
    }

    /** One for each server, or none. */
    private String agents() {
        if (lab.fence() == Fence.OFF) {
            return "    # none";
        }
        return lab.nodes().stream()
                .filter(node -> node.role() == LabPlan.Role.SERVER)
                .map(node ->
                        "    %s { program = %s, timeout = 5s, options { behaviour = %s, namespace = %s, folder = %s } }"
                                .formatted(
                                        node.name(),
                                        quoted(files.fenceAgent(lab.fence()).toString()),
                                        lab.fence().word(),
                                        quoted(LabPlan.namespace(lab.name(), node.name())),
                                        quoted(files.beside(node.name()).toString())))
                .collect(Collectors.joining("\n"));
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
