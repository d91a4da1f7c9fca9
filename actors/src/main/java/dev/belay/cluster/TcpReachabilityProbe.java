package dev.belay.cluster;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A TCP connection attempt, bounded by a time-out. */
public final class TcpReachabilityProbe implements ReachabilityProbe {
    private static final int TIMEOUT_MILLIS = 250;

    @Override
    public CompletionStage<Finding> probe(String host, int port) {
        var finding = new CompletableFuture<Finding>();
        Thread.ofVirtual().name("probe-" + host).start(() -> finding.complete(knock(host, port)));
        return finding;
    }

    private static Finding knock(String host, int port) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), TIMEOUT_MILLIS);
            return Finding.CONNECTED;
        } catch (ConnectException e) {
            // "No route to host" comes as another exception type: only a refusal says that the
            // kernel there lives.
            return String.valueOf(e.getMessage()).contains("refused")
                    ? Finding.REFUSED
                    : Finding.SILENT;
        } catch (IOException e) {
            return Finding.SILENT;
        }
    }
}
