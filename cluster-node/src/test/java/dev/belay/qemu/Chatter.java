package dev.belay.qemu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One TCP connection that asks the guest something all the time, and knows what the answer must be:
 * the guest counts, so that anything lost, repeated or forgotten shows in the next answer.
 */
final class Chatter implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 60_000;
    private static final long GAP_MILLIS = 15;

    private final Socket socket = new Socket();
    private final Thread thread;
    private volatile boolean closing;
    private volatile @Nullable String failure;
    private volatile long first;
    private volatile long answered;
    private volatile long longestMillis;

    /**
     * @param port 7: the guest's memory counts; 8: its disk counts
     */
    Chatter(String host, int port) throws IOException {
        socket.connect(new InetSocketAddress(host, port), PATIENCE_MILLIS);
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.setTcpNoDelay(true);
        thread = Thread.ofPlatform().daemon().start(() -> talk(port));
    }

    private void talk(int port) {
        try (var reader =
                new BufferedReader(
                        new InputStreamReader(
                                socket.getInputStream(), StandardCharsets.US_ASCII))) {
            while (!closing) {
                var line = "line-" + answered;
                var since = System.nanoTime();
                socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
                var answer = reader.readLine();
                longestMillis = Math.max(longestMillis, (System.nanoTime() - since) / 1_000_000);
                if (answer == null) {
                    throw new IOException("the guest closed the connection");
                }
                var number = Long.parseLong(answer.split(" ", 2)[0]);
                if (answered == 0) {
                    first = number;
                }
                if (number != first + answered || (port == 7 && !answer.endsWith(" " + line))) {
                    throw new IOException(
                            "expected " + (first + answered) + " " + line + " but got " + answer);
                }
                answered++;
                Thread.sleep(GAP_MILLIS);
            }
        } catch (IOException | InterruptedException | NumberFormatException e) {
            failure = "after " + answered + " answers: " + e;
        }
    }

    /** Until so many more were answered; fails when the connection does. */
    void awaitMore(int count) throws InterruptedException {
        var until = answered + count;
        while (answered < until) {
            check();
            Thread.sleep(5);
        }
    }

    /** Fails when any answer was not as it must be. */
    void check() {
        var why = failure;
        if (why != null) {
            throw new AssertionError("The connection did not go on as if nothing had been: " + why);
        }
    }

    /** Since the last look. */
    long longestMillis() {
        var longest = longestMillis;
        longestMillis = 0;
        return longest;
    }

    /** What the guest's own count must be: it may have counted before this connection. */
    long total() {
        return first - 1 + answered;
    }

    long answered() {
        return answered;
    }

    @Override
    public void close() throws IOException {
        closing = true;
        socket.close();
        thread.interrupt();
    }
}
