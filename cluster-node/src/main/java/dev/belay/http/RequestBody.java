package dev.belay.http;

import dev.belay.http.Problem.Code;
import dev.belay.http.SpecParser.Syntax;
import dev.belay.model.VmSpec;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.HttpEntity;

/** What a request's body says, or the problem that says what is wrong with it. */
final class RequestBody {
    private static final List<String> YAML =
            List.of("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml");

    private static final String A_SPEC = "one VM's specification";

    private RequestBody() {}

    static VmSpec spec(HttpEntity.Strict body) {
        var syntax = syntax(body.getContentType());
        return switch (SpecParser.parse(text(body, A_SPEC), syntax)) {
            case SpecParser.Parsed(var spec) -> spec;
            case SpecParser.Malformed(var why) -> throw malformed(A_SPEC, why);
            case SpecParser.Invalid(var faults) -> throw invalid(Code.INVALID_SPEC, faults);
        };
    }

    /**
     * Reads an object's fields; others than those that {@code reader} asks for are refused.
     *
     * @param expected the fields, for people
     */
    static <T> T read(HttpEntity.Strict body, String expected, Function<Fields, T> reader) {
        var what = "an object with " + expected;
        var syntax = syntax(body.getContentType());
        return switch (SpecParser.tree(text(body, what), syntax, expected)) {
            case SpecParser.Tree(var node) -> {
                var faults = new ArrayList<SpecParser.Fault>();
                var fields = new Fields(node, "", faults);
                var value = reader.apply(fields);
                fields.refuseOthers();
                if (!faults.isEmpty()) {
                    throw invalid(Code.INVALID_BODY, faults);
                }
                yield value;
            }
            case SpecParser.Malformed(var why) -> throw malformed(what, why);
        };
    }

    static ProblemException invalid(Code code, List<SpecParser.Fault> faults) {
        return new ProblemException(
                new Problem(
                        code,
                        faults.stream()
                                .map(fault -> fault.field() + ": " + fault.why())
                                .collect(Collectors.joining("; ", "", ". Nothing was changed.")),
                        "Correct these fields and send it again; docs/api.md lists them all.",
                        Map.of("faults", faults)));
    }

    private static Syntax syntax(ContentType type) {
        var media = type.mediaType().mainType() + "/" + type.mediaType().subType();
        if (media.equals("application/json")) {
            return Syntax.JSON;
        }
        if (YAML.contains(media)) {
            return Syntax.YAML;
        }
        throw new ProblemException(
                Code.UNSUPPORTED_MEDIA_TYPE,
                "Expected Content-Type application/json or application/yaml, but got %s. Nothing was changed."
                        .formatted(media.equals("none/none") ? "none" : media),
                "With curl: -H 'Content-Type: application/yaml' --data-binary @spec.yaml");
    }

    private static String text(HttpEntity.Strict body, String what) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body.getData().toArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw malformed(what, "it is not UTF-8 text");
        }
    }

    private static ProblemException malformed(String what, String why) {
        return new ProblemException(
                Code.MALFORMED_BODY,
                "Expected %s in the body, but %s. Nothing was changed.".formatted(what, why),
                "See docs/api.md for an example.");
    }
}
