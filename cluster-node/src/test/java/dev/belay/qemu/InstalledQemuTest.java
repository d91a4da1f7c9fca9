package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.decision.Qemu;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A script plays QEMU. */
class InstalledQemuTest {
    private static final String MACHINE = "pc-i440fx-11.1,accel=kvm";
    private static final List<String> LINE =
            List.of("/usr/bin/qemu", "-machine", MACHINE, "-cpu", "EPYC", "-S");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path dir;

    private void install(String text) throws IOException {
        var script = dir.resolve("qemu");
        Files.writeString(script, "#!/bin/sh\n" + text + "\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private InstalledQemu installed() {
        var settings = NoQemu.in(dir, Optional.empty());
        return new InstalledQemu(settings, new Installation(settings));
    }

    @Test
    void aQemuThatNoLongerTellsWhatItIsIsNotBelieved() throws IOException {
        install("echo 'QEMU emulator version 11.1.3'; echo 'pc  (alias of pc-i440fx-11.1)'");
        var installed = installed();
        await().until(() -> installed.now().isPresent());
        assertThat(installed.now())
                .contains(new Qemu("11.1.3", "pc-i440fx-11.1", "tcg", "default", Optional.empty()));

        install("exit 1");
        await().until(() -> installed.now().isPresent());
        assertThat(installed.now().flatMap(Qemu::unproven).orElseThrow())
                .contains("the QEMU 11.1.3 that it had is gone", "does not tell a version");

        Files.delete(dir.resolve("qemu"));
        assertThat(installed.now().flatMap(Qemu::unproven).orElseThrow())
                .contains("is gone: there is no");
    }

    @Test
    void aQemuThatNeverToldIsNotToldOf() throws IOException {
        install("exit 1");
        var installed = installed();
        await().during(Duration.ofMillis(300)).until(() -> installed.now().isEmpty());
    }

    @Test
    void aGuestOnAnotherMachineOrCpuThanASecondOneIsNoticed() {
        assertThat(InstalledQemu.otherMachine(LINE, MACHINE, "EPYC")).isEmpty();
        assertThat(InstalledQemu.otherMachine(LINE, "pc-q35-11.1,accel=kvm", "EPYC").orElseThrow())
                .contains(MACHINE + " still", "belay.qemu.machine", "pc-q35-11.1,accel=kvm");
        assertThat(InstalledQemu.otherMachine(LINE, "pc-i440fx-11.1,accel=tcg", "EPYC"))
                .isPresent();
        assertThat(InstalledQemu.otherMachine(LINE, MACHINE, "").orElseThrow())
                .contains("the CPU 'EPYC' still", "belay.qemu.cpu is ''");
        assertThat(InstalledQemu.otherMachine(LINE.subList(0, 3), MACHINE, "")).isEmpty();
    }
}
