package dev.belay.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DocumentationTest {
    @ParameterizedTest
    @EnumSource(Problem.Code.class)
    void everyCodeIsExplainedWithItsStatus(Problem.Code code) throws IOException {
        assertThat(Files.readString(Path.of("../docs/api.md")))
                .contains("| `%s` | %d |".formatted(code.id(), code.status()));
    }
}
