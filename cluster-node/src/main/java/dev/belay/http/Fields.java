package dev.belay.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.http.SpecParser.Fault;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * The fields of one object, read by name and strictly by type. Faults go to a list, and a
 * placeholder comes back, so that reading goes on. Null counts as absent.
 */
final class Fields {
    private final JsonNode node;
    private final String path;
    private final List<Fault> faults;
    private final Set<String> known = new LinkedHashSet<>();

    Fields(JsonNode node, String path, List<Fault> faults) {
        this.node = node;
        this.path = path;
        this.faults = faults;
    }

    static String shown(String text) {
        return shown(text, 60);
    }

    static String shown(String text, int most) {
        var clean = text.replaceAll("\\p{Cntrl}", "?");
        return clean.length() <= most ? clean : clean.substring(0, most) + "…";
    }

    void fault(String field, String why) {
        faults.add(new Fault(path + field, why));
    }

    Optional<String> text(String field, int most) {
        var value = get(field);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (!value.get().isTextual()) {
            fault(field, "expected text, but got " + SpecParser.kind(value.get()));
            return Optional.empty();
        }
        var text = value.get().asText();
        if (text.isBlank()
                || text.length() > most
                || text.chars().anyMatch(Character::isISOControl)) {
            fault(
                    field,
                    "expected 1 to %d characters without control characters, but got %s"
                            .formatted(most, text.isBlank() ? "none" : "'" + shown(text) + "'"));
            return Optional.empty();
        }
        return Optional.of(text);
    }

    /** A text of a certain form, in {@code form}'s words. */
    Optional<String> text(String field, int most, String form, Function<String, Boolean> legal) {
        return text(field, most)
                .filter(text -> {
                    boolean ok = legal.apply(text);
                    if (!ok) {
                        fault(field, "expected %s, but got '%s'".formatted(form, shown(text)));
                    }
                    return ok;
                });
    }

    /** Like the optional one before; a fault was told when it is empty. */
    String required(String field, Optional<String> value, String form) {
        if (value.isEmpty() && get(field).isEmpty()) {
            fault(field, "missing; expected " + form);
        }
        return value.orElse("");
    }

    int number(String field, int least, int most, Optional<Integer> otherwise) {
        var value = get(field);
        var range = "a whole number from %d to %d".formatted(least, most);
        if (value.isEmpty()) {
            if (otherwise.isEmpty()) {
                fault(field, "missing; expected " + range);
            }
            return otherwise.orElse(least);
        }
        var number = value.get();
        if (number.isIntegralNumber()
                && number.canConvertToInt()
                && number.asInt() >= least
                && number.asInt() <= most) {
            return number.asInt();
        }
        fault(field, "expected %s, but got %s".formatted(range, SpecParser.kind(number)));
        return least;
    }

    <E extends Enum<E>> Optional<E> choice(String field, Choice<E> choice) {
        return text(field, 100)
                .flatMap(text -> {
                    var found = choice.of(text);
                    if (found.isEmpty()) {
                        fault(
                                field,
                                "expected %s, but got '%s'"
                                        .formatted(choice.expected(), shown(text)));
                    }
                    return found;
                });
    }

    /** A list, each element with its own path. */
    <T> List<T> list(String field, int most, Function<Element, Optional<T>> reader) {
        var value = get(field);
        if (value.isEmpty()) {
            return List.of();
        }
        if (!value.get().isArray()) {
            fault(field, "expected a list, but got " + SpecParser.kind(value.get()));
            return List.of();
        }
        if (value.get().size() > most) {
            fault(field, "expected at most %d, but got %d".formatted(most, value.get().size()));
            return List.of();
        }
        var all = new ArrayList<T>();
        for (int i = 0; i < value.get().size(); i++) {
            reader.apply(new Element(value.get().get(i), i, "%s[%d]".formatted(field, i)))
                    .ifPresent(all::add);
        }
        return all;
    }

    /** One element of a list of this object. */
    record Element(JsonNode node, int index, String field) {}

    /** The fields of an element; a fault and empty when it is no object. */
    Optional<Fields> object(Element element) {
        return object(element.field(), element.node());
    }

    Optional<Fields> object(String field) {
        return get(field).flatMap(value -> object(field, value));
    }

    private Optional<Fields> object(String field, JsonNode value) {
        if (value.isObject()) {
            return Optional.of(new Fields(value, path + field + ".", faults));
        }
        fault(field, "expected an object, but got " + SpecParser.kind(value));
        return Optional.empty();
    }

    boolean faulty(String field) {
        return faults.stream().anyMatch(fault -> fault.field().equals(path + field));
    }

    boolean has(String field) {
        return get(field).isPresent();
    }

    /** Names every field that nobody asked for. Call last. */
    void refuseOthers() {
        for (var property : node.properties()) {
            if (!known.contains(property.getKey())) {
                fault(
                        shown(property.getKey()),
                        "unknown field; allowed here: " + String.join(", ", known));
            }
        }
    }

    private Optional<JsonNode> get(String field) {
        known.add(field);
        return Optional.ofNullable(node.get(field)).filter(value -> !value.isNull());
    }
}
