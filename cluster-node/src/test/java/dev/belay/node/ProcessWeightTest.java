package dev.belay.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessWeightTest {
    @Test
    void theSessionsWeightIsWrittenWhereTheKernelReadsIt(@TempDir Path dir) throws IOException {
        var autogroup = Files.writeString(dir.resolve("autogroup"), "/autogroup-7 nice 0\n");

        assertThat(ProcessWeight.raise(autogroup)).isTrue();

        assertThat(autogroup).hasContent("-15");
    }

    @Test
    void aWeightThatIsThereAlreadyIsLeftAlone(@TempDir Path dir) throws IOException {
        var autogroup = Files.writeString(dir.resolve("autogroup"), "/autogroup-7 nice -15\n");

        assertThat(ProcessWeight.raise(autogroup)).isTrue();

        assertThat(autogroup).hasContent("/autogroup-7 nice -15");
    }

    @Test
    void aKernelWithoutThemIsNoReasonNotToStart(@TempDir Path dir) {
        assertThat(ProcessWeight.raise(dir.resolve("none"))).isFalse();
    }
}
