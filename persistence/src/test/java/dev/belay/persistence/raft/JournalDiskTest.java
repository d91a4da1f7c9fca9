package dev.belay.persistence.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalDiskTest {
    @Test
    void nothingIsSaidOfAQuickDisk() {
        assertThat(JournalDisk.slow(Path.of("/j"), JournalDisk.QUICK_ENOUGH)).isEmpty();
    }

    @Test
    void whatIsWrongWithASlowOneIsToldAndWhatToDo() {
        assertThat(JournalDisk.slow(Path.of("/j"), Duration.ofMillis(51)))
                .hasValueSatisfying(told ->
                        assertThat(told).contains("/j", "51 ms", "20 ms", "belay.node.data-dir"));
    }

    @Test
    void aLookLeavesNothingBehind(@TempDir Path folder) {
        JournalDisk.check(folder);
        assertThat(folder).isEmptyDirectory();
    }
}
