package dev.belay.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Plays a recorded QMP dialogue's other side: says what QEMU said, and hears what we said. */
final class ScriptedQmpServer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ServerSocketChannel server;
    private final CompletableFuture<Void> played = new CompletableFuture<>();

    /**
     * @param script lines as {@link QmpTap#into} records them; a line {@code {"raw":"…"}} is said
     *     as it stands, {@code {"silence":true}} keeps the connection open without a word
     */
    ScriptedQmpServer(Path socket, List<String> script) throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread.ofVirtual().start(() -> play(script));
    }

    /** Fails when we said other things than recorded. */
    CompletableFuture<Void> played() {
        return played;
    }

    private void play(List<String> script) {
        try (var client = server.accept()) {
            var heard = new QmpLines(client);
            for (var line : script) {
                step(client, heard, JSON.readTree(line));
            }
            played.complete(null);
        } catch (IOException | RuntimeException e) {
            played.completeExceptionally(e);
        }
    }

    private void step(SocketChannel client, QmpLines heard, JsonNode step) throws IOException {
        if (step.has("received")) {
            say(client, step.get("received").toString() + "\r\n");
        } else if (step.has("raw")) {
            say(client, step.get("raw").asText());
        } else if (step.has("silence")) {
            heard.next();
        } else {
            var line = heard.next();
            var said = line == null ? null : JSON.readTree(line);
            if (!step.get("sent").equals(said)) {
                throw new IOException("Expected " + step.get("sent") + ", but heard " + said);
            }
        }
    }

    private static void say(SocketChannel client, String text) throws IOException {
        var bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            client.write(bytes);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
