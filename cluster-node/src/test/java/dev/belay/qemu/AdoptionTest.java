package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.Level;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.Hypervisor.ReplicaStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a new process of the node makes of what an earlier one left. Runs no QEMU. */
@Timeout(60)
class AdoptionTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path dir;

    private QemuSettings settings() {
        return new QemuSettings(
                dir.resolve("qemu"),
                dir.resolve("qsd"),
                dir.resolve("img"),
                dir.resolve("leash"),
                "tcg",
                "pc",
                "",
                dir.resolve("run"),
                dir.resolve("data"),
                "alpha",
                "127.0.0.1",
                0,
                Duration.ofMillis(100),
                Duration.ofSeconds(5));
    }

    private static RunRight right(String vm) {
        return new RunRight(
                new VmName(vm), new Epoch(1), new ServerName("alpha"), new Incarnation(1));
    }

    /** A start that an earlier process of the node did not finish. */
    private void leaveUnfinished(String vm, List<Path> overlays) throws IOException {
        var right = right(vm);
        var spec =
                new VmSpec(
                        right.vm(),
                        1,
                        64,
                        Optional.empty(),
                        List.of(),
                        List.of(),
                        Level.RESTART,
                        Placement.ANYWHERE,
                        1);
        var files = ReplicaFiles.of(settings().runDir(), right.vm(), right.epoch());
        Files.createDirectories(files.dir());
        Manifest.starting(right, spec, List.of(), overlays).write(files.manifest());
    }

    @Test
    void aReplicaThatCannotBeBuriedCountsAsRunningAndHoldsUpNoOther() throws Exception {
        var stuck = dir.resolve("overlay");
        Files.createDirectories(stuck.resolve("in-the-way"));
        leaveUnfinished("bad", List.of(stuck));
        leaveUnfinished("good", List.of());
        var events = new LinkedBlockingQueue<ReplicaEvent>();
        try (var hypervisor = new QemuHypervisor(settings())) {
            hypervisor.observe(events::add);
            var found = Waiting.reply(hypervisor.adopt());
            assertThat(found)
                    .extracting(ReplicaStatus::right)
                    .containsExactlyInAnyOrder(right("bad"), right("good"));
            assertThat(status(found, "good").running()).isFalse();
            assertThat(status(found, "bad").running()).isTrue();
            assertThat(status(found, "bad").detail())
                    .contains("cannot be cleared away")
                    .contains(stuck.toString());
            assertThat(hypervisor.replicas())
                    .extracting(ReplicaStatus::right)
                    .containsExactly(right("bad"));

            // Its end is told once what is in the way is gone.
            Files.delete(stuck.resolve("in-the-way"));
            var event = events.poll(30, TimeUnit.SECONDS);
            assertThat(event).isInstanceOf(ReplicaEvent.Exited.class);
            assertThat(event.right()).isEqualTo(right("bad"));
            assertThat(hypervisor.replicas()).isEmpty();
        }
    }

    private static ReplicaStatus status(List<ReplicaStatus> found, String vm) {
        return found.stream()
                .filter(status -> status.right().equals(right(vm)))
                .findFirst()
                .orElseThrow();
    }

    /** Looking costs processor time that the leashes of what runs do not have. */
    @Test
    void nothingIsLookedForBeforeWhatRunsIsAdopted() {
        try (var hypervisor = new QemuHypervisor(settings())) {
            Waiting.reply(hypervisor.adopt());
            assertThat(hypervisor.hasLooked()).isFalse();
            assertThat(hypervisor.problems()).isNotEmpty();
            assertThat(hypervisor.hasLooked()).isTrue();
        }
    }
}
