package dev.belay.qemu;

import com.sun.nio.file.ExtendedOpenOption;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** The files under a replica's disks. Blocks. */
final class DiskFiles {
    private final QemuSettings settings;
    private final LegFiles legs;

    DiskFiles(QemuSettings settings) {
        this.settings = settings;
        this.legs = new LegFiles(settings);
    }

    static Path overlays(Path dataDir) {
        return dataDir.resolve("ephemeral");
    }

    /** Carries the epoch: an old replica that dies slowly never shares a file with a new one. */
    static Path overlay(Path dataDir, VmName vm, DiskSpec disk, Epoch epoch) {
        return overlays(dataDir).resolve(vm + "-" + disk.name() + "." + epoch + ".qcow2");
    }

    Path file(VmName vm, DiskSpec disk, Epoch epoch) {
        return switch (disk.kind()) {
            case EPHEMERAL -> overlay(settings.dataDir(), vm, disk, epoch);
            case MIRRORED -> legs.leg(vm, disk);
            case SHARED, LOCAL -> Path.of(disk.path().orElseThrow());
        };
    }

    static String format(DiskSpec disk) {
        return switch (disk.kind()) {
            case EPHEMERAL -> "qcow2";
            case MIRRORED -> "raw";
            case SHARED, LOCAL -> disk.format();
        };
    }

    List<Path> overlaysOf(VmSpec spec, Epoch epoch) {
        return spec.disks().stream()
                .filter(disk -> disk.kind() == DiskKind.EPHEMERAL)
                .map(disk -> overlay(settings.dataDir(), spec.name(), disk, epoch))
                .toList();
    }

    /** Makes the fresh overlays and empty disks of this epoch, and what legs are missing. */
    void prepare(VmSpec spec, Epoch epoch) throws IOException {
        legs.makeReady(spec);
        for (var disk : spec.disks()) {
            if (disk.kind() == DiskKind.EPHEMERAL) {
                Files.createDirectories(overlays(settings.dataDir()));
                create(disk, overlay(settings.dataDir(), spec.name(), disk, epoch));
            }
        }
    }

    /** Makes what the second of a pair needs: fresh legs, which its primary fills. */
    void prepareSecondary(VmSpec spec, Epoch epoch) throws IOException {
        legs.makeAnew(spec, epoch);
    }

    private void create(DiskSpec disk, Path overlay) throws IOException {
        Files.deleteIfExists(overlay);
        var command =
                new ArrayList<>(List.of(settings.img().toString(), "create", "-q", "-f", "qcow2"));
        disk.path().ifPresent(image -> command.addAll(List.of("-b", image, "-F", disk.format())));
        command.add(overlay.toString());
        if (disk.sizeMiB() > 0) {
            command.add(disk.sizeMiB() + "M");
        }
        var result = Tool.run(settings.patience(), command);
        if (!result.ok()) {
            throw new HypervisorException(
                    "The disk '"
                            + disk.name()
                            + "' could not be made at "
                            + overlay
                            + ": "
                            + result.complaint(),
                    true);
        }
    }

    /**
     * Whether the file system can bypass the page cache; some in-memory ones and overlays cannot.
     */
    static boolean bypassesCache(Path file) {
        try (var _ = FileChannel.open(file, StandardOpenOption.READ, ExtendedOpenOption.DIRECT)) {
            return true;
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
