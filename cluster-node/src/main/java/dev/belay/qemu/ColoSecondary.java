package dev.belay.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.belay.decision.VmInput.Timing;
import dev.belay.model.Epoch;
import dev.belay.model.PairAddress;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The second of a pair: waits for its primary, and takes over from it. Blocks. */
final class ColoSecondary {
    private static final Logger log = LoggerFactory.getLogger(ColoSecondary.class);
    private static final int PORT_ATTEMPTS = 5;

    /** A slow disk holds up QEMU's main loop after the takeover, for as long as it takes. */
    private static final Duration TAKEOVER_LIMIT = Duration.ofMinutes(2);

    private static final Duration RUN_LIMIT = Duration.ofSeconds(30);

    /** Longer than a disk needs that is not slow, and shorter than a guest's clients notice. */
    private static final Duration HOLD_LIMIT = Duration.ofMillis(200);

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
        qmp.run(
                "migrate-incoming",
                QmpClient.arguments().put("uri", PairCommand.migrationUri(host, 0)));
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
     * <p>By itself QEMU writes a disk's overlays back into its leg, and at the end of that has the
     * guest write straight into the leg. Nobody may start from the overlays after that, so the
     * guest is held until the mark is gone that says to do so. When its disk is slow that takes too
     * long: it runs on, on the whole chain, and is held for a moment once that ends.
     *
     * @param join connects its cards, whose output is closed still
     * @param openOutput lets out what its guest sends
     */
    List<Timing> promote(PairQmp qmp, LegFiles legs, Waiting.Step join, Waiting.Step openOutput)
            throws IOException {
        var laps = new Laps();
        var patient = qmp.within(TAKEOVER_LIMIT);
        var above = new WrittenBack(patient, legs);
        Waiting.both(() -> lockOut(qmp), above::mark);
        laps.lap("locked the other server out");
        takeOver(patient);
        laps.lap("took over");
        above.hold();
        Waiting.both(() -> leaveFilters(patient), join);
        above.hold();
        var whole = above.await(HOLD_LIMIT);
        laps.lap(whole ? "wrote the newest bytes to the disks" : "waited for a slow disk");
        openOutput.take();
        above.unmark();
        above.release();
        announce(patient);
        laps.lap("opened the output and ran the guest");
        // Nothing else before this: from here on the guest may reach a leg at any moment.
        while (!above.await(TOLD)) {
            log.warn(
                    "{} runs, but its newest bytes are still being written to the disks {}; are they slow?",
                    replica.right(),
                    above.names());
        }
        leaveChain(qmp);
        legs.discard(replica.manifest().spec(), replica.right().epoch());
        laps.lap("let the overlays go");
        return laps.all();
    }

    private static void lockOut(PairQmp qmp) {
        // Without it QEMU would go on waiting for a primary that hangs or is cut off.
        qmp.yank(ColoSecondary::leadsToPrimary);
        // A primary that is not dead yet can write into the leg through it.
        qmp.tried("nbd-server-stop", QmpClient.arguments(), PairQmp.LIMIT);
    }

    private static boolean leadsToPrimary(JsonNode instance) {
        return instance.path("type").asText().equals("migration")
                || instance.path("id").asText().matches("red[01]-\\d+");
    }

    private void takeOver(PairQmp qmp) {
        if (qmp.migration().equals("colo")) {
            qmp.run("x-colo-lost-heartbeat");
            // At once: mostly QEMU has started the guest by now. Otherwise it is held below.
            qmp.run("stop");
        }
        if (!PairQmp.await(
                RUN_LIMIT, () -> !qmp.migration().equals("colo") && runs(qmp.status()))) {
            throw new HypervisorException(
                    replica.right()
                            + " took over but its guest does not run: QEMU says '"
                            + qmp.status()
                            + "'. It is tried again.",
                    true);
        }
    }

