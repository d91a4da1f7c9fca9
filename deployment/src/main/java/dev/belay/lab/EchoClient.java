package dev.belay.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;

/**
 * Somebody who uses a guest: sends a line every 50 ms, reads it back with its number on the
 * connection before it, and connects again when that fails. Notes when replies came.
 */
public final class EchoClient implements AutoCloseable {
    private static final int PORT = 7;
    private static final int CONNECT_MILLIS = 250;
    private static final int REPLY_MILLIS = 500;
    private static final int PAUSE_MILLIS = 50;

    private final String address;
    private final Thread thread;
    private volatile boolean closed;

    private long replies;
    private long wrong;
    private long connections;
    private Optional<Instant> last = Optional.empty();
    private Optional<Instant> mark = Optional.empty();
    private Optional<Instant> lastBeforeSilence = Optional.empty();
    private Optional<Instant> firstAfterMark = Optional.empty();

    public EchoClient(String address) {
        this.address = address;
        this.thread = Thread.ofPlatform().daemon().name("echo client").unstarted(this::run);
    }

    /**
     * What was seen so far.
     *
     * @param wrong replies that were not the line sent
     * @param firstAfterMark the first reply on a connection made after {@link #mark}
     * @param lastBeforeSilence the last reply on an earlier one
     */
    public record Seen(
            long replies,
            long wrong,
            long connections,
            Optional<Instant> lastBeforeSilence,
            Optional<Instant> firstAfterMark) {}

    public void start() {
        thread.start();
    }

    /** From here on the first reply is looked for. */
    public synchronized void mark(Instant at) {
        mark = Optional.of(at);
    }

    public synchronized Seen seen() {
        return new Seen(
                replies, wrong, connections, lastBeforeSilence.or(() -> last), firstAfterMark);
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    private void run() {
        while (!closed) {
            talk();
            Shell.pause(PAUSE_MILLIS);
        }
    }

    private void talk() {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, PORT), CONNECT_MILLIS);
            socket.setSoTimeout(REPLY_MILLIS);
            socket.setTcpNoDelay(true);
            var connected = Instant.now();
            var in =
                    new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.US_ASCII));
            for (long number = 1; !closed; number++) {
                var line = "line " + number;
                socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
                var reply = in.readLine();
                if (reply == null) {
                    return;
                }
                note(reply.equals(number + " " + line), number == 1, connected);
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (IOException e) {
            // Nobody there at the moment; that is what is measured.
        } catch (InterruptedException e) {
            closed = true;
        }
    }

    private synchronized void note(boolean right, boolean first, Instant connected) {
        var now = Instant.now();
        replies++;
        wrong += right ? 0 : 1;
        connections += first ? 1 : 0;
        // A reply still on its way when the power went is not one of the new guest.
        var after = mark.isPresent() && connected.isAfter(mark.get());
        if (after && firstAfterMark.isEmpty()) {
            firstAfterMark = Optional.of(now);
            lastBeforeSilence = last;
        }
        last = Optional.of(now);
    }
}
