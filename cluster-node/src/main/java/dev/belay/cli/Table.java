package dev.belay.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Columns side by side, each as wide as its widest value. */
final class Table {
    private static final int MOST_IN_A_LINE = 4;
    private static final String MEBIBYTES = "MiB";

    private Table() {}

    /**
     * @param columns names of fields; the heading is the name in capitals, but for its unit
     */
    static void print(PrintWriter out, JsonNode rows, String... columns) {
        var lines = new ArrayList<List<String>>();
        lines.add(List.of(columns).stream().map(Table::heading).toList());
        rows.forEach(
                row -> lines.add(List.of(columns).stream().map(c -> text(row.path(c))).toList()));
        for (var line : lines) {
            var text = new StringBuilder();
            for (int i = 0; i < columns.length; i++) {
                int column = i;
                int width = lines.stream().mapToInt(l -> l.get(column).length()).max().orElse(0);
                text.append(line.get(i)).repeat(" ", width - line.get(i).length() + 2);
            }
            out.println(text.toString().stripTrailing());
        }
    }

    private static String heading(String column) {
        return column.endsWith(MEBIBYTES)
                ? heading(column.substring(0, column.length() - MEBIBYTES.length()))
                        + " "
                        + MEBIBYTES
                : column.toUpperCase(Locale.ROOT);
    }

    /** One line for each field; what has many fields itself gets a line for each of them, too. */
    static void printFields(PrintWriter out, JsonNode object) {
        int width = widest(object);
        for (var property : object.properties()) {
            var name = property.getKey();
            for (var line : lines(property.getValue())) {
                out.println(padded(name, width) + line);
                name = "";
            }
        }
    }

    private static List<String> lines(JsonNode value) {
        if (!value.isObject() || value.size() <= MOST_IN_A_LINE) {
            return List.of(text(value));
        }
        int width = widest(value);
        return value.properties().stream()
                .map(p -> padded(p.getKey(), width) + text(p.getValue()))
                .toList();
    }

    private static int widest(JsonNode object) {
        return object.properties().stream().mapToInt(p -> p.getKey().length()).max().orElse(0);
    }

    private static String padded(String name, int width) {
        return name + " ".repeat(width - name.length() + 2);
    }

    static String text(JsonNode value) {
        return switch (value.getNodeType()) {
            case NULL, MISSING -> "-";
            case ARRAY -> {
                var parts = new ArrayList<String>();
                value.forEach(part -> parts.add(text(part)));
                yield parts.isEmpty()
                        ? "-"
                        : String.join(value.get(0).isObject() ? "; " : ",", parts);
            }
            case OBJECT -> {
                var parts = new ArrayList<String>();
                for (var property : value.properties()) {
                    var text = text(property.getValue());
                    if (!text.equals("-")) {
                        parts.add(property.getKey() + "=" + text);
                    }
                }
                yield parts.isEmpty() ? "-" : String.join(" ", parts);
            }
            case BOOLEAN -> value.asBoolean() ? "yes" : "no";
            case BINARY, NUMBER, POJO, STRING -> value.asText();
        };
    }
}
