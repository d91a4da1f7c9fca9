package dev.belay.qemu;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.belay.model.Epoch;
import dev.belay.model.RunRight;
import dev.belay.model.VmSpec;
import dev.belay.qemu.ReplicaFiles.Role;
import java.util.ArrayList;
import java.util.List;

/**
 * Command lines and block nodes. Names and PCI addresses are fixed by the spec alone, so that a
 * second replica on another server can be made the same (lockstep, live migration).
 *
 * <p>A disk's graph is {@code vd<k> (raw) → leg<k>L.e<epoch> (nbd) → storage daemon}. {@code vd<k>}
 * never changes its name: every later level is reached by reopening it over another graph.
 */
final class QemuCommand {
    static final int MOST_NICS = 4;
    static final int MOST_DISKS = 20;
    private static final int FIRST_NIC_SLOT = 0x4;
    private static final int FIRST_DISK_SLOT = 0x8;
    private static final String PANIC_SLOT = "0x3";
    private static final ObjectMapper JSON = new ObjectMapper();

    private QemuCommand() {}

    /**
     * @param machine a versioned machine type
     */
    static List<String> system(
            QemuSettings settings,
            String machine,
            RunRight right,
            VmSpec spec,
            ReplicaFiles files,
            List<String> taps,
            int nbdPort) {
        var line = head(settings, machine, spec, files, List.of("-S"));
        for (var k = 0; k < spec.nics().size(); k++) {
            nic(spec, k, taps.get(k), line);
        }
        for (var k = 0; k < spec.disks().size(); k++) {
            line.addAll(leg(settings, right.epoch(), spec, k, nbdPort));
            line.addAll(top(k, leg(k, right.epoch())));
            line.addAll(device(spec, k));
        }
        return line;
    }

    /** Up to the first card: what does not depend on the replica's part. */
    static List<String> head(
            QemuSettings settings,
            String machine,
            VmSpec spec,
            ReplicaFiles files,
            List<String> beginning) {
        var line = new ArrayList<String>();
        line.add(settings.system().toString());
        line.addAll(List.of("-name", "guest=" + spec.name() + ",debug-threads=on"));
        line.addAll(List.of("-machine", machine(settings, machine)));
        if (!settings.cpu().isBlank()) {
            line.addAll(List.of("-cpu", settings.cpu()));
        }
        line.addAll(List.of("-m", Integer.toString(spec.memoryMiB())));
        line.addAll(List.of("-smp", Integer.toString(spec.cpus())));
        line.addAll(List.of("-nodefaults", "-no-user-config", "-display", "none"));
        line.addAll(beginning);
        line.addAll(List.of("-action", "panic=pause"));
        line.addAll(monitor("-chardev", "-mon", files, Role.QEMU));
        line.addAll(
                List.of("-chardev", "file,id=serial0,path=" + option(files.serial().toString())));
        line.addAll(List.of("-serial", "chardev:serial0"));
        line.addAll(List.of("-device", "pvpanic-pci,id=panic0,addr=" + PANIC_SLOT));
        boot(spec, line);
        return line;
    }

    /**
     * @param type a versioned one
     */
    static String machine(QemuSettings settings, String type) {
        return type + ",accel=" + settings.accel();
    }

    private static void boot(VmSpec spec, List<String> line) {
        spec.boot()
                .ifPresent(boot -> {
                    line.addAll(List.of("-kernel", boot.kernel()));
                    if (!boot.initrd().isBlank()) {
                        line.addAll(List.of("-initrd", boot.initrd()));
                    }
                    line.addAll(List.of("-append", boot.commandLine()));
                });
    }

    static void nic(VmSpec spec, int k, String tap, List<String> line) {
        line.addAll(
                List.of(
                        "-netdev",
                        "tap,id=hn" + k + ",vhost=off,ifname=" + tap + ",script=no,downscript=no"));
        line.addAll(
                List.of(
                        "-device",
                        "virtio-net-pci,id=e"
                                + k
                                + ",netdev=hn"
                                + k
                                + ",mac="
                                + spec.nics().get(k).mac()
                                + ",romfile=,addr="
                                + slot(FIRST_NIC_SLOT + k)));
    }

    /** The storage daemon's copy of a disk. */
    static List<String> leg(QemuSettings settings, Epoch epoch, VmSpec spec, int k, int port) {
        return List.of(
                "-blockdev",
                nbd(leg(k, epoch), settings.nbdAddress(), port, export(spec, k, epoch)).toString());
    }

    /** What the guest's disk stands on, whatever is below it. */
    static List<String> top(int k, String below) {
        return List.of(
                "-blockdev",
                JSON.createObjectNode()
                        .put("driver", "raw")
                        .put("node-name", vd(k))
                        .put("file", below)
                        .toString());
    }

    static List<String> device(VmSpec spec, int k) {
        return List.of(
                "-device",
                "virtio-blk-pci,id=vblk"
                        + k
                        + ",drive="
                        + vd(k)
                        + ",addr="
                        + slot(FIRST_DISK_SLOT + k)
                        + ",werror=stop,rerror=stop"
                        + (k == 0 && spec.boot().isEmpty() ? ",bootindex=0" : ""));
    }

    static ObjectNode nbd(String node, String host, int port, String export) {
        var nbd = JSON.createObjectNode().put("driver", "nbd").put("node-name", node);
        nbd.putObject("server")
                .put("type", "inet")
                .put("host", host)
                .put("port", Integer.toString(port));
        return nbd.put("export", export).put("reconnect-delay", 0).put("discard", "unmap");
    }

    /** The storage daemon; its disks come by QMP, where an error is a plain answer. */
    static List<String> storage(QemuSettings settings, ReplicaFiles files) {
        var line = new ArrayList<String>();
        line.add(settings.storageDaemon().toString());
        line.addAll(monitor("--chardev", "--monitor", files, Role.STORAGE));
        return line;
    }

    private static List<String> monitor(
            String chardev, String monitor, ReplicaFiles files, Role role) {
        return List.of(
                chardev,
                "socket,id=qmp0,path=" + option(files.qmp(role).toString()) + ",server=on,wait=off",
                monitor,
                "chardev=qmp0,mode=control");
    }

    static String vd(int k) {
        return "vd" + k;
    }

    static String leg(int k, Epoch epoch) {
        return "leg" + k + "L." + epoch;
    }

    /** Carries the epoch: once it is deleted, a stale writer is refused by the disk itself. */
    static String export(VmSpec spec, int k, Epoch epoch) {
        return spec.name() + "-" + spec.disks().get(k).name() + "." + epoch;
    }

    private static String slot(int number) {
        return "0x" + Integer.toHexString(number);
    }

    /** A comma ends an option, unless doubled. */
    static String option(String value) {
        return value.replace(",", ",,");
    }
}
