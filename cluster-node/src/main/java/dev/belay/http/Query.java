package dev.belay.http;

import dev.belay.http.Problem.Code;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/**
 * A request's query parameters. Unknown ones are refused: a misspelt {@code kill} must not stop
 * gently.
 */
record Query(Map<String, List<String>> values) {
    static Query of(HttpRequest request, String... allowed) {
        var values = request.getUri().query().toMultiMap();
        for (var entry : values.entrySet()) {
            if (!List.of(allowed).contains(entry.getKey())) {
                throw refusal(
                        "There is no parameter '%s' here".formatted(entry.getKey()),
                        allowed.length == 0
                                ? "Leave it away; this path takes none."
                                : "Allowed here: " + String.join(", ", allowed) + ".");
            }
            if (entry.getValue().size() > 1) {
                throw refusal(
                        "Parameter '%s' is given %d times"
                                .formatted(entry.getKey(), entry.getValue().size()),
                        "Give it once.");
            }
        }
        return new Query(values);
    }

    boolean flag(String name, boolean otherwise) {
        var value = text(name);
        return switch (value.orElse(Boolean.toString(otherwise))) {
            // "?kill" alone means true, as in "?kill=true".
            case "true", "" -> true;
            case "false" -> false;
            case String other ->
                    throw refusal(
                            "Expected parameter '%s' to be true or false, but got '%s'"
                                    .formatted(name, shown(other)),
                            "Write %s=true or %s=false.".formatted(name, name));
        };
    }

    /** Required. */
    <E extends Enum<E>> E choice(String name, Choice<E> choice) {
        var example = "Write ?%s=%s, for example.".formatted(name, choice.example());
        var given =
                text(name)
                        .orElseThrow(() ->
                                refusal(
                                        "The query parameter '%s' is missing; expected %s"
                                                .formatted(name, choice.expected()),
                                        example));
        return choice.of(given)
                .orElseThrow(() ->
                        refusal(
                                "Expected parameter '%s' to be %s, but got '%s'"
                                        .formatted(name, choice.expected(), shown(given)),
                                example));
    }

    OptionalLong number(String name, long least, long most) {
        return text(name)
                .map(value -> OptionalLong.of(number(name, value, least, most)))
                .orElse(OptionalLong.empty());
    }

    static long number(String name, String value, long least, long most) {
        try {
            var number = Long.parseLong(value.strip());
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below, like a number out of range.
        }
        var range =
                most == Long.MAX_VALUE
                        ? "a whole number from " + least
                        : "a whole number from %d to %d".formatted(least, most);
        throw refusal(
                "Expected %s to be %s, but got '%s'".formatted(name, range, shown(value)),
                "Give " + range + ".");
    }

    private Optional<String> text(String name) {
        return Optional.ofNullable(values.get(name)).map(List::getFirst);
    }

    private static ProblemException refusal(String detail, String hint) {
        return new ProblemException(
                Code.INVALID_PARAMETER, detail + ". Nothing was changed.", hint);
    }

    private static String shown(String value) {
        var clean = value.replaceAll("\\p{Cntrl}", "?");
        return clean.length() <= 60 ? clean : clean.substring(0, 60) + "…";
    }
}
