package dev.belay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/** Where a failover went, as its first line tells it. */
class TimelineTest {
    private static String printed(String to, String totalMs) throws JsonProcessingException {
        var failover =
                """
                [{"number": 1, "cause": "server alpha is lost", "from": "alpha", "to": %s,
                  "startedAt": "2026-11-01T12:00:00Z", "endedAt": null, "totalMs": %s, "steps": []}]
                """
                        .formatted(to, totalMs);
        var text = new StringWriter();
        try (var out = new PrintWriter(text)) {
            Timeline.print(out, "web", new ObjectMapper().readTree(failover));
        }
        return text.toString();
    }

    @Test
    void aMoveNamesBothServers() throws JsonProcessingException {
        assertThat(printed("\"beta\"", "7250"))
                .startsWith("Failover 1: from alpha to beta, 7.250 s in all");
    }

    @Test
    void aRestartOnTheSameServerIsNoMove() throws JsonProcessingException {
        assertThat(printed("\"alpha\"", "700"))
                .startsWith("Failover 1: stays on alpha, 0.700 s in all");
    }

    @Test
    void oneThatGoesOnSaysSo() throws JsonProcessingException {
        assertThat(printed("null", "null"))
                .startsWith("Failover 1: from alpha to ")
                .contains("still going on");
    }
}
