package dev.belay.qemu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** One TCP connection that is silent until it is to say something, and counts with the guest. */
final class Talk implements AutoCloseable {
    private final Socket socket;
    private final BufferedReader answers;
    private int said;

    Talk(Socket socket, int patienceMillis) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(patienceMillis);
        socket.setTcpNoDelay(true);
        answers =
                new BufferedReader(
                        new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
    }

    static Talk to(String host, int port, int patienceMillis) throws IOException {
        var socket = new Socket();
        socket.connect(new InetSocketAddress(host, port), patienceMillis);
        return new Talk(socket, patienceMillis);
    }

    /** The other side's. */
    int port() {
        return socket.getPort();
    }

    /** Whether it is one on which the guest counts: not its port 9. */
    boolean counts() {
        return socket.getPort() != 9;
    }

    /** What the guest answers. */
    String ask(String line) throws IOException {
        socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
        return next();
    }

    String next() throws IOException {
        var answer = answers.readLine();
        if (answer == null) {
            throw new IOException("the other side closed the connection");
        }
        return answer;
    }

    /** Fails unless the guest echoes the next line, and has counted every one before. */
    void goesOn() throws IOException {
        said++;
        var answer = ask("line " + said);
        if (!answer.equals(said + " line " + said)) {
            throw new IOException("expected the echo of line " + said + " but got " + answer);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
