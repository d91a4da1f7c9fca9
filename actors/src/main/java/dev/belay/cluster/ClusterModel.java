package dev.belay.cluster;

import dev.belay.decision.ClusterView;
import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.ServerLife;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmEvent;
import dev.belay.decision.VmHistory;
import dev.belay.decision.VmState;
import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this node knows of all VMs and servers: its copy of the journal, folded, with what
 * membership sees now. It may lag a moment behind the entities, so it advises and shows, and proves
 * nothing. Thread-safe; nothing of it survives the process.
 */
public final class ClusterModel implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterModel.class);
    private static final int PAGE = 500;

    private final JournalFeed feed;
    private final Map<VmName, VmState> vms = new ConcurrentHashMap<>();
    private final Map<ServerName, ServerState> servers = new ConcurrentHashMap<>();
    private final Semaphore news = new Semaphore(1);
    private final Thread follower;
    private volatile Set<ServerName> reachable = Set.of();
    private volatile Runnable stopListening = () -> {};

    public ClusterModel(JournalFeed feed) {
        this.feed = feed;
        this.follower = Thread.ofVirtual().name("cluster-model").unstarted(this::follow);
    }

    public void start() {
        stopListening = feed.onAppend(news::release);
        follower.start();
    }

    @Override
    public void close() {
        stopListening.run();
        follower.interrupt();
    }

    private void follow() {
        long next = 1;
        try {
            while (!Thread.currentThread().isInterrupted()) {
                news.acquire();
                news.drainPermits();
                next = readFrom(next);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private long readFrom(long from) throws InterruptedException {
        long next = from;
        while (true) {
            try {
                var page = feed.read(next, PAGE).toCompletableFuture().get();
                for (var entry : page) {
                    fold(entry);
                    next = entry.offset() + 1;
                }
                if (page.size() < PAGE) {
                    return next;
                }
            } catch (java.util.concurrent.ExecutionException e) {
                LOG.warn(
                        "could not read the journal's history from offset {}: {}",
                        next,
                        String.valueOf(e.getCause()));
                Thread.sleep(500);
                news.release();
                return next;
            }
        }
    }

    private void fold(JournalFeed.Entry entry) {
        var id = entry.persistenceId().substring(entry.persistenceId().indexOf('|') + 1);
        try {
            switch (entry.event()) {
                case VmEvent event ->
                        vms.merge(
                                new VmName(id),
                                VmHistory.apply(
                                        vms.getOrDefault(new VmName(id), VmHistory.NEW), event),
                                (_, newer) -> newer);
                case ServerEvent event -> {
                    var name = new ServerName(id);
                    servers.put(
                            name,
                            ServerLife.apply(
                                    servers.getOrDefault(name, new ServerState.Unknown()), event));
                }
                default -> LOG.debug("not an event of a VM or a server: {}", entry);
            }
        } catch (RuntimeException e) {
            LOG.error(
                    "offset {} of {} does not fit what came before; shown state may be wrong",
                    entry.offset(),
                    entry.persistenceId(),
                    e);
        }
    }

    public void reachable(Set<ServerName> now) {
        reachable = Set.copyOf(now);
    }

    public boolean isReachable(ServerName name) {
        return reachable.contains(name);
    }

    /** Existing VMs; deleted ones are left out. */
    public Map<VmName, VmState.Present> vms() {
        var present =
                new java.util.TreeMap<VmName, VmState.Present>(Comparator.comparing(VmName::value));
        vms.forEach((name, state) -> {
            if (state instanceof VmState.Present exists) {
                present.put(name, exists);
            }
        });
        return present;
    }

    public VmState vm(VmName name) {
        return vms.getOrDefault(name, VmHistory.NEW);
    }

    public Optional<ServerState> server(ServerName name) {
        return Optional.ofNullable(servers.get(name));
    }

    public Map<ServerName, ServerState> servers() {
        return Map.copyOf(servers);
    }

    public ClusterView view() {
        return new ClusterView(
                servers.entrySet().stream()
                        .sorted(Comparator.comparing(entry -> entry.getKey().value()))
                        .flatMap(entry -> view(entry.getKey(), entry.getValue()).stream())
                        .toList());
    }

    private Optional<ServerView> view(ServerName name, ServerState state) {
        return switch (state) {
            case ServerState.Unknown _ -> Optional.empty();
            case ServerState.Live live ->
                    Optional.of(
                            new ServerView(
                                    name,
                                    live.server().incarnation(),
                                    true,
                                    isReachable(name),
                                    live.freeMiB(),
                                    live.server().memoryMiB()));
            case ServerState.Fencing fencing ->
                    Optional.of(down(name, fencing.server().incarnation(), fencing.server()));
            case ServerState.Fenced fenced ->
                    Optional.of(down(name, fenced.server().incarnation(), fenced.server()));
        };
    }

    private ServerView down(ServerName name, Incarnation incarnation, ServerState.Server server) {
        return new ServerView(name, incarnation, false, isReachable(name), 0, server.memoryMiB());
    }
}
