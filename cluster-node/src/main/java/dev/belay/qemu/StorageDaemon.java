package dev.belay.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.RunRight;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;

/** Gives a storage daemon its disks, by QMP. Blocks. */
final class StorageDaemon {
    private static final int PORT_ATTEMPTS = 5;

    private final QemuSettings settings;
    private final QmpClient qmp;

    StorageDaemon(QemuSettings settings, QmpClient qmp) {
        this.settings = settings;
        this.qmp = qmp;
    }

    /** Opens and exports all disks; answers the port. */
    int serve(RunRight right, VmSpec spec, DiskFiles files) {
        // All is sent before the first answer is waited for; the daemon does it in this order.
        var opened = new ArrayList<Runnable>();
        for (var k = 0; k < spec.disks().size(); k++) {
            opened.addAll(open(right, spec, k, files));
        }
        var port = freePort();
        var listening = send("nbd-server-start", server(port));
        opened.forEach(Runnable::run);
        port = listen(port, listening);
        var exported = new ArrayList<CompletionStage<JsonNode>>();
        for (var k = 0; k < spec.disks().size(); k++) {
            exported.add(export(QemuCommand.export(spec, k, right.epoch()), k));
        }
        exported.forEach(Waiting::reply);
        return port;
    }

    private CompletionStage<JsonNode> export(String name, int k) {
        return send(
                "block-export-add",
                QmpClient.arguments()
                        .put("type", "nbd")
                        .put("id", name)
                        .put("node-name", "leg" + k)
                        .put("name", name)
                        .put("writable", true));
    }

    /** Each of the answers waits for its own. */
    private List<Runnable> open(RunRight right, VmSpec spec, int k, DiskFiles files) {
        var disk = spec.disks().get(k);
        var path = files.file(spec.name(), disk, right.epoch());
        var file =
                QmpClient.arguments()
                        .put("driver", "file")
                        .put("node-name", "file" + k)
                        .put("filename", path.toString())
                        .put("discard", "unmap");
        // Without locks a second writer goes unseen; an overlay is nobody else's.
        file.put("locking", disk.kind() == DiskKind.EPHEMERAL ? "auto" : "on");
        file.putObject("cache").put("direct", DiskFiles.bypassesCache(path));
        var leg =
                QmpClient.arguments()
                        .put("driver", DiskFiles.format(disk))
                        .put("node-name", "leg" + k)
                        .put("file", "lock" + k)
                        .put("discard", "unmap");
        return Stream.of(file, lock(k), leg)
                .map(node -> send("blockdev-add", node))
                .<Runnable>map(answer -> () -> added(disk, path.toString(), answer))
                .toList();
    }

    /**
     * An NBD export shares its file with other writers, and so does raw above it: two servers would
     * both get a "lock" on the same file. This filter refuses to share, and does nothing else.
     */
    private static ObjectNode lock(int k) {
        var node =
                QmpClient.arguments()
                        .put("driver", "blkdebug")
                        .put("node-name", "lock" + k)
                        .put("image", "file" + k);
        node.putArray("unshare-child-perms").add("write").add("resize");
        return node;
    }

    private static void added(DiskSpec disk, String path, CompletionStage<JsonNode> answer) {
        try {
            Waiting.reply(answer);
        } catch (QmpException e) {
            var why = e.description();
            if (why.contains("lock")) {
                throw new HypervisorException(
                        "The disk '"
                                + disk.name()
                                + "' at "
                                + path
                                + " is in use by another server or program ("
                                + why.lines().findFirst().orElse(why)
                                + "). Try again when that has ended.",
                        false);
            }
            throw new HypervisorException(
                    "The disk '" + disk.name() + "' at " + path + " cannot be opened: " + why,
                    true);
        }
    }

    /** A free port is free only until somebody takes it; hence the attempts. */
    private int listen(int firstPort, CompletionStage<JsonNode> firstAnswer) {
        var port = firstPort;
        var answer = firstAnswer;
        for (var attempt = 1; ; attempt++) {
            try {
                Waiting.reply(answer);
                return port;
            } catch (QmpException e) {
                if (attempt == PORT_ATTEMPTS || e.kind() != QmpException.Kind.REFUSED) {
                    throw new HypervisorException(
                            "The storage daemon cannot listen on "
                                    + settings.nbdAddress()
                                    + ": "
                                    + e.description(),
                            true);
                }
                port = freePort();
                answer = send("nbd-server-start", server(port));
            }
        }
    }

    private ObjectNode server(int port) {
        var address =
                QmpClient.arguments()
                        .put("host", settings.nbdAddress())
                        .put("port", Integer.toString(port));
        var server = QmpClient.arguments();
        server.putObject("addr").put("type", "inet").set("data", address);
        return server;
    }

    private int freePort() {
        try (var socket = new ServerSocket(0, 1, InetAddress.getByName(settings.nbdAddress()))) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new HypervisorException(
                    "No port can be had on "
                            + settings.nbdAddress()
                            + ", where disks are served: "
                            + e.getMessage(),
                    true);
        }
    }

    private CompletionStage<JsonNode> send(String command, ObjectNode arguments) {
        return qmp.execute(command, arguments, Duration.ofSeconds(10));
    }
}
