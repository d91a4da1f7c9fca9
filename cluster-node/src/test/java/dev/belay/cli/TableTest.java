package dev.belay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class TableTest {
    @Test
    void whatHasManyFieldsGetsALineForEachOfThem() throws JsonProcessingException {
        var text = new StringWriter();
        try (var out = new PrintWriter(text)) {
            Table.printFields(
                    out,
                    new ObjectMapper()
                            .readTree(
                                    """
                                    {"name": "web", "progress": {"stage": "DISKS", "percent": 40},
                                     "lockstep": {"vm": "web", "diverged": 3, "perSecond": 2.4, "pauseMillis": null,
                                                  "budgetMillis": 400},
                                     "epoch": 2}
                                    """));
        }
        assertThat(text.toString().lines())
                .containsExactly(
                        "name      web",
                        "progress  stage=DISKS percent=40",
                        "lockstep  vm            web",
                        "          diverged      3",
                        "          perSecond     2.4",
                        "          pauseMillis   -",
                        "          budgetMillis  400",
                        "epoch     2");
    }
}
