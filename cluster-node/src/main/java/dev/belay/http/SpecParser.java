package dev.belay.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import dev.belay.model.VmSpec;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/**
 * Reads a VM's specification from JSON or YAML, strictly: what is not understood is refused, never
 * left away. All faults are told at once.
 */
public final class SpecParser {
    private static final ObjectMapper JSON = mapper(new JsonFactory());
    private static final ObjectMapper YAML = mapper(new YAMLFactory());

    private SpecParser() {}

    public enum Syntax {
        JSON,
        YAML
    }

    /** What became of a text. */
    public sealed interface Result {}

    public record Parsed(VmSpec spec) implements Result {}

    /** No object at all; {@code why} goes on from "but". */
    public record Malformed(String why) implements Result, Read {}

    /** What a text is before it is understood. */
    sealed interface Read {}

    record Tree(JsonNode node) implements Read {}

    public record Invalid(List<Fault> faults) implements Result {
        public Invalid {
            faults = List.copyOf(faults);
        }
    }

    /**
     * @param field like {@code disks[0].path}
     * @param why what is allowed and what came instead
     */
    public record Fault(String field, String why) {}

    public static Result parse(String text, Syntax syntax) {
        return switch (tree(text, syntax, "fields like name and memoryMiB")) {
            case Tree(var node) -> SpecReader.read(node);
            case Malformed malformed -> malformed;
        };
    }

    static Read tree(String text, Syntax syntax, String expected) {
        if (text.isBlank()) {
            return new Malformed("it is empty");
        }
        var mapper = syntax == Syntax.JSON ? JSON : YAML;
        try {
            if (syntax == Syntax.YAML && hasAlias(text)) {
                return new Malformed(
                        "it uses a YAML alias (*name), which is not supported: write the value out");
            }
            var node = mapper.readTree(text);
            return node.isObject()
                    ? new Tree(node)
                    : new Malformed(
                            "it is %s, not an object with %s".formatted(kind(node), expected));
        } catch (JsonProcessingException e) {
            return new Malformed("it is not valid %s: %s".formatted(syntax, told(e)));
        } catch (IOException e) {
            return new Malformed("it cannot be read: " + e.getMessage());
        }
    }

    /** What a value is, in words. */
    static String kind(JsonNode node) {
        return switch (node.getNodeType()) {
            case ARRAY -> "a list";
            case OBJECT, POJO -> "an object";
            case BOOLEAN -> "the value " + node.asText();
            case NUMBER -> "the number " + Fields.shown(node.asText());
            case STRING -> "the text '" + Fields.shown(node.asText()) + "'";
            case NULL -> "null";
            case MISSING, BINARY -> "nothing";
        };
    }

    private static ObjectMapper mapper(JsonFactory factory) {
        return JsonMapper.builder(factory)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                .build();
    }

    /** Jackson would read an alias as the text of its name. */
    private static boolean hasAlias(String text) throws IOException {
        try (JsonParser parser = YAML.createParser(text)) {
            while (parser.nextToken() != null) {
                if (parser instanceof YAMLParser yaml && yaml.isCurrentAlias()) {
                    return true;
                }
            }
            return false;
        }
    }

    private static String told(JsonProcessingException e) {
        // What the YAML reader says takes several lines and quotes the text; its two parts tell it
        // all.
        var line =
                e.getCause() instanceof MarkedYAMLException yaml
                        ? Stream.of(yaml.getContext(), yaml.getProblem())
                                .filter(Objects::nonNull)
                                .collect(Collectors.joining(": "))
                        : Optional.ofNullable(e.getOriginalMessage())
                                .flatMap(message -> message.lines().findFirst())
                                .orElse("syntax error");
        var at = e.getLocation();
        return Fields.shown(line, 200)
                + (at == null
                        ? ""
                        : " (line %d, column %d)".formatted(at.getLineNr(), at.getColumnNr()));
    }
}
