package dev.belay.qemu;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.DurableFile;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This server's legs of MIRRORED disks. They stay when the server reboots, and when nothing of the
 * VM runs here; the journal knows which server's are worth something. Beside them a mark says when
 * a leg alone is not the disk. Blocks.
 */
final class LegFiles {
    private static final Logger log = LoggerFactory.getLogger(LegFiles.class);

    /** An image may be large, and its storage slow. */
    private static final Duration COPY_LIMIT = Duration.ofHours(1);

    private static final long MIB = 1024 * 1024;

    private final QemuSettings settings;

    LegFiles(QemuSettings settings) {
        this.settings = settings;
    }

    /**
     * Why a leg is not the whole disk. Kept in a file from before it becomes true until after it
     * has ceased to be.
     *
     * @param disks names of those of which it is true
     */
    record Mark(Kind kind, Epoch epoch, List<String> disks) {
        enum Kind {
            /** The secondary of this epoch is being filled, or died before it was in lockstep. */
            FILLING,
            /** A secondary took over: its overlays, written back bit by bit, are above the leg. */
            OVERLAID
        }
    }

    private Path root() {
        return settings.dataDir().resolve("legs");
    }

    private Path folder(VmName vm) {
        return root().resolve(vm.value());
    }

    Path leg(VmName vm, DiskSpec disk) {
        return folder(vm).resolve(disk.name() + ".raw");
    }

    /** What a secondary's guest wrote since the last checkpoint. */
    Path active(VmName vm, DiskSpec disk, Epoch epoch) {
        return folder(vm).resolve(disk.name() + ".active." + epoch + ".qcow2");
    }

    /** What stood where its primary wrote since the last checkpoint. */
    Path hidden(VmName vm, DiskSpec disk, Epoch epoch) {
        return folder(vm).resolve(disk.name() + ".hidden." + epoch + ".qcow2");
    }

    private Path markFile(VmName vm) {
        return folder(vm).resolve("mark.json");
    }

    private Optional<Mark> mark(VmName vm) throws IOException {
        return read(markFile(vm), Mark.class);
    }

    /** Which secondary's legs were whole disks last; outlasts all marks. */
    private Path filledFile(VmName vm) {
        return folder(vm).resolve("filled.json");
    }

    private static <T> Optional<T> read(Path file, Class<T> type) throws IOException {
        return Files.exists(file)
                ? Optional.of(Manifest.JSON.readValue(file.toFile(), type))
                : Optional.empty();
    }

    private void mark(VmName vm, Mark mark) throws IOException {
        DurableFile.write(markFile(vm), Manifest.JSON.writeValueAsString(mark));
    }

    private void unmark(VmName vm) throws IOException {
        if (Files.deleteIfExists(markFile(vm))) {
            force(folder(vm), StandardOpenOption.READ);
        }
    }

    private static List<DiskSpec> mirrored(VmSpec spec) {
        return spec.disks().stream().filter(disk -> disk.kind() == DiskKind.MIRRORED).toList();
    }

    // --- For a start ---------------------------------------------------------------------------

    /** Makes each leg the whole disk: what is missing is made, what lies above is written back. */
    void makeReady(VmSpec spec) throws IOException {
        var disks = mirrored(spec);
        if (disks.isEmpty()) {
            return;
        }
        var vm = spec.name();
        var mark = mark(vm);
        if (mark.isPresent()) {
            switch (mark.get().kind()) {
                case FILLING ->
                        throw new HypervisorException(
                                "The disks of "
                                        + vm
                                        + " on this server are no whole copies: they were being filled when the pair ended. Nothing was started; start it on the server where it ran last.",
                                true);
                case OVERLAID -> settle(spec, mark.get());
            }
        }
        Files.createDirectories(folder(vm));
        for (var disk : disks) {
            if (!Files.exists(leg(vm, disk))) {
                make(vm, disk);
            }
        }
    }

