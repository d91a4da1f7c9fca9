package dev.belay.qemu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.belay.model.PairAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.stream.IntStream;

/** A primary's network cards on their way into lockstep. Blocks. */
final class ColoCards {
    /** A day: QEMU connects without waiting only when it may try again, and it must not. */
    private static final long NEVER_AGAIN_MILLIS = 86_400_000;

    private final PairQmp qmp;
    private final PairAddress at;
    private final int nics;
    private final ReplicaFiles files;

    ColoCards(PairQmp qmp, PairAddress at, int nics, ReplicaFiles files) {
        this.qmp = qmp;
        this.at = at;
        this.nics = nics;
        this.files = files;
    }

    /** Begins to connect; {@link #unconnected} tells how far that is. */
    void connect() throws IOException {
        for (var nic = 0; nic < nics; nic++) {
            var ports = at.nics().get(nic);
            // What was lost between two connections would be missed by nobody.
            chardev(
                    "mirror0-" + nic,
                    client(inet(ports.mirror())).put("reconnect-ms", NEVER_AGAIN_MILLIS));
            chardev(
                    "compare1-" + nic,
                    client(inet(ports.compare())).put("reconnect-ms", NEVER_AGAIN_MILLIS));
            innerPair("compare0-" + nic, "compare0in-" + nic, "cmp" + nic);
            innerPair("compareout-" + nic, "compareout0-" + nic, "out" + nic);
        }
    }

    /** From here on nothing gets out that the secondary would not say too. */
    void filter() {
        for (var nic = 0; nic < nics; nic++) {
            filter(nic);
        }
    }

    /** Those that do not lead to the secondary yet, or no more. */
    List<String> unconnected() {
        var chardevs = qmp.chardevs();
        return IntStream.range(0, nics)
                .mapToObj(PairCommand::outerChardevs)
                .flatMap(List::stream)
                .map(id -> chardevs.getOrDefault(id, id + " is gone"))
                .filter(where -> !where.contains("<->"))
                .toList();
    }

    private void innerPair(String server, String client, String socket) throws IOException {
        var path = files.filter(socket);
        Files.deleteIfExists(path);
        chardev(server, backend(unix(path.toString()), true).put("wait", false));
        chardev(client, client(unix(path.toString())));
    }

    private ObjectNode inet(int port) {
        var address = QmpClient.arguments().put("type", "inet");
        address.putObject("data").put("host", at.host()).put("port", Integer.toString(port));
        return address;
    }

    private static ObjectNode unix(String path) {
        var address = QmpClient.arguments().put("type", "unix");
        address.putObject("data").put("path", path);
        return address;
    }

    private static ObjectNode client(ObjectNode address) {
        return backend(address, false);
    }

    private static ObjectNode backend(ObjectNode address, boolean server) {
        var data = QmpClient.arguments();
        data.set("addr", address);
        return data.put("server", server);
    }

    private void chardev(String id, ObjectNode data) {
        var arguments = QmpClient.arguments().put("id", id);
        arguments.putObject("backend").put("type", "socket").set("data", data);
        qmp.run("chardev-add", arguments);
    }

    private void filter(int nic) {
        netFilter(nic, "filter-mirror", "m0-", "tx", "outdev", "mirror0-");
        netFilter(nic, "filter-redirector", "redire0-", "rx", "indev", "compareout-");
        netFilter(nic, "filter-redirector", "redire1-", "rx", "outdev", "compare0-");
        object("iothread", "iocmp-" + nic, QmpClient.arguments());
        object(
                "colo-compare",
                "comp0-" + nic,
                QmpClient.arguments()
                        .put("primary_in", "compare0in-" + nic)
                        .put("secondary_in", "compare1-" + nic)
                        .put("outdev", "compareout0-" + nic)
                        .put("iothread", "iocmp-" + nic)
                        .put("vnet_hdr_support", true));
    }

    private void netFilter(
            int nic, String type, String id, String queue, String direction, String chardev) {
        var arguments =
                QmpClient.arguments()
                        .put("netdev", "hn" + nic)
                        .put("queue", queue)
                        .put(direction, chardev + nic)
                        .put("vnet_hdr_support", true);
        if (qmp.hasObject(PairCommand.rewriter(nic))) {
            // It was a secondary once, and translates the numbers of connections of that time.
            arguments.put("insert", "before").put("position", "id=" + PairCommand.rewriter(nic));
        }
        object(type, id + nic, arguments);
    }

    private void object(String type, String id, ObjectNode arguments) {
        qmp.run("object-add", arguments.put("qom-type", type).put("id", id));
    }
}
