package dev.belay.system;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The test guest, asked over the client network as its users would.
 *
 * @param timeoutMillis how long it may take to connect, and to answer
 */
record Guest(String address, int timeoutMillis) {
    Guest(String address) {
        this(address, 2000);
    }

    /** Which boot this is; empty while nothing answers. */
    Optional<String> bootId() {
        return ask(9, "").map(line -> line.split(" ")[0]);
    }

    /**
     * Appends a line to the file on its disk, synced before it answers. Returns the line's number,
     * if it was acknowledged.
     */
    Optional<Long> append(String line) {
        return ask(8, line).map(Long::parseLong);
    }

    /** How many lines its file has. */
    long lines() {
        return ask(8, "?").map(line -> Long.parseLong(line.split(" ")[0])).orElse(-1L);
    }

    boolean answers() {
        return bootId().isPresent();
    }

    /** Nothing comes back from a guest that panics. */
    void panic() {
        ask(9, "!panic");
    }

    private Optional<String> ask(int port, String line) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), timeoutMillis);
            socket.setSoTimeout(timeoutMillis);
            var in =
                    new BufferedReader(
                            new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            if (!line.isEmpty()) {
                if (port == 9) {
                    in.readLine();
                }
                socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            }
            return Optional.ofNullable(in.readLine());
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
