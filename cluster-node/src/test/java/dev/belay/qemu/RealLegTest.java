package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.Level;
import dev.belay.model.Placement;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Legs and their overlays with the real qemu-img. */
@Tag("qemu")
class RealLegTest {
    private static final int MIB = 1024 * 1024;
    private static final Epoch EPOCH = new Epoch(8);
    private static final VmName VM = new VmName("web");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path dir;

    @SuppressWarnings("NullAway.Init")
    private LegFiles legs;

    @SuppressWarnings("NullAway.Init")
    private QemuSettings settings;

    @BeforeEach
    void open() {
        settings = QemuLab.settings(dir, "leg", "BELAY_QEMU");
        legs = new LegFiles(settings);
    }

    private static VmSpec spec(DiskSpec... disks) {
        return new VmSpec(
                VM,
                1,
                64,
                Optional.empty(),
                List.of(disks),
                List.of(),
                Level.SYSTEM,
                Placement.ANYWHERE,
                100);
    }

    private static DiskSpec disk(String name) {
        return new DiskSpec(name, DiskKind.MIRRORED, Optional.empty(), "raw", 1);
    }

    private void img(String... words) {
        var command = new ArrayList<>(List.of(settings.img().toString()));
        command.addAll(List.of(words));
        var result = Tool.run(Duration.ofSeconds(20), command);
        assertThat(result.ok()).describedAs(result.complaint()).isTrue();
    }

    /** As a guest would: 4 KiB of one byte. */
    private void write(Path overlay, int offset, int value) {
        img(
                "bench",
                "-w",
                "-c",
                "1",
                "-d",
                "1",
                "-s",
                "4096",
                "-o",
                Integer.toString(offset),
                "--pattern=" + value,
                "-f",
                "qcow2",
                overlay.toString());
    }

    private static int read(Path leg, int offset) throws IOException {
        try (var file = new RandomAccessFile(leg.toFile(), "r")) {
            file.seek(offset);
            return file.read();
        }
    }

    @Test
    void aStartTakesInWhatATakeoverLeftAbove() throws IOException {
        var spec = spec(disk("a"), disk("b"));
        legs.makeAnew(spec, EPOCH);
        for (var disk : spec.disks()) {
            write(legs.hidden(VM, disk, EPOCH), 0, 65);
            write(legs.hidden(VM, disk, EPOCH), 8192, 65);
            write(legs.active(VM, disk, EPOCH), 8192, 66);
        }
        legs.overlaid(VM, EPOCH, spec.disks().stream().map(DiskSpec::name).toList());
        legs.makeReady(spec);
        for (var disk : spec.disks()) {
            assertThat(read(legs.leg(VM, disk), 0)).isEqualTo(65);
            assertThat(read(legs.leg(VM, disk), 8192)).isEqualTo(66);
            assertThat(read(legs.leg(VM, disk), 4096)).isEqualTo(0);
        }
        assertThat(dir.resolve("data/legs/web").toFile().list())
                .containsExactlyInAnyOrder("a.raw", "b.raw");
    }

    /** Repeated while it is being filled is one thing; what was in lockstep may be the newest. */
    @Test
    void whatWasFilledOnceIsNotMadeAnewForTheSameEpoch() throws IOException {
        var spec = spec(disk("a"));
        var leg = legs.leg(VM, spec.disks().getFirst());
        legs.makeAnew(spec, EPOCH);
        legs.makeAnew(spec, EPOCH);
        Files.writeString(leg, "newest");
        legs.filled(VM, EPOCH);

        assertThatThrownBy(() -> new LegFiles(settings).makeAnew(spec, EPOCH))
                .hasMessageContaining("comes too late");
        assertThat(leg).hasContent("newest");
        legs.makeReady(spec);

        legs.makeAnew(spec, EPOCH.next());
        assertThat(read(leg, 0)).isZero();
    }

    @Test
    void aFirstStartCopiesTheImageAndMakesRoom() throws IOException {
        var image = dir.resolve("image.qcow2");
        img("create", "-q", "-f", "qcow2", image.toString(), "1M");
        write(image, 4096, 67);
        var disk = new DiskSpec("a", DiskKind.MIRRORED, Optional.of(image.toString()), "qcow2", 64);
        legs.makeReady(spec(disk));
        var leg = legs.leg(VM, disk);
        assertThat(read(leg, 4096)).isEqualTo(67);
        assertThat(leg).hasSize(64 * MIB);
        // Sparse: what the image does not hold takes no room.
        assertThat(512 * blocks(leg)).isLessThan(2L * MIB);
        Files.delete(image);
        legs.makeReady(spec(disk));
    }

    private static long blocks(Path file) {
        var result = Tool.run(Duration.ofSeconds(5), List.of("stat", "-c", "%b", file.toString()));
        return Long.parseLong(result.output().strip());
    }
}
