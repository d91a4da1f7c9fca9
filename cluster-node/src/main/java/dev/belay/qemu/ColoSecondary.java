package dev.belay.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.belay.decision.VmInput.Timing;
import dev.belay.model.PairAddress;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The second of a pair: waits for its primary, and takes over from it. Blocks. */
final class ColoSecondary {
    private static final Logger log = LoggerFactory.getLogger(ColoSecondary.class);
    private static final int PORT_ATTEMPTS = 5;

    /** A slow disk holds up QEMU's main loop after the takeover, for as long as it takes. */
    private static final Duration TAKEOVER_LIMIT = Duration.ofMinutes(2);

    private static final Duration RUN_LIMIT = Duration.ofSeconds(30);
    private static final Duration TOLD = Duration.ofSeconds(10);

    private final QemuSettings settings;
    private final Replica replica;
    private final int nics;
    private final int disks;

    ColoSecondary(QemuSettings settings, Replica replica) {
        this.settings = settings;
        this.replica = replica;
        this.nics = replica.manifest().spec().nics().size();
        this.disks = replica.manifest().spec().disks().size();
    }

    // --- Waiting for the primary ---------------------------------------------------------------

    PairAddress listen(PairQmp qmp) {
        var host = settings.nbdAddress();
        qmp.capabilities(true, "x-colo", "return-path");
        qmp.run("migrate-incoming", QmpClient.arguments().put("uri", "tcp:" + host + ":0"));
        var migration = qmp.run("query-migrate").path("socket-address").path(0).path("port");
        var door = openDoor(qmp, host);
        var chardevs = qmp.chardevs();
        var ports = new ArrayList<PairAddress.NicPorts>();
        for (var nic = 0; nic < nics; nic++) {
            var ids = PairCommand.secondaryChardevs(nic);
            ports.add(
                    new PairAddress.NicPorts(
                            port(chardevs.getOrDefault(ids.get(0), "")),
                            port(chardevs.getOrDefault(ids.get(1), ""))));
        }
        return new PairAddress(host, Integer.parseInt(migration.asText()), door, ports);
    }

    /** From {@code disconnected:tcp:127.0.0.1:4711,server=on}. */
    static int port(String chardev) {
        var address = chardev.split(",", 2)[0];
        var digits = address.substring(address.lastIndexOf(':') + 1);
        if (!digits.matches("\\d{1,5}")) {
            throw new HypervisorException(
                    "Expected QEMU to tell the port of a card's filter, but it says '"
                            + chardev
                            + "'.",
                    true);
        }
        return Integer.parseInt(digits);
    }

    /** QEMU does not tell which port it chose, so we choose; somebody may be quicker. */
    private int openDoor(PairQmp qmp, String host) {
        for (var attempt = 1; ; attempt++) {
            var port = freePort(host);
            try {
                qmp.run("nbd-server-start", address(host, port));
                for (var k = 0; k < disks; k++) {
                    qmp.run(
                            "block-export-add",
                            QmpClient.arguments()
                                    .put("type", "nbd")
                                    .put("id", PairCommand.door(k))
                                    .put("node-name", PairCommand.parent(k))
                                    .put("name", PairCommand.door(k))
                                    .put("writable", true));
                }
                return port;
            } catch (QmpException e) {
                if (attempt == PORT_ATTEMPTS || e.kind() != QmpException.Kind.REFUSED) {
                    throw new HypervisorException(
                            "The second of "
                                    + replica.right().vm()
                                    + " cannot listen on "
                                    + host
                                    + ": "
                                    + e.description(),
                            true);
                }
            }
        }
    }

    private static ObjectNode address(String host, int port) {
        var server = QmpClient.arguments();
        server.putObject("addr")
                .put("type", "inet")
                .putObject("data")
                .put("host", host)
                .put("port", Integer.toString(port));
        return server;
    }

