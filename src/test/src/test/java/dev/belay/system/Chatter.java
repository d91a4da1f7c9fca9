package dev.belay.system;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Somebody who sends the guest a line, waits for the reply and sends the next at once, all on one
 * connection.
 */
final class Chatter implements AutoCloseable {
    private static final int CONNECT_MILLIS = 5_000;

    /** Longer than any failover; a reply that takes longer is lost. */
    private static final int REPLY_MILLIS = 60_000;

    private final Socket socket = new Socket();
    private final List<String> replies = new ArrayList<>();
    private final CompletableFuture<Void> ended;
    private volatile boolean finishing;

    Chatter(String address, int port) {
        try {
            socket.connect(new InetSocketAddress(address, port), CONNECT_MILLIS);
            socket.setSoTimeout(REPLY_MILLIS);
            socket.setTcpNoDelay(true);
        } catch (IOException e) {
            throw new UncheckedIOException("no connection to port " + port + " of the guest", e);
        }
        var talk = new CompletableFuture<Void>();
        Thread.ofPlatform()
                .daemon()
                .name("chatter " + port)
                .start(() -> {
                    try {
                        talk();
                        talk.complete(null);
                    } catch (IOException e) {
                        talk.completeExceptionally(e);
                    }
                });
        ended = talk;
    }

    private void talk() throws IOException {
        var in =
                new BufferedReader(
                        new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
        while (!finishing) {
            socket.getOutputStream().write("line\n".getBytes(StandardCharsets.US_ASCII));
            var reply = in.readLine();
            if (reply == null) {
                throw new IOException("the guest closed the connection");
            }
            synchronized (this) {
                replies.add(reply);
            }
        }
    }

    synchronized int count() {
        return replies.size();
    }

    /**
     * Waits for the reply to what was sent last, and sends no more.
     *
     * @return all replies
     * @throws CompletionException if the connection was lost
     */
    List<String> finish() {
        finishing = true;
        ended.join();
        synchronized (this) {
            return List.copyOf(replies);
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException("the connection cannot be closed", e);
        }
    }
}
