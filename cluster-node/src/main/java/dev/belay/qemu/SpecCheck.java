package dev.belay.qemu;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.VmSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** What stops a spec from running on this server. */
final class SpecCheck {
    private static final Pattern MAC = Pattern.compile("([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}");
    private static final Pattern INTERFACE = Pattern.compile("[A-Za-z0-9_.-]{1,15}");
    private static final Pattern DISK_NAME = Pattern.compile("[A-Za-z0-9-]{1,40}");
    private static final Epoch LARGE_EPOCH = new Epoch(1_000_000);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final QemuSettings settings;

    SpecCheck(QemuSettings settings) {
        this.settings = settings;
    }

    /**
     * What can run nowhere. Looks at the spec only, and always before a start: its words end up in
     * command lines.
     */
    static List<String> illegal(VmSpec spec) {
        var problems = new ArrayList<String>();
        if (spec.cpus() < 1 || spec.memoryMiB() < 1) {
            problems.add("A VM needs at least one CPU and 1 MiB of memory.");
        }
        if (spec.nics().size() > QemuCommand.MOST_NICS) {
            problems.add("A VM has at most " + QemuCommand.MOST_NICS + " network cards.");
        }
        if (spec.disks().size() > QemuCommand.MOST_DISKS) {
            problems.add("A VM has at most " + QemuCommand.MOST_DISKS + " disks.");
        }
        if (spec.boot().isEmpty() && spec.disks().isEmpty()) {
            problems.add("The VM has neither a kernel nor a disk to boot from.");
        }
        spec.nics().forEach(nic -> illegal(nic, problems));
        spec.disks().forEach(disk -> illegal(disk, problems));
        if (spec.level() == Level.SYSTEM) {
            PairCommand.illegal(spec, problems);
        }
        if (spec.disks().stream().map(DiskSpec::name).distinct().count() < spec.disks().size()) {
            problems.add("Two disks have the same name.");
        }
        return problems;
    }

    private static void illegal(NicSpec nic, List<String> problems) {
        if (!MAC.matcher(nic.mac()).matches()) {
            problems.add("'" + nic.mac() + "' is no MAC address like 52:54:00:12:34:56.");
        }
        if (!INTERFACE.matcher(nic.bridge()).matches()) {
            problems.add("'" + nic.bridge() + "' cannot be the name of a bridge.");
        }
    }

    private static void illegal(DiskSpec disk, List<String> problems) {
        if (!DISK_NAME.matcher(disk.name()).matches()) {
            problems.add(
                    "The disk name '" + disk.name() + "' is not made of letters, digits, '-'.");
        }
        if (!disk.format().equals("raw") && !disk.format().equals("qcow2")) {
            problems.add(
                    "The disk '"
                            + disk.name()
                            + "' has the format '"
                            + disk.format()
                            + "'; raw and qcow2 are possible.");
        }
        if (disk.path().isEmpty()) {
            if (!disk.kind().isMade()) {
                problems.add("The disk '" + disk.name() + "' needs the path of its file.");
            } else if (disk.sizeMiB() <= 0) {
                problems.add("The disk '" + disk.name() + "' has neither an image nor a size.");
            }
        } else if (!Path.of(disk.path().get()).isAbsolute()) {
            problems.add("The disk '" + disk.name() + "' needs an absolute path.");
        }
    }

    /** What is wrong here and now. Blocks. */
    List<String> problems(VmSpec spec) {
        var problems = new ArrayList<>(illegal(spec));
        if (!problems.isEmpty()) {
            return List.copyOf(problems);
        }
        spec.boot()
                .ifPresent(boot -> {
                    readable("kernel", boot.kernel(), problems);
                    if (!boot.initrd().isBlank()) {
                        readable("initrd", boot.initrd(), problems);
                    }
                });
        for (var nic : spec.nics()) {
            if (!Taps.isBridge(nic.bridge())) {
                problems.add(
                        "This server has no bridge '"
                                + nic.bridge()
                                + "'. Make it (ip link add "
                                + nic.bridge()
                                + " type bridge) or name another in the spec.");
            }
        }
        for (var disk : spec.disks()) {
            // A leg that is here needs its image no more.
            if (disk.kind() != DiskKind.MIRRORED
                    || !Files.exists(new LegFiles(settings).leg(spec.name(), disk))) {
                disk.path().ifPresent(path -> image(disk, path, problems));
            }
        }
        if (!ReplicaFiles.of(settings.runDir(), spec.name(), LARGE_EPOCH).socketPathsFit()) {
            problems.add(
                    "The run folder "
                            + settings.runDir()
                            + " has too long a path for the sockets of this VM; configure a shorter one.");
        }
        return List.copyOf(problems);
    }

    private static boolean readable(String what, String path, List<String> problems) {
        var file = Path.of(path);
        if (!Files.exists(file)) {
            problems.add("The " + what + " " + path + " is not on this server.");
        } else if (Files.isDirectory(file) || !Files.isReadable(file)) {
            problems.add("The " + what + " " + path + " cannot be read by this node.");
        } else {
            return true;
        }
        return false;
    }

    private void image(DiskSpec disk, String path, List<String> problems) {
        var what = "file of the disk '" + disk.name() + "'";
        if (!readable(what, path, problems)) {
            return;
        }
        if (!disk.kind().isMade() && !Files.isWritable(Path.of(path))) {
            problems.add("The " + what + " " + path + " cannot be written by this node.");
            return;
        }
        // -U: only look; the image may be in use, here or elsewhere.
        var result =
                Tool.run(
                        settings.patience(),
                        List.of(
                                settings.img().toString(),
                                "info",
                                "-U",
                                "--output=json",
                                "-f",
                                disk.format(),
                                path));
        if (!result.ok()) {
            problems.add(
                    "The "
                            + what
                            + " "
                            + path
                            + " is no "
                            + disk.format()
                            + " image: "
                            + result.complaint());
            return;
        }
        try {
            if (JSON.readTree(result.output()).path("virtual-size").asLong() <= 0) {
                problems.add("The " + what + " " + path + " is empty.");
            }
        } catch (JsonProcessingException e) {
            problems.add("qemu-img tells nothing sensible about " + path + ".");
        }
    }
}