    /** Or panicked, powered off or stopped for a disk: that is the guest's, and is told. */
    private static boolean runs(String status) {
        return !status.equals("colo")
                && !status.equals("inmigrate")
                && !status.equals("finish-migrate");
    }

    private void leaveFilters(PairQmp qmp) {
        for (var nic = 0; nic < nics; nic++) {
            qmp.removeObjects(PairCommand.secondaryObjects(nic));
        }
    }

    /** The switches learn where the guest is now. */
    private void announce(PairQmp qmp) {
        if (nics > 0) {
            qmp.run(
                    "announce-self",
                    QmpClient.arguments()
                            .put("initial", 50)
                            .put("max", 500)
                            .put("rounds", 5)
                            .put("step", 50));
        }
    }

    private void leaveChain(PairQmp qmp) {
        for (var nic = 0; nic < nics; nic++) {
            qmp.removeChardevs(PairCommand.secondaryChardevs(nic));
        }
        for (var k = 0; k < disks; k++) {
            var leg = QemuCommand.leg(k, replica.right().epoch());
            if (!qmp.nodes().getOrDefault(QemuCommand.vd(k), Map.of()).containsValue(leg)) {
                qmp.reopen(k, leg);
            }
            qmp.deleteNodes(PairCommand.secondaryNodes(k));
        }
        qmp.capabilities(false, "x-colo", "return-path");
    }

    /** Which disks' overlays are still above their legs, and the guest that must not run ahead. */
    private final class WrittenBack {
        private final PairQmp qmp;
        private final LegFiles legs;
        private final VmSpec spec = replica.manifest().spec();
        private final Epoch epoch = replica.right().epoch();
        private final List<String> marked = new ArrayList<>();

        private WrittenBack(PairQmp qmp, LegFiles legs) {
            this.qmp = qmp;
            this.legs = legs;
        }

        /** Before the takeover. What already was written back is never marked again. */
        private void mark() throws IOException {
            var nodes = qmp.nodes();
            var above =
                    IntStream.range(0, disks)
                            .filter(k -> !PairQmp.isWrittenBack(nodes, k))
                            .mapToObj(k -> spec.disks().get(k).name())
                            .toList();
            marked.addAll(legs.overlaid(spec.name(), epoch, above));
        }

        private List<String> names() {
            return marked;
        }

        /** One that panicked or waits for a disk writes nothing. */
        private void hold() {
            if (!marked.isEmpty() && qmp.status().equals("running")) {
                qmp.run("stop");
            }
        }

        /** Also when an earlier attempt, or process of the node, held it. */
        private void release() {
            if (qmp.status().equals("paused")) {
                qmp.run("cont");
            }
        }

        /** False when it takes longer. A guest that runs does so afterwards. */
        private boolean await(Duration limit) throws IOException {
            for (var end = System.nanoTime() + limit.toNanos(); !marked.isEmpty(); ) {
                unmark();
                if (!marked.isEmpty()
                        && (System.nanoTime() > end || !Waiting.millis(PairQmp.POLL_MILLIS))) {
                    return false;
                }
            }
            return true;
        }

        private void unmark() throws IOException {
            if (!replica.isRunning()) {
                throw new HypervisorException(
                        replica.right()
                                + " ended while it took over. Its newest bytes are kept, and are written to its disks when it starts here again.",
                        true);
            }
            var nodes = qmp.nodes();
            var done =
                    IntStream.range(0, disks)
                            .filter(k -> PairQmp.isWrittenBack(nodes, k))
                            .mapToObj(k -> spec.disks().get(k))
                            .filter(disk -> marked.contains(disk.name()))
                            .toList();
            if (done.isEmpty()) {
                return;
            }
            var ran = qmp.status().equals("running");
            hold();
            for (var disk : done) {
                legs.writtenBack(spec.name(), epoch, disk);
                marked.remove(disk.name());
            }
            if (ran) {
                release();
            }
        }
    }
}
