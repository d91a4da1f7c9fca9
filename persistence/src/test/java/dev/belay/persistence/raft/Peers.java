package dev.belay.persistence.raft;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/** Voters a, b, c … of one journal in this JVM, on free loopback ports. */
final class Peers implements AutoCloseable {
    static final Duration LONG = Duration.ofSeconds(30);
    private static final Set<Integer> HANDED_OUT = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final UnaryOperator<JournalSettings> tuning;
    private final Map<String, String> voters;
    private final Map<String, RaftJournal> running = new TreeMap<>();
    final List<String> fatal = new CopyOnWriteArrayList<>();

    /** What the nodes said that were not started because their folders were empty. */
    final List<String> forgotten = new CopyOnWriteArrayList<>();

    private Peers(Path folder, Map<String, String> voters, UnaryOperator<JournalSettings> tuning) {
        this.folder = folder;
        this.tuning = tuning;
        this.voters = voters;
    }

    private static Map<String, String> onLoopback(int count) {
        var voters = new LinkedHashMap<String, String>();
        var ports = freePorts(count);
        for (int i = 0; i < count; i++) {
            voters.put(String.valueOf((char) ('a' + i)), "127.0.0.1:" + ports.get(i));
        }
        return voters;
    }

    static Peers start(Path folder, int count) {
        return start(folder, count, UnaryOperator.identity());
    }

    static Peers start(Path folder, int count, UnaryOperator<JournalSettings> tuning) {
        var peers = new Peers(folder, onLoopback(count), tuning);
        peers.voters.keySet().forEach(peers::start);
        return peers;
    }

    /** None of them runs yet. */
    static Peers planned(Path folder, int count, UnaryOperator<JournalSettings> tuning) {
        return new Peers(folder, onLoopback(count), tuning);
    }

    /** Voters at these addresses, of which none runs yet. */
    static Peers at(Path folder, Map<String, String> voters) {
        return new Peers(folder, voters, UnaryOperator.identity());
    }

    /** Each is handed out once: a voter that is off for a while keeps its own. */
    static List<Integer> freePorts(int count) {
        var sockets = new ArrayList<ServerSocket>();
        var ports = new ArrayList<Integer>();
        try {
            while (ports.size() < count) {
                var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                sockets.add(socket);
                if (HANDED_OUT.add(socket.getLocalPort())) {
                    ports.add(socket.getLocalPort());
                }
            }
            for (var socket : sockets) {
                socket.close();
            }
            return ports;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    JournalSettings settings(String name) {
        // A busy build machine may need longer for an election than a request should wait.
        return tuning.apply(
                JournalSettings.of(name, voters, folder(name))
                        .withRequestTimeouts(Duration.ofSeconds(1), Duration.ofSeconds(20)));
    }

    Path folder(String name) {
        return folder.resolve(name);
    }

    RaftJournal start(String name) {
        try {
            var journal =
                    RaftJournal.start(
                            settings(name), why -> fatal.add(name + ": " + why), forgotten::add);
            running.put(name, journal);
            return journal;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    void stop(String name) {
        var journal = running.remove(name);
        if (journal != null) {
            journal.close();
        }
    }

    void stopAll() {
        var all = List.copyOf(running.values());
        running.clear();
        // Side by side: each waits for its connections to end.
        try (var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
            all.forEach(journal -> threads.execute(journal::close));
        }
    }

    RaftJournal journal(String name) {
        var journal = running.get(name);
        if (journal == null) {
            throw new IllegalStateException(name + " is not running");
        }
        return journal;
    }

    List<String> names() {
        return List.copyOf(voters.keySet());
    }

    List<String> running() {
        return List.copyOf(running.keySet());
    }

    String leader() {
        return await().atMost(LONG)
                .until(
                        () ->
                                running.entrySet().stream()
                                        .filter(peer -> peer.getValue().isLeader())
                                        .map(Map.Entry::getKey)
                                        .findFirst(),
                        java.util.Optional::isPresent)
                .orElseThrow();
    }

    RaftJournal anyFollower() {
        var leader = leader();
        return running.entrySet().stream()
                .filter(peer -> !peer.getKey().equals(leader))
                .findFirst()
                .orElseThrow()
                .getValue();
    }

    static <T> T get(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(LONG.toSeconds(), TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failure
                    ? failure
                    : new IllegalStateException(e.getCause());
        } catch (InterruptedException | java.util.concurrent.TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    /** An append of one event, listed, without guards. */
    static Command.Append event(String id, long sequenceNr, String text) {
        return event(id, sequenceNr, text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    static Command.Append event(String id, long sequenceNr, byte[] bytes) {
        return new Command.Append(
                id, "writer", true, List.of(new StoredEvent(sequenceNr, bytes)), List.of());
    }

    static List<String> texts(RaftJournal journal, String id) {
        return get(journal.events(new Query.Events(id, 1, Long.MAX_VALUE, 100_000, 1 << 24)))
                .stream()
                .map(event -> new String(event.bytes(), java.nio.charset.StandardCharsets.UTF_8))
                .toList();
    }

    @Override
    public void close() {
        stopAll();
    }
}
