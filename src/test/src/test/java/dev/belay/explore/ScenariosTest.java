package dev.belay.explore;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every named situation goes as its log says. A log that is missing is written; look at it before
 * you keep it.
 */
class ScenariosTest {
    private static final Path FOLDER = Path.of("src/test/scenarios");

    static List<Path> situations() throws IOException {
        try (var folders = Files.list(FOLDER)) {
            return folders.filter(Files::isDirectory).sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("situations")
    void goesAsItsLogSays(Path situation) throws IOException {
        var log = Scenario.run(Files.readString(situation.resolve("steps")));
        var expected = situation.resolve("expected.log");
        if (!Files.exists(expected)) {
            Files.writeString(expected, log);
        }
        assertThat(log).isEqualTo(Files.readString(expected));
        // What a situation takes away on purpose it names, and no other breaks a law.
        boolean takesAway = Files.readString(situation.resolve("steps")).contains("off ");
        assertThat(log.contains("BROKEN") && !takesAway).isFalse();
        assertThat(Files.readString(situation.resolve("README.md"))).startsWith("# ");
    }

    @Test
    void thereAreManyOfThem() throws IOException {
        assertThat(situations()).hasSizeGreaterThanOrEqualTo(40);
    }
}
