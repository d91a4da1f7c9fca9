package dev.belay.persistence.raft;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import org.apache.ratis.proto.RaftProtos.CommitInfoProto;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.GroupManagementRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.util.ExitUtils;
import org.jspecify.annotations.Nullable;

/** This node's Raft peer: log, elections, and the state machine. */
final class VoterPeer implements AutoCloseable {
    /** Entries. A voter hears of the newest ones with the next. */
    private static final long A_LITTLE_BEHIND = 100;

    private final JournalSettings settings;
    private final JournalRoom room;
    private final JournalStateMachine machine;
    private volatile @Nullable RaftServer server;
    private volatile @Nullable VoterLinks links;
    private volatile boolean takesPart;
    private boolean isClosed;

    private VoterPeer(JournalSettings settings, JournalStateMachine machine) {
        this.settings = settings;
        this.machine = machine;
        room = new JournalRoom(settings.folder());
    }

    /** Opens it, if there is room on the disk; otherwise somebody has to {@link #open} it later. */
    static VoterPeer start(JournalSettings settings, JournalStateMachine.Listener listener)
            throws IOException {
        // Ratis would end the JVM for a port in use or a broken log. We tell our owner instead.
        ExitUtils.disableSystemExit();
        ExitUtils.setTerminateOnUncaughtException(false);
        checkFree(address(settings));
        var peer =
                new VoterPeer(
                        settings,
                        new JournalStateMachine(
                                stores(settings),
                                settings.voters().keySet(),
                                () -> Files.exists(anew(settings)),
                                listener));
        if (peer.room.lackToStart().isEmpty()) {
            peer.open();
        }
        return peer;
    }

    boolean isOpen() {
        return server != null;
    }

    JournalRoom room() {
        return room;
    }

    /**
     * Listens under the address that the settings give this node, and joins the group if it has a
     * log of it. With an empty folder it waits for {@link #begin}, and tells all who ask that it
     * knows of no group.
     */
    synchronized void open() throws IOException {
        if (isClosed) {
            return;
        }
        JournalDisk.check(settings.folder());
        boolean hasLog = hasLog(settings);
        if (!hasLog) {
            // A store without its log belongs to another history, and a log that was never begun
            // to none.
            deleteAll(stores(settings));
            deleteAll(logs(settings));
        }
        var address = address(settings);
        var builder =
                RaftServer.newBuilder()
                        .setServerId(RaftPeerId.valueOf(settings.node()))
                        .setProperties(
                                RatisConfig.server(settings, address.getHost(), address.getPort()))
                        .setStateMachine(machine);
        if (hasLog) {
            builder.setGroup(group(settings, Files.exists(anew(settings))))
                    .setOption(RaftStorage.StartupOption.RECOVER);
        }
        var built = builder.build();
        try {
            built.start();
        } catch (IOException | RuntimeException e) {
            built.close();
            throw e;
        }
        links = new VoterLinks(built);
        server = built;
        takesPart = hasLog;
    }

    private RaftServer server() throws IOException {
        var open = server;
        if (open == null) {
            throw new IOException("The Raft peer is not open yet");
        }
        return open;
    }

    /** A voter that begins anew is in nobody's majority, and votes for nobody, until it is told. */
    private static RaftGroup group(JournalSettings settings, boolean anew) {
        return anew ? RaftGroup.valueOf(RatisConfig.GROUP) : RatisConfig.group(settings);
    }

    /**
     * Joins the group with an empty log.
     *
     * @param anew whether it took part before: then the leader must count it first
     */
    void begin(boolean anew) throws IOException {
        if (anew) {
            // Before there is a log: a start with a log and without this would vote.
            Files.createDirectories(settings.folder());
            Files.writeString(anew(settings), "");
        }
        var open = server();
        var reply =
                open.groupManagement(
                        GroupManagementRequest.newAdd(
                                ClientId.randomId(), open.getId(), 0, group(settings, anew), true));
        if (!reply.isSuccess()) {
            throw new IOException("Ratis refused to begin", reply.getException());
        }
        takesPart = true;
    }

    /** Whether it has joined the group. */
    boolean takesPart() {
        return takesPart;
    }

