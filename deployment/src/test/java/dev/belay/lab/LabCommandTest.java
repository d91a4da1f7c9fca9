package dev.belay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class LabCommandTest {
    private final StringWriter err = new StringWriter();

    private int lab(String... words) {
        return LabCommand.plainErrors(new CommandLine(new LabCommand()))
                .setErr(new PrintWriter(err))
                .execute(words);
    }

    /** Its nodes would refuse to start, one by one. */
    @ParameterizedTest
    @CsvSource({"2, 0", "1, 1"})
    void aLabOfTwoNodesIsRefusedBeforeAnythingIsStarted(String servers, String witnesses) {
        assertThat(lab("up", "--servers", servers, "--witnesses", witnesses)).isEqualTo(1);
        assertThat(err.toString()).startsWith("belay: two nodes are no cluster").contains("three");
    }

    @Test
    void aWrongWordEndsWith2() {
        assertThat(lab("cut", "alpha", "--direction", "up")).isEqualTo(2);
        assertThat(err.toString()).contains("'up' is none of in, out, both");
    }
}
