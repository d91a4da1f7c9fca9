package dev.belay.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.http.TestNode.Answer;
import java.util.List;

/** What every error must have, whatever it is about. */
final class ProblemAssert {
    private ProblemAssert() {}

    static void assertProblem(Answer answer, int status, String code, String... detail) {
        assertThat(answer.body().path("type").asText())
                .as("%s", answer.body())
                .isEqualTo("urn:belay:problem:" + code);
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.type()).startsWith("application/problem+json");
        assertThat(answer.body().path("status").asInt()).isEqualTo(status);
        for (var member : new String[] {"title", "detail", "hint"}) {
            assertThat(answer.body().path(member).asText()).as(member).isNotBlank();
        }
        assertThat(answer.body().path("instance").asText())
                .isEqualTo(answer.raw().uri().getRawPath());
        assertThat(answer.body().path("detail").asText())
                .satisfies(
                        text -> List.of(detail).forEach(part -> assertThat(text).contains(part)));
        assertThat(answer.body().toString()).doesNotContain("Exception", "\\tat ");
    }
}
