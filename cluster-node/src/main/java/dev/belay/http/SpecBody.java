package dev.belay.http;

import dev.belay.http.Problem.Code;
import dev.belay.http.SpecParser.Syntax;
import dev.belay.model.VmSpec;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.HttpEntity;

/** A VM's specification out of a request, or the problem that says what is wrong with it. */
final class SpecBody {
    private static final List<String> YAML =
            List.of("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml");

    private SpecBody() {}

    static VmSpec read(HttpEntity.Strict body) {
        var syntax = syntax(body.getContentType());
        return switch (SpecParser.parse(text(body), syntax)) {
            case SpecParser.Parsed(var spec) -> spec;
            case SpecParser.Malformed(var why) -> throw malformed(why);
            case SpecParser.Invalid(var faults) ->
                    throw new ProblemException(
                            new Problem(
                                    Code.INVALID_SPEC,
                                    faults.stream()
                                            .map(fault -> fault.field() + ": " + fault.why())
                                            .collect(
                                                    Collectors.joining(
                                                            "; ", "", ". Nothing was changed.")),
                                    "Correct these fields and send it again; docs/api.md lists them all.",
                                    Map.of("faults", faults)));
        };
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

    private static String text(HttpEntity.Strict body) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body.getData().toArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw malformed("it is not UTF-8 text");
        }
    }

    private static ProblemException malformed(String why) {
        return new ProblemException(
                Code.MALFORMED_BODY,
                "Expected one VM's specification in the body, but "
                        + why
                        + ". Nothing was changed.",
                "See docs/api.md for an example.");
    }
}
