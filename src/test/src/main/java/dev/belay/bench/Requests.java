package dev.belay.bench;

import dev.belay.lab.LabException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Clients of the test guest. Each holds its connection, sends a line, and waits for the answer: so
 * one that is kept waiting asks the less often.
 */
final class Requests {
    private static final int PATIENCE_MILLIS = 30_000;
    private static final Duration WARM_UP = Duration.ofMillis(300);
    private static final Duration BETWEEN = Duration.ofMillis(10);
    private static final int CROWD = 8;

    private Requests() {}

    /** What the guest is asked for. */
    enum Output {
        /**
         * The line again, and its number on the connection: both copies of a guest say the same.
         */
        IDENTICAL(7),
        /** How long it is up, to 10 ms, among others: each copy of a guest says its own. */
        DIVERGING(9);

        private final int port;

        Output(int port) {
            this.port = port;
        }
    }

    private static final class Connection implements AutoCloseable {
        private final Socket socket = new Socket();
        private final BufferedReader in;
        private final Output output;
        private long asked;

        Connection(String address, Output output) throws IOException {
            this.output = output;
            socket.connect(new InetSocketAddress(address, output.port), PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.setTcpNoDelay(true);
            in =
                    new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.US_ASCII));
            if (output == Output.DIVERGING) {
                var _ = in.readLine(); // It is greeted.
            }
        }

        /** Says how long it took, in ns. */
        long ask() throws IOException {
            var line = "line " + ++asked;
            var began = System.nanoTime();
            socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
            var answer = in.readLine();
            var took = System.nanoTime() - began;
            var fits =
                    answer != null
                            && (output == Output.DIVERGING
                                    ? answer.split(" ").length == 3
                                    : answer.equals(asked + " " + line));
            if (!fits) {
                throw new IOException("'" + line + "' was answered with '" + answer + "'");
            }
            return took;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    /** What one client waits for each answer, in ms, that asks again 10 ms after the last one. */
    static List<Double> latencies(String address, Output output, Duration time) {
        var took = new ArrayList<Double>();
        try (var connection = new Connection(address, output)) {
            var begin = System.nanoTime() + WARM_UP.toNanos();
            var end = begin + time.toNanos();
            while (System.nanoTime() < end) {
                var asked = System.nanoTime();
                var nanos = connection.ask();
                if (asked >= begin) {
                    took.add(nanos / 1e6);
                }
                Stage.sleep(BETWEEN);
            }
        } catch (IOException e) {
            throw failed(output, e);
        }
        return took;
    }

    /** How many answers a second eight clients get that ask again at once. */
    static double perSecond(String address, Output output, Duration time) {
        var answers = new AtomicLong();
        var end = System.nanoTime() + WARM_UP.plus(time).toNanos();
        var clients = new ArrayList<Future<?>>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < CROWD; i++) {
                clients.add(
                        threads.submit(() -> {
                            try (var connection = new Connection(address, output)) {
                                while (System.nanoTime() < end) {
                                    connection.ask();
                                    answers.incrementAndGet();
                                }
                                return true;
                            }
                        }));
            }
            Stage.sleep(WARM_UP);
            var began = System.nanoTime();
            var before = answers.get();
            Stage.sleep(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
            var rate = (answers.get() - before) * 1e9 / (System.nanoTime() - began);
            for (var client : clients) {
                client.get();
            }
            return rate;
        } catch (ExecutionException e) {
            throw failed(output, e.getCause() == null ? e : e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted", e);
        }
    }

    private static LabException failed(Output output, Throwable why) {
        return new LabException("the guest failed a client on port " + output.port + ": " + why);
    }
}
