package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real QEMUs on trial. Needs root and the BELAY_* variables. */
@Tag("qemu")
@Timeout(120)
class LockstepProofTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path dir;

    private QemuSettings settings(Path system) {
        var usual = QemuLab.settings(dir, "alpha", "BELAY_QEMU");
        return new QemuSettings(
                system,
                usual.storageDaemon(),
                usual.img(),
                usual.leash(),
                usual.accel(),
                usual.machine(),
                usual.cpu(),
                usual.runDir(),
                usual.dataDir(),
                usual.serverName(),
                usual.nbdAddress(),
                usual.lifelinePort(),
                usual.killBudget(),
                usual.patience(),
                PairSettings.with(
                        Duration.ofMillis(400),
                        PairSettings.DEFAULT.bounds(),
                        PairSettings.DEFAULT.latencyBudget(),
                        Optional.of(dir.resolve("proofs"))));
    }

    /** The real one after a line of its own. */
    private Path script(String line) throws IOException {
        var script = dir.resolve("qemu");
        Files.writeString(
                script,
                "#!/bin/bash\n%s\nexec %s \"$@\"\n".formatted(line, QemuLab.program("BELAY_QEMU")));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return script;
    }

    private static LockstepProof proof(QemuSettings settings) {
        var installed = new Installation(settings);
        return new LockstepProof(
                settings,
                QemuBuild.of(settings.system()).orElseThrow(),
                installed.version(),
                installed.machineType(),
                GuestCpu.of(settings));
    }

    /** Until it is known, one way or the other. */
    private static void sought(LockstepProof proof) {
        await().atMost(Duration.ofSeconds(100))
                .until(() ->
                        proof.unproven()
                                .filter(why -> why.contains("is being tried out"))
                                .isEmpty());
    }

    @AfterEach
    void nothingOfTheTrialIsLeft() throws IOException {
        assertThat(dir.resolve("run/trial")).doesNotExist();
        assertThat(dir.resolve("data/trial")).doesNotExist();
        assertThat(Remains.under(dir)).isEmpty();
    }

    @Test
    void aQemuThatDoesIsSeenOnceAndBelievedFromThenOn() throws Exception {
        var settings = settings(QemuLab.program("BELAY_QEMU"));
        var before = Taps.named("");
        var begun = System.nanoTime();
        var first = proof(settings);
        first.seek();
        sought(first);
        System.out.printf("measured: a proof %d ms%n", (System.nanoTime() - begun) / 1_000_000);
        assertThat(first.unproven()).isEmpty();
        assertThat(Taps.named("")).isSubsetOf(before);
        assertThat(Tool.run(Duration.ofSeconds(5), List.of("nft", "list", "tables")).output())
                .doesNotContain(TapNames.of(settings).table());

        var later = proof(settings);
        later.seek();
        assertThat(later.unproven()).isEmpty();

        // Another build is another thing to prove.
        var other = proof(settings(script("")));
        other.seek();
        assertThat(other.unproven().orElseThrow()).contains("is being tried out on alpha's QEMU");
        sought(other);
        assertThat(other.unproven()).isEmpty();
    }

    @Test
    void aQemuThatDoesNotSaysWhereItFailed() throws Exception {
        var proof =
                proof(
                        settings(
                                script(
                                        "case \"$*\" in *-incoming*) echo 'no COLO in this build'; exit 1;; esac")));
        proof.seek();
        sought(proof);
        assertThat(proof.unproven().orElseThrow())
                .startsWith("lockstep was not proven on alpha's QEMU ")
                .contains("starting the second QEMU", "no COLO in this build");
    }
}
