package dev.belay.lab;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;

/**
 * Looks like a node from outside: a process with a configuration file that says when it is ready,
 * and that keeps a connection to every other node.
 */
final class StandInNode {
    private static final int PORT = 7355;
    private static final Pattern SELF = Pattern.compile("name = \"(\\w+)\"");
    private static final Pattern PEER =
            Pattern.compile("\\{ name = \"(\\w+)\", address = \"([0-9.]+)\"");
    private static final Pattern HTTP =
            Pattern.compile("http \\{ address = \"([0-9.]+)\", port = (\\d+)");

    private StandInNode() {}

    public static void main(String[] words) throws IOException {
        var config = Files.readString(Path.of(words[0]));
        var self = SELF.matcher(config);
        var http = HTTP.matcher(config);
        if (!self.find() || !http.find()) {
            throw new IllegalArgumentException("not a node's configuration: " + words[0]);
        }
        var name = self.group(1);
        var peers = PEER.matcher(config);
        while (peers.find()) {
            var peer = peers.group(1);
            var address = peers.group(2);
            if (peer.equals(name)) {
                listen(address);
                hear(address);
            } else {
                Thread.ofVirtual().start(() -> stayConnected(address));
            }
        }
        serve(http.group(1), Integer.parseInt(http.group(2)));
        System.out.println(name + " is ready");
    }

    private static void serve(String address, int port) throws IOException {
        var server =
                HttpServer.create(new InetSocketAddress(InetAddress.getByName(address), port), 0);
        server.createContext(
                "/api/v1/health/ready", exchange -> answer(exchange, "{\"ready\":true}"));
        server.createContext(
                "/clock",
                exchange ->
                        answer(
                                exchange,
                                "{\"wall\":%d,\"monotonic\":%d}"
                                        .formatted(System.currentTimeMillis(), System.nanoTime())));
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
    }

    private static void answer(HttpExchange exchange, String json) throws IOException {
        var body = json.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, body.length);
        try (var out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    private static void listen(String address) throws IOException {
        var listener = new ServerSocket(PORT, 50, InetAddress.getByName(address));
        var held = new ArrayList<Socket>();
        Thread.ofPlatform()
                .start(() -> {
                    while (true) {
                        try {
                            held.add(listener.accept());
                        } catch (IOException e) {
                            return;
                        }
                    }
                });
    }

    /** Prints every datagram, to show what still arrives. */
    private static void hear(String address) throws IOException {
        var socket = new DatagramSocket(PORT, InetAddress.getByName(address));
        Thread.ofPlatform()
                .start(() -> {
                    var packet = new DatagramPacket(new byte[100], 100);
                    while (true) {
                        try {
                            socket.receive(packet);
                        } catch (IOException e) {
                            return;
                        }
                        var text =
                                new String(
                                        packet.getData(),
                                        0,
                                        packet.getLength(),
                                        StandardCharsets.UTF_8);
                        System.out.println("heard " + text.strip());
                    }
                });
    }

    private static void stayConnected(String address) {
        while (true) {
            try (var socket = new Socket(InetAddress.getByName(address), PORT)) {
                // Nobody ever writes: this returns when the other kernel says that it is over.
                var end = socket.getInputStream().read();
                System.out.println("connection to " + address + " ended: " + end);
            } catch (IOException e) {
                Shell.pause(100);
            }
        }
    }
}
