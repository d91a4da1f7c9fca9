package dev.belay.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.Map;

/**
 * What went wrong, for people and for programs: RFC 9457, plus what to do about it.
 *
 * @param detail what was expected and what came instead
 * @param hint what to do
 * @param more members that only this kind of problem has
 */
record Problem(Code code, String detail, String hint, Map<String, Object> more) {
    /** Never renamed: programs compare them. Each is listed in docs/api.md, which a test checks. */
    enum Code {
        UNKNOWN_PATH(404, "No such path"),
        VM_NOT_FOUND(404, "No such VM"),
        SERVER_NOT_FOUND(404, "No such server"),
        METHOD_NOT_ALLOWED(405, "Method not allowed"),
        NOT_ACCEPTABLE(406, "No such representation"),
        NAME_TAKEN(409, "The name is taken"),
        CONFLICT(409, "Not possible as things stand"),
        MALFORMED_REQUEST(400, "Malformed request"),
        MALFORMED_BODY(400, "Malformed body"),
        INVALID_PARAMETER(400, "Invalid parameter"),
        SLOW_BODY(408, "The body did not arrive in time"),
        BODY_TOO_LARGE(413, "The body is too large"),
        UNSUPPORTED_MEDIA_TYPE(415, "Unsupported media type"),
        INVALID_SPEC(422, "Invalid VM specification"),
        INVALID_BODY(422, "Invalid body"),
        NO_SERVER_FITS(422, "No server can run it"),
        UNSUPPORTED(422, "Not supported"),
        OUTCOME_UNKNOWN(503, "Outcome unknown"),
        NOT_ANSWERING(503, "The cluster does not answer"),
        NOT_READY(503, "The node is not ready"),
        INTERNAL(500, "Internal error");

        private final int status;
        private final String title;

        Code(int status, String title) {
            this.status = status;
            this.title = title;
        }

        int status() {
            return status;
        }

        String id() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    Problem(Code code, String detail, String hint) {
        this(code, detail, hint, Map.of());
    }

    /**
     * @param instance the path that was asked for
     */
    ObjectNode json(String instance) {
        var node = Json.MAPPER.createObjectNode();
        node.put("type", "urn:belay:problem:" + code.id());
        node.put("title", code.title);
        node.put("status", code.status);
        node.put("detail", detail);
        node.put("instance", instance);
        node.put("hint", hint);
        more.forEach((name, value) -> node.set(name, Json.MAPPER.valueToTree(value)));
        return node;
    }
}
