package dev.belay.cluster;

import static dev.belay.cluster.Lifeline.ASCII;
import static dev.belay.cluster.Lifeline.VERSION;

import dev.belay.decision.Presence.Knock;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds on to one server's lifeline and tells each look at it: at once when it breaks, otherwise a
 * few times a second. While the node's process refuses, it knocks at the replicas too.
 */
final class LifelineWatch {
    private static final Logger LOG = LoggerFactory.getLogger(LifelineWatch.class);
    private static final int BETWEEN_LOOKS = 200;
    private static final int BETWEEN_REFUSALS = 50;
    private static final int ANSWER = 400;
    private static final int CONNECT = 250;

    private final NodeDirectory.Node server;
    private final Lifeline.Ports ports;
    private final BiConsumer<Knock, Knock> seen;
    private volatile boolean over;

    /** What somebody else said there last; of the watch's thread. */
    private String stranger = "";

    private LifelineWatch(
            NodeDirectory.Node server, Lifeline.Ports ports, BiConsumer<Knock, Knock> seen) {
        this.server = server;
        this.ports = ports;
        this.seen = seen;
    }

    /**
     * @param seen told each look, on the watch's own thread: at the node's process, at its replicas
     * @return ends the watch
     */
    static Runnable start(
            NodeDirectory.Node server, Lifeline.Ports ports, BiConsumer<Knock, Knock> seen) {
        var watch = new LifelineWatch(server, ports, seen);
        Lifeline.thread("watch-" + server.name(), watch::run);
        return () -> watch.over = true;
    }

    private void run() {
        while (!over) {
            try (var connection = new Socket()) {
                connection.connect(address(ports.node()), CONNECT);
                connection.setTcpNoDelay(true);
                hold(connection);
            } catch (SocketTimeoutException e) {
                seen.accept(Knock.SILENT, Knock.SILENT);
            } catch (IOException e) {
                lookAround(e);
            }
        }
    }

    /**
     * Until it breaks. An answer that does not come is a look too, and a new connection the next.
     */
    private void hold(Socket connection) throws IOException {
        var in = Lifeline.reader(connection);
        while (!over) {
            connection.setSoTimeout(ANSWER);
            connection.getOutputStream().write((VERSION + " look\n").getBytes(ASCII));
            var line = Lifeline.readLine(in);
            if (line == null) {
                throw new IOException("closed");
            }
            seen.accept(isTheirs(line) ? Knock.ANSWERED : Knock.SILENT, Knock.SILENT);
            if (!staysOpen(connection, in)) {
                return;
            }
        }
    }

    private boolean isTheirs(String line) {
        var here = Lifeline.Here.of(line);
        if (here == null || !here.name().equals(server.name())) {
            if (!line.equals(stranger)) {
                stranger = line;
                LOG.warn(
                        "whoever listens at {}:{} should be {}, but answers: {}",
                        server.address(),
                        ports.node(),
                        server.name(),
                        line);
            }
            return false;
        }
        return true;
    }

    /** The pause between two looks, which a break cuts short. */
    private static boolean staysOpen(Socket connection, BufferedReader in) throws IOException {
        connection.setSoTimeout(BETWEEN_LOOKS);
        try {
            return in.read() >= 0;
        } catch (SocketTimeoutException e) {
            return true;
        }
    }

    private void lookAround(IOException broken) {
        // Broken off, or no way there: one more knock tells which.
        if (isRefusal(broken) || knock(ports.node()) == Knock.REFUSED) {
            refused();
        } else {
            seen.accept(Knock.SILENT, Knock.SILENT);
            pause(BETWEEN_REFUSALS);
        }
    }

    /** A firewall in front of the lifeline alone does not make a process dead. */
    private void refused() {
        if (knock(server.port()) == Knock.REFUSED) {
            seen.accept(Knock.REFUSED, knock(ports.replicas()));
        } else {
            seen.accept(Knock.SILENT, Knock.SILENT);
        }
        pause(BETWEEN_REFUSALS);
    }

    private Knock knock(int port) {
        try (var socket = new Socket()) {
            socket.connect(address(port), CONNECT);
            return Knock.ANSWERED;
        } catch (IOException e) {
            return isRefusal(e) ? Knock.REFUSED : Knock.SILENT;
        }
    }

    /** "No route to host" is another matter: only a refusal says that the kernel there lives. */
    private static boolean isRefusal(IOException e) {
        return e instanceof ConnectException && String.valueOf(e.getMessage()).contains("refused");
    }

    private InetSocketAddress address(int port) {
        return new InetSocketAddress(server.address(), port);
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
