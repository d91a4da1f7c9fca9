package dev.belay.qemu;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Settings for tests in which nothing is started: all programs and folders are in one folder. */
final class NoQemu {
    private NoQemu() {}

    /**
     * @param proofs empty: every QEMU is trusted
     */
    static QemuSettings in(Path dir, Optional<Path> proofs) {
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
                Duration.ofMillis(250),
                Duration.ofSeconds(30),
                PairSettings.with(
                        PairSettings.DEFAULT.checkpointDelay(),
                        PairSettings.DEFAULT.bounds(),
                        PairSettings.DEFAULT.latencyBudget(),
                        proofs));
    }
}
