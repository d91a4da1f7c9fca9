package dev.belay.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Opens a fresh connection to a guest every 10 ms and asks something on it, until it is closed: the
 * first answer to a question asked after a fault says when strangers are served again.
 */
final class Probes implements AutoCloseable {
    private static final int PORT = 9;
    private static final int EVERY_MILLIS = 10;
    private static final int TIMEOUT_MILLIS = 5_000;

    private final String address;
    private final long from;
    private final ExecutorService probes = Executors.newVirtualThreadPerTaskExecutor();
    private volatile boolean closed;
    private long first = Long.MAX_VALUE;

    /**
     * @param from in ns as by {@link System#nanoTime}; answers count from then on
     */
    Probes(String address, long from) {
        this.address = address;
        this.from = from;
        var _ = probes.submit(this::run);
    }

    /** How many ns after {@code from} the first answer came. */
    synchronized OptionalLong first() {
        return first == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(first);
    }

    @Override
    public void close() {
        closed = true;
        probes.shutdownNow();
    }

    private void run() {
        while (!closed && first().isEmpty()) {
            var _ = probes.submit(this::ask);
            try {
                Thread.sleep(EVERY_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void ask() {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, PORT), TIMEOUT_MILLIS);
            socket.setSoTimeout(TIMEOUT_MILLIS);
            if (socket.getInputStream().read() >= 0) {
                note(System.nanoTime() - from);
            }
        } catch (IOException e) {
            // Not served yet; the next one tells.
        }
    }

    private synchronized void note(long after) {
        first = Math.min(first, after);
    }
}
