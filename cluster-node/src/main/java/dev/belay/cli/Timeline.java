package dev.belay.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** A VM's failovers, one line for each step: when, where, what, and how long it took. */
final class Timeline {
    private Timeline() {}

    static void print(PrintWriter out, String vm, JsonNode failovers) {
        if (failovers.isEmpty()) {
            out.println("VM '%s' has had no failover.".formatted(vm));
        }
        var gap = "";
        for (var failover : failovers) {
            out.print(gap);
            print(out, failover);
            gap = System.lineSeparator();
        }
    }

    private static void print(PrintWriter out, JsonNode failover) {
        var end = failover.path("totalMs");
        out.println(
                "Failover %d: %s, %s"
                        .formatted(
                                failover.path("number").asInt(),
                                servers(failover),
                                end.isNull()
                                        ? "still going on"
                                        : seconds(end.asLong()) + " in all"));
        out.println("  began  " + millis(failover.path("startedAt").asText()));
        out.println("  cause  " + failover.path("cause").asText());
        var steps = failover.path("steps");
        int width = 0;
        for (var step : steps) {
            width = Math.max(width, step.path("where").asText().length());
        }
        for (var step : steps) {
            var where = step.path("where").asText();
            var took = step.path("tookMs");
            out.println(
                    "  %11s  %s%s  %s%s"
                            .formatted(
                                    "+" + seconds(step.path("afterMs").asLong()),
                                    where,
                                    " ".repeat(width - where.length()),
                                    step.path("what").asText(),
                                    took.isNull() ? "" : " (took " + seconds(took.asLong()) + ")"));
        }
    }

    private static String servers(JsonNode failover) {
        var from = failover.path("from").asText();
        return failover.path("to").asText().equals(from)
                ? "stays on " + from
                : "from %s to %s".formatted(from, Table.text(failover.path("to")));
    }

    /** No clock of a node is right to the nanosecond that it tells. */
    private static Instant millis(String time) {
        return Instant.parse(time).truncatedTo(ChronoUnit.MILLIS);
    }

    private static String seconds(long millis) {
        return "%.3f s".formatted(millis / 1000.0);
    }
}
