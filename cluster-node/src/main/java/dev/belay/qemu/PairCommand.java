package dev.belay.qemu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.PairAddress;
import dev.belay.model.VmSpec;
import java.nio.file.Path;
import java.util.List;

/**
 * Names, command lines and block nodes of a pair in lockstep. Everything is named after the
 * secondary's epoch, which is never used again.
 *
 * <pre>
 *  primary    vd0 (raw) → qc0.eS (quorum, both) → own0.eS (nbd) → storage daemon
 *                                               → rep0.eS (replication) → repn0.eS (nbd) → secondary
 *  secondary  vd0 (raw) → colo0 (quorum) → childs0 (replication) → active0 → hidden0 → parent0 (nbd) → storage daemon
 * </pre>
 *
 * <p>What the primary writes reaches the secondary's leg through the secondary's QEMU, which keeps
 * the old bytes in {@code hidden} until the next checkpoint; what the secondary itself writes goes
 * into {@code active}. So both legs hold what the primary wrote, and nothing else. Meanwhile the
 * node that an ordinary replica's {@code vd} stands on waits idle at both, for the time after the
 * pair.
 */
final class PairCommand {
    /** Name under which the secondary's NBD server shows a disk. */
    private static final String DOOR = "vd";

    private PairCommand() {}

    // --- Names ---------------------------------------------------------------------------------

    static String mirrorJob(int k, Epoch epoch) {
        return "mirror" + k + "." + epoch;
    }

    /** The primary's way to the secondary's disk. */
    static String remote(int k, Epoch epoch) {
        return "repn" + k + "." + epoch;
    }

    /** The primary's second way to its own leg: a quorum does not share the first with vd. */
    static String own(int k, Epoch epoch) {
        return "own" + k + "." + epoch;
    }

    static String replication(int k, Epoch epoch) {
        return "rep" + k + "." + epoch;
    }

    static String quorum(int k, Epoch epoch) {
        return "qc" + k + "." + epoch;
    }

    /** Stands in a quorum for a child that is gone. */
    static String standIn(int k, Epoch epoch) {
        return "gap" + k + "." + epoch;
    }

    private static String nothing(int k, Epoch epoch) {
        return "gapn" + k + "." + epoch;
    }

    /** Every node that a primary has for its pair, in the order in which they can be deleted. */
    static List<String> primaryNodes(int k, Epoch epoch) {
        return List.of(
                quorum(k, epoch),
                replication(k, epoch),
                remote(k, epoch),
                own(k, epoch),
                standIn(k, epoch),
                nothing(k, epoch));
    }

    static String door(int k) {
        return DOOR + k;
    }

    /** Where QEMU sends a guest's memory, or waits for it. */
    static String migrationUri(String host, int port) {
        return "tcp:" + endpoint(host, port);
    }

    /** An IPv6 address needs its brackets. */
    static String endpoint(String host, int port) {
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }

    /** A secondary's way to its leg, through which its primary writes too. */
    static String parent(int k) {
        return "parent" + k;
    }

    static List<String> secondaryNodes(int k) {
        return List.of("colo" + k, "childs" + k, "active" + k, "hidden" + k, parent(k));
    }

    /** A primary's ends of a card's connections to the secondary. */
    static List<String> outerChardevs(int nic) {
        return List.of("mirror0-" + nic, "compare1-" + nic);
    }

    static List<String> primaryChardevs(int nic) {
        return List.of(
                "mirror0-" + nic,
                "compare1-" + nic,
                // A client before its server.
                "compare0in-" + nic,
                "compare0-" + nic,
                "compareout0-" + nic,
                "compareout-" + nic);
    }

    /** The compare object before its thread and its sockets. */
    static List<String> primaryObjects(int nic) {
        return List.of(
                "comp0-" + nic, "iocmp-" + nic, "m0-" + nic, "redire0-" + nic, "redire1-" + nic);
    }

    /** Stays in a secondary that took over, for the sequence numbers of its live connections. */
    static String rewriter(int nic) {
        return "rew0-" + nic;
    }

    static List<String> secondaryObjects(int nic) {
        return List.of("f2-" + nic, "f1-" + nic);
    }

    static List<String> secondaryChardevs(int nic) {
        return List.of("red0-" + nic, "red1-" + nic);
    }

    // --- The secondary's command line ----------------------------------------------------------

