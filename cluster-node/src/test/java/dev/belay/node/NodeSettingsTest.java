package dev.belay.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NodeSettingsTest {
    @TempDir private Path folder;

    private NodeSettings load(String own) throws IOException {
        var file = folder.resolve("node.conf");
        Files.writeString(
                file,
                """
                belay.node.name = alpha
                belay.cluster.nodes = [ { name = alpha, address = 127.0.0.1, role = server } ]
                %s
                """
                        .formatted(own));
        return NodeSettings.load(file);
    }

    @Test
    void theDefaultsAreGood() throws IOException {
        assertThat(load("").silence()).isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void silenceIsNoticedWellBeforeALeaseIsOver() throws IOException {
        assertThat(load("belay.lease.duration = 6s, belay.lockstep.silence = 3s").silence())
                .isEqualTo(Duration.ofSeconds(3));
        assertThatThrownBy(() -> load("belay.lease.duration = 6s, belay.lockstep.silence = 3001ms"))
                .isInstanceOf(NodeSettings.BadConfiguration.class)
                .hasMessageContainingAll("belay.lockstep.silence", "3001 ms", "6000 ms");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "belay.lockstep.silence = 0ms",
                "belay.lockstep.checkpoint-delay-min = 10s",
                "belay.lockstep.preflight = maybe",
                "belay.lockstep.silense = 1s"
            })
    void whatCannotBeMeantIsRefused(String setting) {
        assertThatThrownBy(() -> load(setting)).isInstanceOf(NodeSettings.BadConfiguration.class);
    }
}
