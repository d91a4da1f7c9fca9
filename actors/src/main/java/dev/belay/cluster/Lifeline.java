package dev.belay.cluster;

import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's small port that says: my process lives. It is open before the journal and the cluster
 * are, and on threads of its own, so that it answers while everything else is busy; its end is
 * noticed at once by whoever is connected. Through it a node that has just started has its lease
 * renewed by nodes whose journal is up already.
 *
 * <p>One line for one line, in ASCII:
 *
 * <pre>
 *  belay/1 look                            belay/1 here NAME RUN INCARNATION LEASE_MS
 *  belay/1 renew ID SERVER INCARNATION     belay/1 lease ID GRANTED | FENCED | UNKNOWN
 *  (anything else, or no quorum)           belay/1 refused WHY
 * </pre>
 */
public final class Lifeline implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Lifeline.class);
    private static final int MOST_CONNECTIONS = 64;
    private static final int LONGEST_LINE = 200;
    private static final Duration IDLE = Duration.ofSeconds(10);
    private static final Duration QUORUM = Duration.ofSeconds(2);

    static final String VERSION = "belay/1";

    /**
     * Where nodes listen for this, each on its cluster address.
     *
     * @param node the node's own process
     * @param replicas the leashes of what it runs
     */
    public record Ports(int node, int replicas) {}

    /**
     * Who answers.
     *
     * @param run tells one process of the node from the next
     * @param leaseMillis how long its lease is still live; 0: it is not
     */
    public record Here(ServerName name, String run, Incarnation incarnation, long leaseMillis) {
        String line() {
            return "%s here %s %s %d %d"
                    .formatted(VERSION, name, run, incarnation.value(), leaseMillis);
        }

        /** Null when the line is something else. */
        static @Nullable Here of(String line) {
            var words = line.split(" ");
            try {
                return words.length == 6 && words[0].equals(VERSION) && words[1].equals("here")
                        ? new Here(
                                new ServerName(words[2]),
                                words[3],
                                new Incarnation(Long.parseLong(words[4])),
                                Long.parseLong(words[5]))
                        : null;
            } catch (IllegalArgumentException e) {
                return null;
            }
        }
    }

    private final ServerSocket socket;
    private final Supplier<Here> here;
    private final Semaphore connections = new Semaphore(MOST_CONNECTIONS);
    private volatile @Nullable LeaseAuthority journal;

    private Lifeline(ServerSocket socket, Supplier<Here> here) {
        this.socket = socket;
        this.here = here;
    }

    /**
     * @throws IOException the address is not ours, or the port is taken
     */
    public static Lifeline open(String address, int port, Supplier<Here> here) throws IOException {
        var socket = new ServerSocket();
        try {
            socket.setReuseAddress(true);
            socket.bind(
                    new InetSocketAddress(InetAddress.getByName(address), port), MOST_CONNECTIONS);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
        var lifeline = new Lifeline(socket, here);
        thread("lifeline", lifeline::accept);
        return lifeline;
    }

    /** From here on it renews leases for others, each by a read that begins after its request. */
    public void grantBy(LeaseAuthority authority) {
        journal = authority;
    }

    public int port() {
        return socket.getLocalPort();
    }

    /** Not virtual: those share few carriers with everything else, and this must answer. */
    static void thread(String name, Runnable work) {
        Thread.ofPlatform().name(name).daemon().priority(Thread.MAX_PRIORITY).start(work);
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                var connection = socket.accept();
                if (connections.tryAcquire()) {
                    thread("lifeline-" + connection.getInetAddress(), () -> serve(connection));
                } else {
                    connection.close();
                }
            } catch (IOException e) {
                if (!socket.isClosed()) {
                    LOG.warn("the lifeline could not accept a connection: {}", e.getMessage());
                    pause();
                }
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            connection.setTcpNoDelay(true);
            connection.setSoTimeout((int) IDLE.toMillis());
            var in = reader(connection);
            String line;
            while ((line = readLine(in)) != null) {
                connection.getOutputStream().write((answer(line) + "\n").getBytes(ASCII));
            }
        } catch (IOException e) {
            LOG.debug("a lifeline ended: {}", e.getMessage());
        } finally {
            connections.release();
        }
    }

    private String answer(String line) {
        var words = line.split(" ");
        if (line.equals(VERSION + " look")) {
            return here.get().line();
        }
        if (words.length == 5 && words[0].equals(VERSION) && words[1].equals("renew")) {
            return renew(words);
        }
        return VERSION + " refused expected 'look' or 'renew ID SERVER INCARNATION'";
    }

    private String renew(String[] words) {
        var authority = journal;
        if (authority == null) {
            return VERSION + " refused the journal is not up here yet";
        }
        try {
            var verdict =
                    authority
                            .renew(
                                    new ServerName(words[3]),
                                    new Incarnation(Long.parseLong(words[4])))
                            .toCompletableFuture()
                            .get(QUORUM.toMillis(), TimeUnit.MILLISECONDS);
            return "%s lease %s %s".formatted(VERSION, words[2], verdict);
        } catch (ExecutionException | TimeoutException | IllegalArgumentException e) {
            return VERSION + " refused no quorum answered, or not a server";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return VERSION + " refused this node ends";
        }
    }

    static final java.nio.charset.Charset ASCII = StandardCharsets.US_ASCII;

    static BufferedReader reader(Socket connection) throws IOException {
        return new BufferedReader(
                new InputStreamReader(connection.getInputStream(), ASCII), LONGEST_LINE);
    }

    /** Null at the end; a line that is too long is an error, so that nobody fills our memory. */
    static @Nullable String readLine(BufferedReader in) throws IOException {
        var line = new StringBuilder();
        int next;
        while ((next = in.read()) != '\n') {
            if (next < 0) {
                return null;
            }
            if (line.length() == LONGEST_LINE) {
                throw new IOException("a line of more than " + LONGEST_LINE + " characters");
            }
            line.append((char) next);
        }
        return line.toString();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("closing the lifeline failed", e);
        }
    }
}
