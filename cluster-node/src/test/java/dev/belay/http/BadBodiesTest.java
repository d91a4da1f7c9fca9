package dev.belay.http;

import static dev.belay.http.ProblemAssert.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is wrong below the specification's fields: the body, its type, its size, the protocol. */
class BadBodiesTest {
    private static final TestNode node = new TestNode();

    @AfterAll
    static void close() {
        node.close();
    }

    @AfterEach
    void nothingWasChanged() {
        assertThat(node.admin.requests).isEmpty();
        assertThat(node.get("/api/v1/health/live").status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "application/json | '' | empty",
                "application/json | '  ' | empty",
                "application/json | {\"name\": | valid JSON",
                "application/json | [] | a list",
                "application/json | 42 | the number 42",
                "application/json | \"web\" | the text 'web'",
                "application/json | null | null",
                "application/json | {} {} | valid JSON",
                "application/json | {\"name\":\"a\",\"name\":\"b\"} | Duplicate field",
                "application/yaml | just text | the text",
                "application/yaml | - a | a list",
                "application/yaml | 'name: [' | valid YAML",
                "application/yaml | '# nothing' | nothing",
                "application/yaml | '{name: &n web, kernel: *n}' | alias",
            })
    void whatIsNoObjectIsRefused(String type, String body, String detail) {
        assertProblem(
                node.send("POST", "/api/v1/vms", type, body),
                400,
                "malformed-body",
                detail,
                "Nothing was changed");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "text/plain", "application/x-www-form-urlencoded", "application/xml"})
    void otherMediaTypesAreRefused(String type) {
        assertProblem(
                node.send("POST", "/api/v1/vms", type, TestNode.spec("web")),
                415,
                "unsupported-media-type",
                "application/yaml");
    }

    @ParameterizedTest
    @ValueSource(ints = {64 * 1024 + 1, 1024 * 1024, 3 * 1024 * 1024})
    void largeBodiesAreRefused(int size) {
        assertProblem(
                node.send("POST", "/api/v1/vms", "application/json", " ".repeat(size)),
                413,
                "body-too-large",
                "65536");
        assertProblem(
                node.send("POST", "/api/v1/vms/web/start", "application/json", " ".repeat(size)),
                413,
                "body-too-large");
    }

    @Test
    void deepNestingIsRefused() {
        assertProblem(
                node.send("POST", "/api/v1/vms", "application/json", "[".repeat(30_000)),
                400,
                "malformed-body");
        assertProblem(
                node.send("POST", "/api/v1/vms", "application/yaml", "[".repeat(30_000)),
                400,
                "malformed-body");
    }

    @Test
    void bytesThatAreNoTextAreRefused() throws Exception {
        var answer =
                raw(
                        "POST /api/v1/vms HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n",
                        new byte[] {(byte) 0xff, (byte) 0xfe});

        assertThat(answer)
                .startsWith("HTTP/1.1 400")
                .contains("urn:belay:problem:malformed-body", "UTF-8");
    }

    @Test
    void garbageGetsAClearAnswerOrACleanClose() throws Exception {
        var garbage = new byte[1024 * 1024];
        new Random(1).nextBytes(garbage);

        var answer = raw("", garbage);

        if (!answer.isEmpty()) {
            assertThat(answer).startsWith("HTTP/1.1 4").contains("urn:belay:problem:", "\"hint\"");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NONSENSE AND MORE OF IT\r\n\r\n",
                "GET / HTTP/9.9\r\n\r\n",
                "GET /api/v1/vms HTTP/1.1\r\n\r\n",
                "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /api/v1/vms?%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                "BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            })
    void wrongHttpIsAnsweredWithAProblem(String request) throws Exception {
        var answer = raw(request, new byte[0]);

        assertThat(answer)
                .matches("(?s)HTTP/1.1 [45].*")
                .contains(
                        "application/problem+json", "urn:belay:problem:", "\"detail\"", "\"hint\"");
    }

    private static String raw(String head, byte[] body) throws IOException {
        try (var socket = new Socket("127.0.0.1", node.port())) {
            socket.setSoTimeout(10_000);
            try {
                socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
                socket.getOutputStream().write(body);
                socket.getOutputStream().flush();
                return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            } catch (SocketException e) {
                // Closed while we still wrote.
                return "";
            }
        }
    }
}
