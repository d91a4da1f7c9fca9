package dev.belay.qemu;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to a QMP server (QEMU or a storage daemon), asynchronous: replies are matched by
 * id, events go to the listener as they come. Out-of-band commands are negotiated at once, since
 * they alone are answered while QEMU's main loop is blocked.
 */
public final class QmpClient implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(QmpClient.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long CONNECT_RETRY_MILLIS = 5;

    /** So that what we send always fits the socket's buffer: a hung QEMU must not block us. */
    private static final int MOST_PENDING = 64;

    private record Pending(String command, CompletableFuture<JsonNode> reply) {}

    private final String name;
    private final SocketChannel channel;
    private final QmpListener listener;
    private final QmpTap tap;
    private final Map<Long, Pending> pending = new ConcurrentHashMap<>();
    private final AtomicLong lastId = new AtomicLong();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final ReentrantLock writing = new ReentrantLock();
    private final CompletableFuture<QmpClient> ready = new CompletableFuture<>();

    private QmpClient(String name, SocketChannel channel, QmpListener listener, QmpTap tap) {
        this.name = name;
        this.channel = channel;
        this.listener = listener;
        this.tap = tap;
    }

    /**
     * Connects and negotiates; tries until {@code patience} is over, since a server that was just
     * started does not listen yet.
     */
    public static CompletionStage<QmpClient> connect(
            Path socket, Duration patience, QmpListener listener, QmpTap tap) {
        var result = new CompletableFuture<QmpClient>();
        Thread.ofVirtual()
                .name("qmp-connect-" + socket.getFileName())
                .start(() -> connect(socket, patience, listener, tap, result));
        return result;
    }

    private static void connect(
            Path socket,
            Duration patience,
            QmpListener listener,
            QmpTap tap,
            CompletableFuture<QmpClient> result) {
        var end = System.nanoTime() + patience.toNanos();
        while (true) {
            try {
                var client = new QmpClient(socket.toString(), open(socket), listener, tap);
                Thread.ofVirtual().name("qmp-" + socket.getFileName()).start(client::read);
                client.ready
                        .orTimeout(Math.max(1, end - System.nanoTime()), TimeUnit.NANOSECONDS)
                        .whenComplete((done, failure) -> client.answer(result, done, failure));
                return;
            } catch (IOException e) {
                if (System.nanoTime() > end) {
                    result.completeExceptionally(
                            QmpException.of(
                                    QmpException.Kind.NOT_SENT,
                                    "connect",
                                    "nobody answers at " + socket + " (" + e.getMessage() + ")"));
                    return;
                }
            }
            if (!pause()) {
                result.cancel(false);
                return;
            }
        }
    }

    private void answer(CompletableFuture<QmpClient> result, QmpClient done, Throwable failure) {
        if (failure == null) {
            result.complete(done);
            return;
        }
        finish("no greeting: " + failure.getMessage());
        result.completeExceptionally(
                failure instanceof QmpException
                        ? failure
                        : QmpException.of(
                                QmpException.Kind.TIMED_OUT,
                                "connect",
                                name + " accepts connections but does not greet; it hangs"));
    }

    private static SocketChannel open(Path socket) throws IOException {
        var channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static boolean pause() {
        try {
            Thread.sleep(CONNECT_RETRY_MILLIS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** An empty object to put arguments in. */
    public static ObjectNode arguments() {
        return JSON.createObjectNode();
    }

    /** Sends a command; the reply is its {@code return} value. Fails with {@link QmpException}. */
    public CompletionStage<JsonNode> execute(String command, ObjectNode arguments, Duration limit) {
        return send("execute", command, arguments, limit);
    }

    public CompletionStage<JsonNode> execute(String command, Duration limit) {
        return execute(command, arguments(), limit);
    }

    /** Like execute, but answered even while QEMU's main loop is blocked. Few commands allow it. */
    public CompletionStage<JsonNode> executeOutOfBand(
            String command, ObjectNode arguments, Duration limit) {
        return send("exec-oob", command, arguments, limit);
    }

    private CompletionStage<JsonNode> send(
            String verb, String command, ObjectNode arguments, Duration limit) {
        var reply = new CompletableFuture<JsonNode>();
        if (pending.size() >= MOST_PENDING) {
            return failed(command, name + " left " + MOST_PENDING + " commands unanswered");
        }
        var id = lastId.incrementAndGet();
        var message = JSON.createObjectNode().put(verb, command).put("id", id);
        if (!arguments.isEmpty()) {
            message.set("arguments", arguments);
        }
        pending.put(id, new Pending(command, reply));
        if (closed.get()) {
            pending.remove(id);
            return failed(command, name + " is disconnected");
        }
        CompletableFuture.delayedExecutor(limit.toMillis(), TimeUnit.MILLISECONDS)
                .execute(() ->
                        settle(
                                id,
                                QmpException.of(
                                        QmpException.Kind.TIMED_OUT,
                                        command,
                                        "no reply from "
                                                + name
                                                + " within "
                                                + limit.toMillis()
                                                + " ms")));
        write(message.toString());
        return reply;
    }

    private static CompletionStage<JsonNode> failed(String command, String why) {
        return CompletableFuture.failedFuture(
                QmpException.of(QmpException.Kind.NOT_SENT, command, why));
    }

    private void settle(long id, QmpException failure) {
        var waiting = pending.remove(id);
        if (waiting != null) {
            waiting.reply().completeExceptionally(failure);
        }
    }

    private void write(String json) {
        writing.lock();
        try {
            tap.line(true, json);
            var bytes = ByteBuffer.wrap((json + "\n").getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            finish("writing failed: " + e.getMessage());
        } finally {
            writing.unlock();
        }
    }

    private void read() {
        try {
            var lines = new QmpLines(channel);
            var line = lines.next();
            if (line == null) {
                finish("closed before it greeted");
                return;
            }
            greeted(parse(line));
            while ((line = lines.next()) != null) {
                dispatch(parse(line));
            }
            finish("end of file");
        } catch (IOException e) {
            finish("reading failed: " + e);
        } catch (RuntimeException e) {
            log.warn("QMP reader of {} failed", name, e);
            finish("failed: " + e);
        }
    }

    private JsonNode parse(String line) throws IOException {
        tap.line(false, line);
        try {
            var message = JSON.readTree(line);
            if (message != null && message.isObject()) {
                return message;
            }
        } catch (JsonProcessingException e) {
            log.debug("Not JSON from {}", name, e);
        }
        throw new IOException("protocol error: expected a JSON object, but got " + start(line));
    }

    private void greeted(JsonNode greeting) throws IOException {
        var capabilities = greeting.path("QMP").path("capabilities");
        if (!capabilities.isArray()) {
            throw new IOException(
                    "protocol error: expected a greeting, but got " + start(greeting.toString()));
        }
        var arguments = arguments();
        capabilities.forEach(capability -> {
            if (capability.asText().equals("oob")) {
                arguments.putArray("enable").add("oob");
            }
        });
        execute("qmp_capabilities", arguments, Duration.ofSeconds(10))
                .whenComplete((_, failure) -> {
                    if (failure == null) {
                        ready.complete(this);
                    } else {
                        ready.completeExceptionally(failure);
                    }
                });
    }

    private void dispatch(JsonNode message) throws IOException {
        if (message.has("event")) {
            listener.onEvent(message.get("event").asText(), message.path("data"));
            return;
        }
        if (!message.has("id")) {
            throw new IOException(
                    "protocol error: expected an event or a reply, but got "
                            + start(message.toString()));
        }
        var waiting = pending.remove(message.get("id").asLong());
        if (waiting == null) {
            log.debug("{} answered too late: {}", name, start(message.toString()));
        } else if (message.has("return")) {
            waiting.reply().complete(message.get("return"));
        } else {
            var error = message.path("error");
            waiting.reply()
                    .completeExceptionally(
                            QmpException.refused(
                                    waiting.command(),
                                    error.path("class").asText(),
                                    error.path("desc").asText()));
        }
    }

    private static String start(String text) {
        return text.length() <= 120 ? text : text.substring(0, 120) + "…";
    }

    private void finish(String why) {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            log.debug("Closing {} failed", name, e);
        }
        var lost = name + " is gone (" + why + ")";
        pending.forEach((id, waiting) ->
                settle(id, QmpException.of(QmpException.Kind.LOST, waiting.command(), lost)));
        ready.completeExceptionally(QmpException.of(QmpException.Kind.LOST, "connect", lost));
        listener.onClose(why);
    }

    public boolean isOpen() {
        return !closed.get();
    }

    @Override
    public void close() {
        finish("closed by us");
    }
}
