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
        assertThat(lab("up", "--servers", servers, "--witnesses", witnesses)).isEqualTo(2);
        assertThat(err.toString()).startsWith("belay: two nodes are no cluster").contains("three");
    }

    @ParameterizedTest
    @CsvSource({
        "up --servers 0, a lab has 1 to 10 servers",
        "up --servers 99, a lab has 1 to 10 servers",
        "up --witnesses 6, a lab has 0 to 5 witnesses",
        "up --witnesses=-1, a lab has 0 to 5 witnesses",
        "up --witness 1, --witness",
        "up --name Lab, 20 small letters",
        "up --timeout 0, 1 or more",
        "logs alpha --lines=-1, 1 or more",
        "vm web --memory 0, 1 or more",
        "vm web --level component, restart or system",
        "vm Web, 40 small letters",
    })
    void whatCannotBeEndsWith2AndSaysWhatCan(String words, String told) {
        assertThat(lab(words.split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(told);
    }

    @Test
    void whatFailsEndsWith1() {
        assertThat(lab("status", "--name", "no-such-lab")).isEqualTo(1);
        assertThat(err.toString()).startsWith("belay: there is no lab 'no-such-lab'");
    }

    @Test
    void aWrongWordEndsWith2() {
        assertThat(lab("cut", "alpha", "--direction", "up")).isEqualTo(2);
        assertThat(err.toString()).contains("'up' is none of in, out, both");
    }
}
