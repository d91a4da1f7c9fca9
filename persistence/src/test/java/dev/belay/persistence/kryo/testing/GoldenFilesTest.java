package dev.belay.persistence.kryo.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.belay.persistence.kryo.KryoTypes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GoldenFilesTest {
    record Made(String name) {}

    record MadeWithPlace(String name, String place) {}

    private static final List<KryoTypes> FIRST =
            List.of(registry -> registry.persisted(1000, "test.Made/1", Made.class));
    private static final List<KryoTypes> SECOND =
            List.of(registry -> {
                registry.persisted(1001, "test.Made/2", MadeWithPlace.class);
                registry.upcast(
                        "test.Made/1", Made.class, old -> new MadeWithPlace(old.name(), "nowhere"));
            });
    private static final Map<String, ?> FIRST_SAMPLES = Map.of("test.Made/1", new Made("x"));

    @TempDir Path folder;

    @Test
    void aMissingFileIsAProblemUntilItIsWritten() {
        assertThatThrownBy(() -> GoldenFiles.check(FIRST, folder, FIRST_SAMPLES, false))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("-Dgolden.write=true");
        GoldenFiles.check(FIRST, folder, FIRST_SAMPLES, true);
        assertThat(folder.resolve("test.Made-1.bin")).exists();
        GoldenFiles.check(FIRST, folder, FIRST_SAMPLES, false);
    }

    @Test
    void aSampleIsNeededForEachManifest() {
        assertThatThrownBy(() -> GoldenFiles.check(FIRST, folder, Map.of(), true))
                .hasMessageContaining("test.Made/1: no sample");
    }

    @Test
    void aFileIsNeverOverwritten() throws Exception {
        GoldenFiles.check(FIRST, folder, FIRST_SAMPLES, true);
        var before = Files.readAllBytes(folder.resolve("test.Made-1.bin"));
        var other = Map.of("test.Made/1", new Made("other"));
        assertThatThrownBy(() -> GoldenFiles.check(FIRST, folder, other, true))
                .hasMessageContaining("the file holds Made[name=x]");
        assertThat(folder.resolve("test.Made-1.bin")).hasBinaryContent(before);
    }

    @Test
    void aRecordThatWasChangedInPlaceIsFound() throws Exception {
        GoldenFiles.check(FIRST, folder, FIRST_SAMPLES, true);
        List<KryoTypes> changed =
                List.of(registry -> registry.persisted(1000, "test.Made/1", MadeWithPlace.class));
        var samples = Map.of("test.Made/1", new MadeWithPlace("x", "y"));
        assertThatThrownBy(() -> GoldenFiles.check(changed, folder, samples, false))
                .hasMessageContaining("test.Made/1");
    }

    @Test
    void anOldFileIsReadByTheUpcaster() {
        GoldenFiles.check(FIRST, folder, FIRST_SAMPLES, true);
        var samples =
                Map.of(
                        "test.Made/1", new MadeWithPlace("x", "nowhere"),
                        "test.Made/2", new MadeWithPlace("x", "y"));
        GoldenFiles.check(SECOND, folder, samples, true);
        GoldenFiles.check(SECOND, folder, samples, false);
    }

    @Test
    void aFileThatNobodyReadsAnyMoreIsFound() {
        GoldenFiles.check(FIRST, folder, FIRST_SAMPLES, true);
        List<KryoTypes> forgotten =
                List.of(registry -> registry.persisted(1001, "test.Made/2", MadeWithPlace.class));
        var samples = Map.of("test.Made/2", new MadeWithPlace("x", "y"));
        assertThatThrownBy(() -> GoldenFiles.check(forgotten, folder, samples, true))
                .hasMessageContaining("test.Made-1.bin: no manifest reads this file");
    }
}
