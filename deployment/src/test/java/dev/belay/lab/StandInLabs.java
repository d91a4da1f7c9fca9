package dev.belay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A folder for labs whose nodes are stand-ins; whatever a test leaves up is taken down. */
abstract class StandInLabs {
    static final Duration PATIENCE = Duration.ofSeconds(30);
    static final String NAME = "lab-test";

    Path home = Path.of("/nowhere");

    @BeforeEach
    void makeHome() throws IOException {
        home = Files.createTempDirectory(Path.of("/tmp"), "lab");
    }

    @AfterEach
    void leaveNothing() {
        for (var name : Lab.list(home)) {
            Lab.open(name, home).down();
        }
        LabStore.deleteTree(home);
    }

    LabOptions options(String name) {
        return LabOptions.of(name, 2, 1)
                .withHome(home)
                .withPatience(PATIENCE)
                .withProgram(standIn());
    }

    static List<String> standIn() {
        return java("dev.belay.lab.StandInNode");
    }

    static List<String> java(String main) {
        return List.of(
                System.getProperty("java.home") + "/bin/java",
                "-Xmx64m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                main);
    }

    static void until(BooleanSupplier condition) {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
            Shell.pause(50);
        }
    }
}
