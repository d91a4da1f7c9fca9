package dev.belay.cluster;

import dev.belay.decision.ClusterEvent;
import dev.belay.decision.ClusterLife;
import dev.belay.decision.ClusterState;
import dev.belay.decision.ClusterView;
import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.OutOfReach;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.ServerHistory;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmEvent;
import dev.belay.decision.VmHistory;
import dev.belay.decision.VmPriority;
import dev.belay.decision.VmState;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
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

    /** Two servers that were cut off together are not heard again at the same moment. */
    private static final Duration TOGETHER_AGAIN = Duration.ofSeconds(5);

    private final JournalFeed feed;
    private final Map<VmName, VmState> vms = new ConcurrentHashMap<>();
    private final Map<ServerName, ServerState> servers = new ConcurrentHashMap<>();
    private final Map<String, Long> newest = new ConcurrentHashMap<>();
    private final Semaphore news = new Semaphore(1);
    private final Thread follower;
    private volatile ClusterState cluster = ClusterState.NEW;
    private volatile Set<ServerName> reachable = Set.of();

    /** Since when each answers, on this node's clock that never jumps. */
    private volatile Map<ServerName, Long> answering = Map.of();

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
        newest.merge(entry.persistenceId(), entry.sequenceNr(), Math::max);
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
                            ServerHistory.apply(
                                    servers.getOrDefault(name, ServerHistory.NEW), event));
                }
                case ClusterEvent event -> cluster = ClusterLife.apply(cluster, event);
                default -> LOG.debug("not an event of Belay's entities: {}", entry);
            }
        } catch (RuntimeException e) {
            LOG.error(
                    "offset {} of {} does not fit what came before; shown state may be wrong",
                    entry.offset(),
                    entry.persistenceId(),
                    e);
        }
    }

    /** The newest event of this persistence id that was read here; 0: none. */
    public long newest(String persistenceId) {
        return newest.getOrDefault(persistenceId, 0L);
    }

    /**
     * @param now by this node
     * @param heard by this node or others on the side of the majority
     */
    public void reachable(Set<ServerName> now, Set<ServerName> heard) {
        var since = new HashMap<ServerName, Long>();
        heard.forEach(name -> since.put(name, answering.getOrDefault(name, System.nanoTime())));
        answering = Map.copyOf(since);
        reachable = Set.copyOf(now);
    }

    public boolean isReachable(ServerName name) {
        return reachable.contains(name);
    }

    /** See {@link OutOfReach}; false of a server that answers anybody. */
    public boolean isOutOfReach(ServerName name) {
        return servers.get(name) instanceof ServerState.Live live
                && !answering.containsKey(name)
                && OutOfReach.isAll(live, this::vm, this::isAway);
    }

    /** In the life in which it was a half; in the next one nothing of it runs. */
    private boolean isAway(RunRight half) {
        var since = answering.get(half.server());
        boolean answers = since != null && System.nanoTime() - since > TOGETHER_AGAIN.toNanos();
        return !answers
                && servers.get(half.server()) instanceof ServerState.Known known
                && known.server().incarnation().equals(half.incarnation());
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

    public ClusterState cluster() {
        return cluster;
    }

    public ClusterView view() {
        var disarming = cluster.disarming();
        return new ClusterView(
                servers.entrySet().stream()
                        .sorted(Comparator.comparing(entry -> entry.getKey().value()))
                        .flatMap(entry -> view(entry.getKey(), entry.getValue()).stream())
                        .toList(),
                disarming,
                vms.values().stream()
                        .flatMap(vm -> VmPriority.claim(vm, disarming).stream())
                        .toList());
    }

    private Optional<ServerView> view(ServerName name, ServerState state) {
        return switch (state) {
            case ServerState.Unknown _ -> Optional.empty();
            case ServerState.Live live -> Optional.of(view(name, live, true, live.freeMiB()));
            case ServerState.Fencing fencing -> Optional.of(view(name, fencing, false, 0));
            case ServerState.Fenced fenced -> Optional.of(view(name, fenced, false, 0));
        };
    }

    private ServerView view(ServerName name, ServerState.Known state, boolean live, int freeMiB) {
        return new ServerView(
                name,
                state.server().incarnation(),
                live,
                isReachable(name),
                state.losses().quarantined(),
                state instanceof ServerState.Live here && here.freeze().isPresent(),
                freeMiB,
                state.server().memoryMiB(),
                state.maintenance(),
                state instanceof ServerState.Live here ? here.qemu() : Optional.empty());
    }
}
