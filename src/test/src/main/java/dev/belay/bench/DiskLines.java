package dev.belay.bench;

import dev.belay.lab.LabException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Somebody who writes lines to the disk of a guest through everything that happens, on one
 * connection, each once the one before it was acknowledged; nobody else writes there. The guest
 * acknowledges with the line's number in its file: whatever is missing or there twice shifts the
 * numbers of all that follow. What the last ones became is asked when the guest has read its disk
 * anew.
 */
final class DiskLines implements AutoCloseable {
    private static final int PORT = 8;
    private static final int PATIENCE_MILLIS = 60_000;
    private static final Duration BETWEEN = Duration.ofMillis(50);
    private static final Duration LAST_REPLY = Duration.ofSeconds(5);

    /** What became of acknowledged lines. */
    record Outcome(long acknowledged, long lost, long repeated) {
        static final Outcome NONE = new Outcome(0, 0, 0);

        Outcome plus(Outcome other) {
            return new Outcome(
                    acknowledged + other.acknowledged,
                    lost + other.lost,
                    repeated + other.repeated);
        }
    }

    private final String address;
    private final Socket socket;
    private final Thread thread;
    private final Account account = new Account();
    private volatile boolean closed;
    private volatile Optional<String> broken = Optional.empty();

    DiskLines(String address) {
        this.address = address;
        socket = connected(address);
        thread = Thread.ofPlatform().daemon().name("disk lines").start(this::run);
    }

    private static Socket connected(String address) {
        var socket = new Socket();
        try {
            socket.connect(new InetSocketAddress(address, PORT), PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.setTcpNoDelay(true);
            return socket;
        } catch (IOException e) {
            throw new LabException(
                    "no connection to the disk of the guest at " + address + ": " + e, e);
        }
    }

    private void run() {
        try {
            while (!closed) {
                var line = account.next();
                account.acknowledge(line, Long.parseLong(ask(socket, line)));
                Thread.sleep(BETWEEN);
            }
        } catch (IOException | InterruptedException | NumberFormatException e) {
            broken = closed ? Optional.empty() : Optional.of(e.toString());
        }
    }

    private static String ask(Socket socket, String line) throws IOException {
        socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
        // There is never more than one answer under way.
        var in =
                new BufferedReader(
                        new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
        var answer = in.readLine();
        if (answer == null) {
            throw new IOException("the guest closed the connection");
        }
        return answer;
    }

    /** Writes no more. */
    @Override
    public void close() {
        closed = true;
        try {
            var _ = thread.join(LAST_REPLY);
            socket.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw new LabException("the connection to the guest's disk cannot be closed", e);
        }
    }

    /** Why no more lines are written, if none are. */
    Optional<String> broken() {
        return broken;
    }

    long acknowledged() {
        return account.outcome().acknowledged();
    }

    /**
     * Compares with what the guest's file holds, which it has read from its disk.
     *
     * @throws LabException if it does not say
     */
    Outcome check() {
        try (var fresh = connected(address)) {
            var words = ask(fresh, "?").split(" ", 2);
            return account.compare(Long.parseLong(words[0]), words[1]);
        } catch (IOException | NumberFormatException e) {
            throw new LabException("the guest does not say what is on its disk: " + e, e);
        }
    }

    /** What was written, what was said of it, and what must be in the file. */
    static final class Account {
        private final MessageDigest file = sha256();
        private String pending = "";
        private long inFile;
        private Outcome outcome = Outcome.NONE;

        synchronized String next() {
            pending = "line " + (outcome.acknowledged() + 1);
            return pending;
        }

        synchronized void acknowledge(String line, long number) {
            var surplus = number - (inFile + 1);
            note(1, surplus);
            inFile = number;
            file.update(text(line));
            pending = "";
        }

        private void note(long acknowledged, long surplus) {
            outcome =
                    outcome.plus(
                            new Outcome(acknowledged, Math.max(0, -surplus), Math.max(0, surplus)));
        }

        synchronized Outcome outcome() {
            return outcome;
        }

        /** A line that was not acknowledged may be there or not. */
        synchronized Outcome compare(long lines, String sum) {
            var flawless = outcome.lost() + outcome.repeated() == 0;
            var withPending = !pending.isEmpty() && lines == inFile + 1;
            note(0, withPending ? 0 : lines - inFile);
            if (flawless && outcome.lost() + outcome.repeated() == 0 && !isSum(sum, withPending)) {
                // As many as there should be, but others.
                note(0, -1);
            }
            return outcome;
        }

        private boolean isSum(String sum, boolean withPending) {
            var all = copy(file);
            if (withPending) {
                all.update(text(pending));
            }
            return HexFormat.of().formatHex(all.digest()).equals(sum);
        }

        private static byte[] text(String line) {
            return (line + "\n").getBytes(StandardCharsets.US_ASCII);
        }

        private static MessageDigest copy(MessageDigest digest) {
            try {
                return (MessageDigest) digest.clone();
            } catch (CloneNotSupportedException e) {
                throw new IllegalStateException(e);
            }
        }

        private static MessageDigest sha256() {
            try {
                return MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