    /** The same machine as the primary's; its disks and cards differ below what the guest sees. */
    static List<String> secondary(
            QemuSettings settings, String machine, Manifest manifest, ReplicaFiles files) {
        var legs = new LegFiles(settings);
        var spec = manifest.spec();
        var epoch = manifest.right().epoch();
        var line = QemuCommand.head(settings, machine, spec, files, List.of());
        for (var nic = 0; nic < spec.nics().size(); nic++) {
            QemuCommand.nic(spec, nic, manifest.taps().get(nic), line);
        }
        for (var k = 0; k < spec.disks().size(); k++) {
            var disk = spec.disks().get(k);
            var port = manifest.nbdPort();
            line.addAll(QemuCommand.leg(settings, epoch, spec, k, port));
            line.addAll(
                    node(
                            QemuCommand.nbd(
                                    parent(k),
                                    settings.nbdAddress(),
                                    port,
                                    QemuCommand.export(spec, k, epoch))));
            line.addAll(
                    node(overlay("hidden" + k, legs.hidden(spec.name(), disk, epoch), parent(k))));
            line.addAll(
                    node(
                            overlay(
                                    "active" + k,
                                    legs.active(spec.name(), disk, epoch),
                                    "hidden" + k)));
            // The name of the topmost node: with any other the first checkpoint fails silently.
            line.addAll(
                    node(
                            QmpClient.arguments()
                                    .put("driver", "replication")
                                    .put("node-name", "childs" + k)
                                    .put("mode", "secondary")
                                    .put("top-id", QemuCommand.vd(k))
                                    .put("file", "active" + k)));
            line.addAll(node(quorum("colo" + k, 1, List.of("childs" + k))));
            line.addAll(QemuCommand.top(k, "colo" + k));
            line.addAll(QemuCommand.device(spec, k));
        }
        for (var nic = 0; nic < spec.nics().size(); nic++) {
            line.addAll(filters(settings.nbdAddress(), nic));
        }
        line.addAll(List.of("-incoming", "defer"));
        return line;
    }

    private static List<String> node(ObjectNode node) {
        return List.of("-blockdev", node.toString());
    }

    private static ObjectNode overlay(String name, Path file, String below) {
        var node = QmpClient.arguments().put("driver", "qcow2").put("node-name", name);
        node.putObject("file").put("driver", "file").put("filename", file.toString());
        return node.put("backing", below);
    }

    private static List<String> filters(String host, int nic) {
        var listen = ",host=" + QemuCommand.option(host) + ",port=0,server=on,wait=off";
        var filter = ",id=%s-" + nic + ",netdev=hn" + nic + ",queue=%s,vnet_hdr_support=on%s";
        return List.of(
                "-chardev",
                "socket,id=red0-" + nic + listen,
                "-chardev",
                "socket,id=red1-" + nic + listen,
                "-object",
                "filter-redirector" + filter.formatted("f1", "tx", ",indev=red0-" + nic),
                "-object",
                "filter-redirector" + filter.formatted("f2", "rx", ",outdev=red1-" + nic),
                "-object",
                "filter-rewriter" + filter.formatted("rew0", "all", ""));
    }

    // --- The primary's nodes -------------------------------------------------------------------

    static ObjectNode remoteNode(int k, Epoch epoch, PairAddress at) {
        return QemuCommand.nbd(remote(k, epoch), at.host(), at.disks(), door(k));
    }

    static ObjectNode ownNode(QemuSettings settings, Manifest primary, int k, Epoch epoch) {
        return QemuCommand.nbd(
                own(k, epoch),
                settings.nbdAddress(),
                primary.nbdPort(),
                QemuCommand.export(primary.spec(), k, primary.right().epoch()));
    }

    static ObjectNode replicationNode(int k, Epoch epoch) {
        return QmpClient.arguments()
                .put("driver", "replication")
                .put("node-name", replication(k, epoch))
                .put("mode", "primary")
                .put("file", remote(k, epoch));
    }

    /**
     * Both must have a write before the guest hears of it. With one of two it would go on alone
     * before anybody has decided that it may.
     */
    static ObjectNode quorumNode(int k, Epoch epoch) {
        return quorum(quorum(k, epoch), 2, List.of(own(k, epoch), replication(k, epoch)));
    }

    private static ObjectNode quorum(String name, int threshold, List<String> children) {
        var node =
                QmpClient.arguments()
                        .put("driver", "quorum")
                        .put("node-name", name)
                        .put("vote-threshold", threshold)
                        .put("read-pattern", "fifo");
        children.forEach(node.putArray("children")::add);
        return node;
    }

    /**
     * Takes every write and refuses every read, so that a quorum can lose its second child without
     * anybody ever reading zeroes instead of the guest's bytes.
     */
    static List<ObjectNode> standInNodes(int k, Epoch epoch, long size) {
        var refusing =
                QmpClient.arguments()
                        .put("driver", "blkdebug")
                        .put("node-name", standIn(k, epoch))
                        .put("image", nothing(k, epoch));
        refusing.putArray("inject-error").addObject().put("event", "none").put("iotype", "read");
        return List.of(
                QmpClient.arguments()
                        .put("driver", "null-co")
                        .put("node-name", nothing(k, epoch))
                        .put("size", size)
                        .put("read-zeroes", true),
                refusing);
    }

    // --- What lockstep cannot do ---------------------------------------------------------------

    /** In sentences, why this spec cannot run at level SYSTEM. */
    static void illegal(VmSpec spec, List<String> problems) {
        for (DiskSpec disk : spec.disks()) {
            if (disk.kind() != DiskKind.MIRRORED) {
                problems.add(
                        "The disk '"
                                + disk.name()
                                + "' is "
                                + disk.kind()
                                + "; at level SYSTEM each server needs its own copy of every disk. Make it MIRRORED, or choose the level RESTART.");
            }
        }
    }
}