    private void make(VmName vm, DiskSpec disk) throws IOException {
        var leg = leg(vm, disk);
        // Whole or not at all: a copy that was cut short never gets the leg's name.
        var fresh = leg.resolveSibling(leg.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        if (disk.path().isPresent()) {
            run(
                    "be copied from " + disk.path().get(),
                    disk,
                    List.of(
                            settings.img().toString(),
                            "convert",
                            "-f",
                            disk.format(),
                            "-O",
                            "raw",
                            disk.path().get(),
                            fresh.toString()));
        }
        try (var file = new RandomAccessFile(fresh.toFile(), "rw")) {
            file.setLength(Math.max(file.length(), disk.sizeMiB() * MIB));
            file.getFD().sync();
        }
        Files.move(fresh, leg, StandardCopyOption.ATOMIC_MOVE);
        force(folder(vm), StandardOpenOption.READ);
    }

    /**
     * What {@link #active} and {@link #hidden} hold goes into the leg, however often it is tried.
     */
    private void settle(VmSpec spec, Mark mark) throws IOException {
        var vm = spec.name();
        var left = new TreeSet<>(mark.disks());
        for (var disk : mirrored(spec)) {
            if (!mark.disks().contains(disk.name())) {
                continue;
            }
            var active = active(vm, disk, mark.epoch());
            var hidden = hidden(vm, disk, mark.epoch());
            for (var file : List.of(active, hidden)) {
                if (!Files.exists(file)) {
                    throw new HypervisorException(
                            "The newest bytes of the disk '"
                                    + disk.name()
                                    + "' of "
                                    + vm
                                    + " are in "
                                    + file
                                    + ", which is gone; nothing was started. Bring the file back. Only if it is lost for good and an older state of the disk will do, delete "
                                    + markFile(vm)
                                    + ".",
                            false);
                }
            }
            for (var file : List.of(active, hidden)) {
                run(
                        "take in " + file,
                        disk,
                        List.of(
                                settings.img().toString(),
                                "commit",
                                "-q",
                                "-d",
                                "-f",
                                "qcow2",
                                file.toString()));
            }
            force(leg(vm, disk), StandardOpenOption.WRITE);
            left.remove(disk.name());
            mark(vm, new Mark(mark.kind(), mark.epoch(), List.copyOf(left)));
        }
        unmark(vm);
        discard(spec, mark.epoch());
    }

    // --- For a secondary -----------------------------------------------------------------------

    /**
     * Fresh legs, worth nothing until {@link #filled}, and fresh overlays. Once they were filled
     * for an epoch, they may be the newest there are: an order that comes so late is refused.
     */
    void makeAnew(VmSpec spec, Epoch epoch) throws IOException {
        var vm = spec.name();
        var disks = mirrored(spec);
        if (disks.isEmpty()) {
            return;
        }
        Files.createDirectories(folder(vm));
        var filled = read(filledFile(vm), Epoch.class);
        if (filled.filter(before -> !epoch.isAfter(before)).isPresent()) {
            throw new HypervisorException(
                    "The disks of %s on this server were whole copies at %s already; the order to fill them at %s comes too late. Nothing was changed."
                            .formatted(vm, filled.get(), epoch),
                    true);
        }
        mark(vm, new Mark(Mark.Kind.FILLING, epoch, disks.stream().map(DiskSpec::name).toList()));
        removeOverlays(vm);
        for (var disk : disks) {
            var leg = leg(vm, disk);
            Files.deleteIfExists(leg);
            try (var file = new RandomAccessFile(leg.toFile(), "rw")) {
                file.setLength(size(disk));
            }
            overlay(disk, hidden(vm, disk, epoch), leg, "raw");
            overlay(disk, active(vm, disk, epoch), hidden(vm, disk, epoch), "qcow2");
        }
        force(folder(vm), StandardOpenOption.READ);
    }

    private void overlay(DiskSpec disk, Path overlay, Path below, String format) {
        run(
                "get its overlay " + overlay,
                disk,
                List.of(
                        settings.img().toString(),
                        "create",
                        "-q",
                        "-f",
                        "qcow2",
                        "-b",
                        below.toString(),
                        "-F",
                        format,
                        overlay.toString()));
    }

    private long size(DiskSpec disk) {
        var image = disk.path().isEmpty() ? 0 : imageSize(disk, disk.path().get());
        return Math.max(image, disk.sizeMiB() * MIB);
    }

    private long imageSize(DiskSpec disk, String image) {
        var result =
                run(
                        "be as large as " + image,
                        disk,
                        List.of(
                                settings.img().toString(),
                                "info",
                                "-U",
                                "--output=json",
                                "-f",
                                disk.format(),
                                image));
        try {
            return Manifest.JSON.readTree(result).path("virtual-size").asLong();
        } catch (JsonProcessingException e) {
            throw new HypervisorException("qemu-img tells no size of " + image, true);
        }
    }

    /** In lockstep: each leg is the whole disk from here on. Any thread. */
    synchronized void filled(VmName vm, Epoch epoch) throws IOException {
        if (isMarked(vm, Mark.Kind.FILLING, epoch)) {
            DurableFile.write(filledFile(vm), Manifest.JSON.writeValueAsString(epoch));
            unmark(vm);
        }
    }

    /** Whether the secondary of this epoch was never seen in lockstep. */
    boolean isFilling(VmName vm, Epoch epoch) throws IOException {
        return isMarked(vm, Mark.Kind.FILLING, epoch);
    }

    /**
     * From here on these disks' legs alone are not the disks; on the disk when this returns.
     *
     * @return these, and those that an earlier attempt marked and {@link #writtenBack} did not
     *     unmark yet
     */
    synchronized List<String> overlaid(VmName vm, Epoch epoch, List<String> disks)
            throws IOException {
        var marked = overlaid(vm, epoch);
        var all = new TreeSet<>(marked);
        all.addAll(disks);
        if (all.size() > marked.size()) {
            mark(vm, new Mark(Mark.Kind.OVERLAID, epoch, List.copyOf(all)));
        }
        return List.copyOf(all);
    }

    private List<String> overlaid(VmName vm, Epoch epoch) throws IOException {
        return mark(vm).filter(m -> m.kind() == Mark.Kind.OVERLAID && m.epoch().equals(epoch))
                .map(Mark::disks)
                .orElse(List.of());
    }

    /**
     * The disk's overlays are written back, and its leg is the whole disk again. Before the guest
     * writes anything into it: at the next start the overlays would be written over that.
     */
    synchronized void writtenBack(VmName vm, Epoch epoch, DiskSpec disk) throws IOException {
        var left = new TreeSet<>(overlaid(vm, epoch));
        if (!left.remove(disk.name())) {
            return;
        }
        force(leg(vm, disk), StandardOpenOption.WRITE);
        if (left.isEmpty()) {
            unmark(vm);
        } else {
            mark(vm, new Mark(Mark.Kind.OVERLAID, epoch, List.copyOf(left)));
        }
    }

    private boolean isMarked(VmName vm, Mark.Kind kind, Epoch epoch) throws IOException {
        return mark(vm).filter(m -> m.kind() == kind && m.epoch().equals(epoch)).isPresent();
    }

    // --- Clearing away -------------------------------------------------------------------------

    /** Deletes this epoch's overlays, unless they are part of the disk. */
    void discard(VmSpec spec, Epoch epoch) throws IOException {
        if (!isMarked(spec.name(), Mark.Kind.OVERLAID, epoch)) {
            for (var disk : mirrored(spec)) {
                Files.deleteIfExists(active(spec.name(), disk, epoch));
                Files.deleteIfExists(hidden(spec.name(), disk, epoch));
            }
        }
    }

    /**
     * Deletes all VMs' overlays that are no part of a disk; legs stay, they are the users' data,
     * and so does what is not ours. Whatever is wrong with one folder keeps no server from being
     * clean: an overlay that is left over is in nobody's way.
     */
    void sweep() throws IOException {
        if (!Files.isDirectory(root())) {
            return;
        }
        try (var folders = Files.list(root())) {
            for (var folder : folders.filter(Files::isDirectory).toList()) {
                var vm = vmOf(folder);
                if (vm.isEmpty()) {
                    log.debug("{} is no VM's and stays as it is", folder);
                } else {
                    sweep(vm.get());
                }
            }
        }
    }

    private static Optional<VmName> vmOf(Path folder) {
        try {
            return Optional.of(new VmName(folder.getFileName().toString()));
        } catch (IllegalArgumentException e) {
            // lost+found, or an administrator's copy.
            return Optional.empty();
        }
    }

    private void sweep(VmName vm) {
        try {
            if (mark(vm).filter(m -> m.kind() == Mark.Kind.OVERLAID).isEmpty()) {
                removeOverlays(vm);
            }
        } catch (IOException e) {
            log.warn(
                    "{} cannot be looked through: {}. Belay leaves all that is in it as it is. Of no harm to the other VMs; this one does not start from it while its mark.json cannot be read.",
                    folder(vm),
                    e.getMessage());
        }
    }

    private void removeOverlays(VmName vm) throws IOException {
        var found = new ArrayList<Path>();
        try (var files = Files.newDirectoryStream(folder(vm), "*.{active,hidden}.e*.qcow2")) {
            files.forEach(found::add);
        }
        for (var file : found) {
            Files.deleteIfExists(file);
        }
    }

    private static String run(String aim, DiskSpec disk, List<String> command) {
        var result = Tool.run(COPY_LIMIT, command);
        if (!result.ok()) {
            throw new HypervisorException(
                    "The disk '" + disk.name() + "' could not " + aim + ": " + result.complaint(),
                    true);
        }
        return result.output();
    }

    private static void force(Path path, StandardOpenOption mode) throws IOException {
        try (var channel = FileChannel.open(path, mode)) {
            channel.force(true);
        }
    }
}
