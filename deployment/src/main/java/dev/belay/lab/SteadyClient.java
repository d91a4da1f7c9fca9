package dev.belay.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * Somebody who holds one TCP connection to a guest through everything that happens: sends a line,
 * waits for its echo, which carries the line's number on that connection, and sends the next one 20
 * ms after that. It never connects again, so that a lost connection, a lost reply and a repeated
 * one all show.
 */
public final class SteadyClient implements AutoCloseable {
    private static final int PORT = 7;
    private static final int CONNECT_MILLIS = 5_000;

    /** Longer than any failover; a reply that takes longer is lost. */
    private static final int REPLY_MILLIS = 60_000;

    private static final Duration PAUSE = Duration.ofMillis(20);

    private final Socket socket = new Socket();
    private final Duration pause;
    private final Thread thread;
    private volatile boolean closed;

    private long replies;
    private long wrong;
    private long longestNanos;
    private Optional<String> broken = Optional.empty();

    /**
     * @throws LabException if nobody answers there
     */
    public SteadyClient(String address) {
        this(address, PAUSE);
    }

    /**
     * @param pause between a reply and the next line
     */
    SteadyClient(String address, Duration pause) {
        this.pause = pause;
        try {
            socket.connect(new InetSocketAddress(address, PORT), CONNECT_MILLIS);
            socket.setSoTimeout(REPLY_MILLIS);
            socket.setTcpNoDelay(true);
        } catch (IOException e) {
            close();
            throw new LabException(
                    "no connection to the guest at " + address + ": " + e.getMessage(), e);
        }
        thread = Thread.ofPlatform().daemon().name("steady client").start(this::run);
    }

    /**
     * What was seen so far.
     *
     * @param wrong replies that were not the next one expected
     * @param longest wait for a reply since the last {@link #forget}
     * @param broken why the connection ended, if it did
     */
    public record Seen(long replies, long wrong, Duration longest, Optional<String> broken) {
        public boolean isFlawless() {
            return wrong == 0 && broken.isEmpty();
        }
    }

    public synchronized Seen seen() {
        return new Seen(replies, wrong, Duration.ofNanos(longestNanos), broken);
    }

    /** The longest wait counts from here on. */
    public synchronized void forget() {
        longestNanos = 0;
    }

    @Override
    public void close() {
        closed = true;
        try {
            socket.close();
        } catch (IOException e) {
            throw new LabException("the client's connection cannot be closed", e);
        }
    }

    private void run() {
        try {
            var in =
                    new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.US_ASCII));
            for (long number = 1; !closed; number++) {
                var line = "line " + number;
                var asked = System.nanoTime();
                socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
                var reply = in.readLine();
                if (reply == null) {
                    throw new IOException("the guest closed the connection");
                }
                note(reply.equals(number + " " + line), System.nanoTime() - asked);
                Thread.sleep(pause);
            }
        } catch (IOException e) {
            end(e.toString());
        } catch (InterruptedException e) {
            end("interrupted");
        }
    }

    private synchronized void note(boolean right, long nanos) {
        replies++;
        wrong += right ? 0 : 1;
        longestNanos = Math.max(longestNanos, nanos);
    }

    private synchronized void end(String why) {
        if (!closed) {
            broken = Optional.of(why);
        }
    }
}