    private static int freePort(String host) {
        try (var socket = new ServerSocket(0, 1, InetAddress.getByName(host))) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new HypervisorException(
                    "No port can be had on " + host + ": " + e.getMessage(), true);
        }
    }

    // --- Taking over ---------------------------------------------------------------------------

    /**
     * Makes it an ordinary replica; may be repeated after any failure in between.
     *
     * @param openOutput joins the bridges and opens the gate
     */
    List<Timing> promote(PairQmp qmp, LegFiles legs, Waiting.Step openOutput) throws IOException {
        var spec = replica.manifest().spec();
        var laps = new Laps();
        if (PairQmp.chainsOf(qmp.nodes(), disks).isEmpty() && disks > 0) {
            // An earlier attempt came this far; only the rest is missing.
            legs.writtenBack(spec, replica.right().epoch());
        } else {
            legs.overlaid(spec, replica.right().epoch());
        }
        // Without it QEMU would go on waiting for a primary that hangs or is cut off.
        qmp.yank(ColoSecondary::leadsToPrimary);
        // First of all: a primary that is not dead yet can write into the leg through it.
        qmp.tried("nbd-server-stop", QmpClient.arguments(), PairQmp.LIMIT);
        laps.lap("locked the other server out");
        Waiting.both(() -> takeOver(qmp), openOutput);
        laps.lap("took over and opened the output");
        if (!PairQmp.await(RUN_LIMIT, () -> runs(qmp.status()))) {
            throw new HypervisorException(
                    replica.right()
                            + " took over but its guest does not run: QEMU says '"
                            + qmp.status()
                            + "'. It is tried again.",
                    true);
        }
        laps.lap("ran the guest");
        writeBack(qmp, legs);
        laps.lap("wrote the newest bytes to the disks");
        return laps.all();
    }

    private static boolean leadsToPrimary(JsonNode instance) {
        return instance.path("type").asText().equals("migration")
                || instance.path("id").asText().matches("red[01]-\\d+");
    }

    private void takeOver(PairQmp qmp) {
        if (qmp.migration().equals("colo")) {
            qmp.run("x-colo-lost-heartbeat", QmpClient.arguments(), TAKEOVER_LIMIT);
        }
        for (var nic = 0; nic < nics; nic++) {
            qmp.removeObjects(PairCommand.secondaryObjects(nic));
        }
        if (nics > 0) {
            // The switches learn where the guest is now.
            qmp.run(
                    "announce-self",
                    QmpClient.arguments()
                            .put("initial", 50)
                            .put("max", 500)
                            .put("rounds", 5)
                            .put("step", 50),
                    TAKEOVER_LIMIT);
        }
        for (var nic = 0; nic < nics; nic++) {
            qmp.removeChardevs(PairCommand.secondaryChardevs(nic));
        }
    }

    /** Panicked, powered off or stopped for a disk: that is the guest's, and is told. */
    private static boolean runs(String status) {
        return !status.equals("colo")
                && !status.equals("inmigrate")
                && !status.equals("finish-migrate");
    }

    private void writeBack(PairQmp qmp, LegFiles legs) throws IOException {
        var epoch = replica.right().epoch();
        for (var k = 0; k < disks; k++) {
            awaitWrittenBack(qmp, k);
            var leg = QemuCommand.leg(k, epoch);
            if (!qmp.nodes().getOrDefault(QemuCommand.vd(k), Map.of()).containsValue(leg)) {
                qmp.reopen(k, leg);
            }
            qmp.deleteNodes(PairCommand.secondaryNodes(k));
        }
        qmp.capabilities(false, "x-colo", "return-path");
        legs.writtenBack(replica.manifest().spec(), epoch);
    }

    /** QEMU lists no job for it; the graph is the only sign. As long as its disk is slow. */
    private void awaitWrittenBack(PairQmp qmp, int k) {
        while (!PairQmp.await(
                TOLD,
                () -> {
                    var child = qmp.nodes().get("childs" + k);
                    return child == null
                            || List.copyOf(child.values()).equals(List.of(PairCommand.parent(k)));
                })) {
            log.warn(
                    "{} runs, but its newest bytes are still being written to the disk {}; is the disk slow?",
                    replica.right(),
                    replica.manifest().spec().disks().get(k).name());
        }
    }
}
