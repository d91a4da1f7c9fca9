package dev.belay.qemu;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import dev.belay.model.RunRight;
import dev.belay.model.VmSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/**
 * What a replica consists of. It is on disk before anything of the replica exists, and goes last,
 * so that a later process of the node finds all that an earlier one made.
 *
 * @param boot the kernel's id of the boot in which the processes were started
 * @param qemu absent until it was started
 * @param storage the storage daemon; absent without disks or until it was started
 * @param nbdPort where the storage daemon listens; 0: not yet
 * @param overlays files to delete when the replica has ended
 * @param ended how it ended, in words; absent while it runs or nobody has looked
 */
record Manifest(
        RunRight right,
        VmSpec spec,
        String boot,
        Phase phase,
        Optional<Leashed> qemu,
        Optional<Leashed> storage,
        int nbdPort,
        List<String> taps,
        List<Path> overlays,
        Optional<String> ended) {

    enum Phase {
        /** Its guest has never run; of no use to anybody when the node finds it after a crash. */
        STARTING,
        /** {@code cont} was sent. */
        RUNNING,
        /** Its processes are gone. */
        ENDED
    }

    static final ObjectMapper JSON =
            new ObjectMapper()
                    .registerModule(new Jdk8Module())
                    // Components only: isPinned() and the like are not data.
                    .setVisibility(PropertyAccessor.GETTER, Visibility.NONE)
                    .setVisibility(PropertyAccessor.IS_GETTER, Visibility.NONE)
                    .setVisibility(PropertyAccessor.FIELD, Visibility.ANY)
                    .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false)
                    .enable(SerializationFeature.INDENT_OUTPUT);

    /** A program and the leash that is its parent. */
    record Leashed(ProcessId program, ProcessId leash) {}

    Manifest {
        taps = List.copyOf(taps);
        overlays = List.copyOf(overlays);
    }

    static Manifest starting(RunRight right, VmSpec spec, List<String> taps, List<Path> overlays)
            throws IOException {
        return new Manifest(
                right,
                spec,
                currentBoot(),
                Phase.STARTING,
                Optional.empty(),
                Optional.empty(),
                0,
                taps,
                overlays,
                Optional.empty());
    }

    Manifest withQemu(Leashed started) {
        return new Manifest(
                right,
                spec,
                boot,
                phase,
                Optional.of(started),
                storage,
                nbdPort,
                taps,
                overlays,
                ended);
    }

    Manifest withStorage(Leashed started) {
        return new Manifest(
                right,
                spec,
                boot,
                phase,
                qemu,
                Optional.of(started),
                nbdPort,
                taps,
                overlays,
                ended);
    }

    Manifest withNbdPort(int port) {
        return new Manifest(right, spec, boot, phase, qemu, storage, port, taps, overlays, ended);
    }

    Manifest toRunning() {
        return new Manifest(
                right, spec, boot, Phase.RUNNING, qemu, storage, nbdPort, taps, overlays, ended);
    }

    Manifest toEnded(String how) {
        return new Manifest(
                right,
                spec,
                boot,
                Phase.ENDED,
                qemu,
                storage,
                nbdPort,
                taps,
                overlays,
                Optional.of(how));
    }

    static Optional<Manifest> read(Path file) throws IOException {
        return Files.exists(file)
                ? Optional.of(JSON.readValue(file.toFile(), Manifest.class).ofThisBoot())
                : Optional.empty();
    }

    /** After a reboot the process numbers mean others, or nobody. */
    private Manifest ofThisBoot() throws IOException {
        return boot.equals(currentBoot())
                ? this
                : new Manifest(
                        right,
                        spec,
                        boot,
                        phase,
                        Optional.empty(),
                        Optional.empty(),
                        0,
                        taps,
                        overlays,
                        ended);
    }

    private static String currentBoot() throws IOException {
        return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    }

    /**
     * Whole or not at all. Not forced to disk: it has to outlast this process, and nothing that it
     * tells of outlasts the server's boot.
     */
    void write(Path file) throws IOException {
        var fresh = file.resolveSibling(file.getFileName() + ".tmp");
        try (var channel =
                FileChannel.open(
                        fresh,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)) {
            var bytes = ByteBuffer.wrap(JSON.writeValueAsBytes(this));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }
        Files.move(
                fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
