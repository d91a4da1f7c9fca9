package dev.belay.persistence.raft;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.util.ExitUtils;
import org.jspecify.annotations.Nullable;

/** This node's Raft peer: log, elections, and the state machine. */
final class VoterPeer implements AutoCloseable {
    private final RaftServer server;
    private final JournalStateMachine machine;
    private final VoterLinks links;

    private VoterPeer(RaftServer server, JournalStateMachine machine) {
        this.server = server;
        this.machine = machine;
        links = new VoterLinks(server);
    }

    /** Joins the group under the address that the settings give this node. */
    static VoterPeer start(JournalSettings settings, JournalStateMachine.Listener listener)
            throws IOException {
        // Ratis would end the JVM for a port in use or a broken log. We tell our owner instead.
        ExitUtils.disableSystemExit();
        ExitUtils.setTerminateOnUncaughtException(false);
        var address = address(settings);
        checkFree(address);
        var stores = settings.folder().resolve("store");
        boolean isFirstStart = !Files.exists(raftMeta(settings));
        if (isFirstStart) {
            // A store without its log belongs to another history.
            deleteAll(stores);
        }
        var machine = new JournalStateMachine(stores, settings.voters().keySet(), listener);
        var server =
                RaftServer.newBuilder()
                        .setServerId(RaftPeerId.valueOf(settings.node()))
                        .setGroup(RatisConfig.group(settings))
                        .setProperties(
                                RatisConfig.server(settings, address.getHost(), address.getPort()))
                        .setStateMachine(machine)
                        .setOption(
                                isFirstStart
                                        ? RaftStorage.StartupOption.FORMAT
                                        : RaftStorage.StartupOption.RECOVER)
                        .build();
        try {
            server.start();
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
        return new VoterPeer(server, machine);
    }

    private static URI address(JournalSettings settings) {
        var text = String.valueOf(settings.voters().get(settings.node()));
        var address = URI.create("raft://" + text);
        if (address.getHost() == null || address.getPort() < 0) {
            throw new IllegalArgumentException(
                    "Expected host:port as address of voter %s, but got '%s'"
                            .formatted(settings.node(), text));
        }
        return address;
    }

    private static void checkFree(URI address) throws IOException {
        var host = InetAddress.getByName(address.getHost());
        try (var socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new java.net.InetSocketAddress(host, address.getPort()));
        } catch (IOException e) {
            throw new IOException(
                    "The journal can not listen on %s: %s"
                            .formatted(address.getAuthority(), e.getMessage()),
                    e);
        }
    }

    private static Path raftMeta(JournalSettings settings) {
        return settings.folder()
                .resolve("raft")
                .resolve(RatisConfig.GROUP.getUuid().toString())
                .resolve("current")
                .resolve("raft-meta");
    }

    private static void deleteAll(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (var paths = Files.walk(folder)) {
            for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    JournalStateMachine machine() {
        return machine;
    }

    boolean isLeader() {
        try {
            return server.getDivision(RatisConfig.GROUP).getInfo().isLeader();
        } catch (IOException e) {
            return false;
        }
    }

    @Nullable RaftPeerId leader() {
        try {
            return server.getDivision(RatisConfig.GROUP).getInfo().getLeaderId();
        } catch (IOException e) {
            return null;
        }
    }

    /** Ratis can close the group inside a JVM that lives on: then this peer only looks alive. */
    boolean isAlive() {
        try {
            return server.getDivision(RatisConfig.GROUP).getInfo().isAlive()
                    && !ExitUtils.isTerminated();
        } catch (IOException e) {
            return false;
        }
    }

    /** To be called again and again while this peer lives, by one thread at a time. */
    void watch() {
        try {
            links.watch();
        } catch (IOException _) {
            // The group is closed: isAlive() says so.
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