    /** The leader counts it: from here on it starts as others do. */
    void isCounted() throws IOException {
        Files.deleteIfExists(anew(settings));
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

    private static Path stores(JournalSettings settings) {
        return settings.folder().resolve("store");
    }

    private static Path logs(JournalSettings settings) {
        return settings.folder().resolve("raft").resolve(RatisConfig.GROUP.getUuid().toString());
    }

    private static boolean hasLog(JournalSettings settings) {
        return Files.exists(logs(settings).resolve("current").resolve("raft-meta"));
    }

    /** There while this voter begins anew. */
    private static Path anew(JournalSettings settings) {
        return settings.folder().resolve("begins-anew");
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
            return server().getDivision(RatisConfig.GROUP).getInfo().isLeader();
        } catch (IOException e) {
            return false;
        }
    }

    @Nullable RaftPeerId leader() {
        try {
            return server().getDivision(RatisConfig.GROUP).getInfo().getLeaderId();
        } catch (IOException e) {
            return null;
        }
    }

    /** The voters of whom a majority is needed, as far as this one knows. */
    List<String> counted() throws IOException {
        return server().getDivision(RatisConfig.GROUP).getRaftConf().getCurrentPeers().stream()
                .map(peer -> peer.getId().toString())
                .toList();
    }

    /** Those who answered the leader, which this one is, a moment ago and are not behind it. */
    Set<String> readyToLead() {
        try {
            var division = server().getDivision(RatisConfig.GROUP);
            var role = division.getInfo().getRoleInfoProto();
            if (!role.hasLeaderInfo() || !division.getInfo().isLeaderReady()) {
                return Set.of();
            }
            var counted = counted();
            var there =
                    division.getCommitInfos().stream()
                            .collect(
                                    Collectors.toMap(
                                            info -> info.getServer().getId().toStringUtf8(),
                                            CommitInfoProto::getCommitIndex));
            long newest = division.getRaftLog().getLastCommittedIndex();
            // Three heartbeats, of which Ratis sends two in the shortest election time-out.
            long lately = 3 * settings.electionTimeoutMin().toMillis() / 2;
            return role.getLeaderInfo().getFollowerInfoList().stream()
                    .filter(follower -> follower.getLastRpcElapsedTimeMs() < lately)
                    .map(follower -> follower.getId().getId().toStringUtf8())
                    .filter(counted::contains)
                    .filter(name -> newest - there.getOrDefault(name, -1L) <= A_LITTLE_BEHIND)
                    .collect(Collectors.toUnmodifiableSet());
        } catch (IOException e) {
            return Set.of();
        }
    }

    /**
     * Ratis waits until that one has all, and tells it to stand for election at once. Until that
     * succeeded or failed, it refuses all writes. A hand-over that fails at once leaves Ratis
     * (3.3.0) refusing them, with nothing that ends it but the next election, and does not tell. So
     * there is one after each that failed.
     */
    CompletableFuture<Void> leadElsewhere(RaftPeerId to, Duration limit) {
        return transfer(to, limit)
                .exceptionallyCompose(failure ->
                        transfer(null, limit)
                                .handle((_, _) -> failure)
                                .thenCompose(CompletableFuture::failedFuture));
    }

    /**
     * @param to nobody: whoever is elected then
     */
    private CompletableFuture<Void> transfer(@Nullable RaftPeerId to, Duration limit) {
        try {
            var open = server();
            var request =
                    new TransferLeadershipRequest(
                            ClientId.randomId(),
                            open.getId(),
                            RatisConfig.GROUP,
                            1,
                            to,
                            limit.toMillis());
            return open.transferLeadershipAsync(request)
                    .thenAccept(reply -> {
                        if (!reply.isSuccess()) {
                            throw new CompletionException(reply.getException());
                        }
                    });
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Ratis can close the group inside a JVM that lives on: then this peer only looks alive. */
    boolean isAlive() {
        if (!takesPart) {
            return !ExitUtils.isTerminated();
        }
        try {
            return server().getDivision(RatisConfig.GROUP).getInfo().isAlive()
                    && !ExitUtils.isTerminated();
        } catch (IOException e) {
            return false;
        }
    }

    /** To be called again and again while this peer lives, by one thread at a time. */
    void watch() {
        var open = links;
        if (open == null || !takesPart) {
            return;
        }
        room.watch();
        try {
            open.watch();
        } catch (IOException _) {
            // The group is closed: isAlive() says so.
        }
    }

    @Override
    public synchronized void close() throws IOException {
        isClosed = true;
        var open = server;
        if (open != null) {
            open.close();
        }
    }
}
