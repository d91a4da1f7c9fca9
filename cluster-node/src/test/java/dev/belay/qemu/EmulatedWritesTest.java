package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On a real QEMU that runs its firmware. Needs the BELAY_* variables. */
@Tag("qemu")
class EmulatedWritesTest {
    private static final Pattern FLUSHES =
            Pattern.compile("TLB (?:full|partial|elided) flushes\\s+(\\d+)");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path dir;

    @ParameterizedTest
    @ValueSource(strings = {"pc", "q35"})
    void everyProcessorForgetsWhatItMayWriteAndTheGuestSeesNothing(String machine)
            throws IOException {
        var socket = dir.resolve("qmp");
        var qemu =
                new ProcessBuilder(
                                QemuLab.program("BELAY_QEMU").toString(),
                                "-machine",
                                machine + ",accel=tcg",
                                "-smp",
                                "2",
                                "-m",
                                "64",
                                "-nodefaults",
                                "-display",
                                "none",
                                "-qmp",
                                "unix:" + socket + ",server=on,wait=off")
                        .inheritIO()
                        .start();
        try (var client =
                Waiting.reply(QmpClient.connect(socket, PATIENCE, new Deaf(), QmpTap.NONE))) {
            var qmp = new PairQmp(right(), () -> client);
            // Its firmware has found its devices, and mapped its own memory.
            await().atMost(PATIENCE).until(() -> flushes(qmp) > 1000);
            qmp.run("stop");
            var ports = ports(qmp);
            var before = flushes(qmp);

            new EmulatedWrites(qmp).reportAll();

            // Each change of the map, there and back, is heard by both processors.
            assertThat(flushes(qmp)).isGreaterThanOrEqualTo(before + 4);
            assertThat(ports(qmp)).isEqualTo(ports);
            assertThat(qmp.run("query-status").path("status").asText()).isEqualTo("paused");
        } finally {
            qemu.destroyForcibly().onExit().join();
        }
    }

    private static long flushes(PairQmp qmp) {
        return FLUSHES.matcher(monitor(qmp, "info jit"))
                .results()
                .mapToLong(found -> Long.parseLong(found.group(1)))
                .sum();
    }

    /** What is selected, and the registers that map windows of both chipsets. */
    private static List<String> ports(PairQmp qmp) {
        var selected = monitor(qmp, "i /w 0xcf8");
        var windows =
                Stream.of("0x80000058", "0x8000005c", "0x80000090", "0x80000094")
                        .map(register -> {
                            monitor(qmp, "o /w 0xcf8 " + register);
                            return monitor(qmp, "i /w 0xcfc");
                        })
                        .toList();
        monitor(qmp, "o /w 0xcf8 " + selected.substring(selected.indexOf('=') + 1).strip());
        return Stream.concat(Stream.of(selected), windows.stream()).toList();
    }

    private static String monitor(PairQmp qmp, String line) {
        return qmp.run("human-monitor-command", QmpClient.arguments().put("command-line", line))
                .asText();
    }

    private static RunRight right() {
        return new RunRight(
                new VmName("web"), new Epoch(1), new ServerName("alpha"), new Incarnation(1));
    }

    private static final class Deaf implements QmpListener {
        @Override
        public void onEvent(String name, JsonNode data) {
            // Nobody asks.
        }

        @Override
        public void onClose(String why) {
            // It is killed at the end.
        }
    }
}
