package dev.belay.persistence.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
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
    void whoeverHasASlowDiskIsMorePatientAndNeverForEver() {
        var usual = JournalSettings.of("a", Map.of("a", "localhost:1"), Path.of("/j"));
        assertThat(JournalDisk.patient(usual, JournalDisk.QUICK_ENOUGH)).isEqualTo(usual);
        assertThat(JournalDisk.patient(usual, Duration.ofMillis(100)))
                .isEqualTo(
                        usual.withElectionTimeouts(
                                Duration.ofMillis(600), Duration.ofMillis(1200)));
        assertThat(JournalDisk.patient(usual, Duration.ofSeconds(9)).electionTimeoutMax())
                .isLessThan(Duration.ofSeconds(2));
    }

    @Test
    void aLookLeavesNothingBehind(@TempDir Path folder) {
        JournalDisk.check(folder);
        assertThat(folder).isEmptyDirectory();
    }
}
