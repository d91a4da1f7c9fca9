package dev.belay.http;

import dev.belay.admin.Admin;
import dev.belay.cluster.JournalFeed;
import dev.belay.decision.ClusterInput;
import dev.belay.decision.ClusterLife;
import dev.belay.decision.ClusterState;
import dev.belay.decision.ClusterView;
import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.Context;
import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.Decision.Rejected;
import dev.belay.decision.Evidence;
import dev.belay.decision.Losses;
import dev.belay.decision.Proof;
import dev.belay.decision.Qemu;
import dev.belay.decision.ServerHistory;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerLife;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmAction;
import dev.belay.decision.VmHistory;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmLife;
import dev.belay.decision.VmState;
import dev.belay.decision.VmState.Present;
import dev.belay.model.Incarnation;
import dev.belay.model.PairAddress;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.LockstepFigures;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A cluster in a few maps: the real decisions, and servers that do at once what they are told, or
 * nothing.
 */
public final class FakeAdmin implements Admin {
    static final ServerName ALPHA = new ServerName("alpha");
    static final ServerName BETA = new ServerName("beta");
    static final Qemu QEMU =
            new Qemu("11.1.3", "pc-i440fx-11.1", "kvm", "default", Optional.empty());
    static final Instant START = Instant.parse("2026-11-01T12:00:00Z");

    private final Map<String, VmState> vms = new TreeMap<>();
    final FakeFeed feed = new FakeFeed();
    final List<VmInput.Request> requests = new CopyOnWriteArrayList<>();
    volatile Map<ServerName, List<String>> obstacles = Map.of(ALPHA, List.of(), BETA, List.of());
    volatile Optional<RuntimeException> failure = Optional.empty();
    public volatile boolean silent;
    volatile boolean broken;
    public volatile boolean cutOff;
    volatile Readiness readiness = new Readiness(true, "", ALPHA, Optional.of("alpha"));
    public volatile boolean serversObey = true;
    public volatile boolean alphaAnswers = true;
    volatile ClusterState cluster = ClusterState.NEW;
    private int behind;
    private Optional<ServerState> earlier = Optional.empty();
    volatile ServerState alpha =
            new ServerState.Live(
                    new ServerState.Server(
                            ALPHA, new Incarnation(1), "boot", 1024, Optional.empty()),
                    Map.of(
                            new VmName("web"),
                            new ServerState.Reservation(new dev.belay.model.Epoch(1), 128)),
                    Losses.NONE,
                    Optional.empty(),
                    Optional.empty(),
                    Optional.of(QEMU));
    private Instant now = START;

    @Override
    public synchronized CompletionStage<Outcome<VmState>> request(
            VmName vm, VmInput.Request request) {
        requests.add(request);
        if (silent) {
            return new CompletableFuture<>();
        }
        if (failure.isPresent()) {
            return CompletableFuture.failedFuture(failure.get());
        }
        return CompletableFuture.completedFuture(tell(vm, request));
    }

    /** Lost so often that it is in quarantine. */
    public void quarantineAlpha() {
        alpha = ((ServerState.Live) alpha).with(new Losses(3, List.of(1L, 2L, 3L), true));
    }

    /** No VM has any memory there. */
    public void emptyAlpha() {
        var live = (ServerState.Live) alpha;
        alpha = new ServerState.Live(live.server(), Map.of(), live.losses(), live.freeze());
    }

    /** So many looks at the servers show what was before the next request; then VMs follow it. */
    public synchronized void lag(int looks) {
        behind = looks;
        earlier = Optional.of(alpha);
    }

    /** Lets time pass, decides and stores; what servers are told is carried out when they obey. */
    public synchronized Outcome<VmState> tell(VmName vm, VmInput input) {
        now = now.plusMillis(100);
        var decision = VmLife.decide(state(vm), new Context(now, "gamma", view()), input);
        return switch (decision) {
            case Ignored<?, ?> _ -> new Outcome.Done<>(state(vm));
            case Rejected(var reason, var message) -> new Outcome.Refused<>(reason, message);
            case Accepted(var events, var actions) -> {
                for (var event : events) {
                    vms.put(vm.value(), VmHistory.apply(state(vm), event));
                    feed.append("vm|" + vm, event);
                }
                if (serversObey) {
                    actions.forEach(action -> obey(vm, action));
                }
                yield new Outcome.Done<>(state(vm));
            }
        };
    }

    private void obey(VmName vm, VmAction action) {
        switch (action) {
            case VmAction.Reserve(var server, var epoch, _) ->
                    tell(vm, new VmInput.Reserved(server, new Incarnation(1), epoch));
            case VmAction.StartReplica(var right, _) ->
                    tell(
                            vm,
                            new VmInput.ReplicaStarted(
                                    right, "", List.of(new VmInput.Timing("QEMU started", 42))));
            case VmAction.StopReplica(var right, _) ->
                    tell(vm, new VmInput.ReplicaGone(right, VmInput.Cause.STOPPED, "as ordered"));
            case VmAction.PrepareSecondary(var secondary, _, _) ->
                    tell(
                            vm,
                            new VmInput.SecondaryReady(
                                    secondary, new PairAddress("192.0.2.1", 1, 2, List.of())));
            case VmAction.RaisePair(var primary, var secondary, _) ->
                    tell(vm, new VmInput.PairRaised(primary, secondary, List.of()));
            case VmAction.AwaitLockstep(var secondary, var primary) ->
                    tell(vm, new VmInput.LockstepSeen(primary, secondary));
            case VmAction.PassCheckpoint(var primary, var secondary, var asked) ->
                    tell(vm, new VmInput.HandOver(primary, secondary, asked));
            case VmAction.GoSolo(var winner, var loser) ->
                    tell(vm, new VmInput.SoloDone(winner, loser, List.of()));
            case VmAction.Release _,
                    VmAction.AskStanding _,
                    VmAction.Confirm _,
                    VmAction.ConfirmLockstep _,
                    VmAction.OutliveAfter _,
                    VmAction.WakeAfter _,
                    VmAction.InsistAfter _,
                    VmAction.OverdueAfter _,
                    VmAction.HandOverAfter _,
                    VmAction.SettleAfter _ -> {}
        }
    }

    /** A whole failover away from server alpha. */
    public void loseAlpha(VmName vm) {
        var first = new Incarnation(1);
        var seen = new Evidence(START, "beta", "no heartbeat from alpha");
        tell(vm, new VmInput.ServerLost(ALPHA, first, List.of(seen)));
        tell(vm, new VmInput.FenceProved(ALPHA, first, new Proof(Proof.Kind.LEASE, "", START)));
    }

    synchronized VmState state(VmName vm) {
        return vms.getOrDefault(vm.value(), VmHistory.NEW);
    }

    @Override
    public CompletionStage<Map<ServerName, List<String>>> check(VmSpec spec) {
        return CompletableFuture.completedFuture(obstacles);
    }

    @Override
    public synchronized CompletionStage<Shown> show(VmName vm) {
        if (broken) {
            throw new IllegalStateException("secret innards");
        }
        return silent
                ? new CompletableFuture<>()
                : CompletableFuture.completedFuture(new Shown(state(vm), !cutOff));
    }

    @Override
    public synchronized List<Present> vms() {
        return vms.values().stream()
                .flatMap(state ->
                        state instanceof Present present
                                ? java.util.stream.Stream.of(present)
                                : java.util.stream.Stream.empty())
                .toList();
    }

    @Override
    public synchronized CompletionStage<Outcome<NodeInfo>> request(
            ServerName server, ServerInput.Request request) {
        if (silent) {
            return new CompletableFuture<>();
        }
        var before = server.equals(ALPHA) ? alpha : ServerHistory.NEW;
        return CompletableFuture.completedFuture(
                switch (ServerLife.decide(server, before, now, request)) {
                    case Ignored<?, ?> _ -> new Outcome.Done<>(node(server));
                    case Rejected(var reason, var message) ->
                            new Outcome.Refused<>(reason, message);
                    case Accepted(var events, _) -> {
                        for (var event : events) {
                            alpha = ServerHistory.apply(alpha, event);
                        }
                        yield new Outcome.Done<>(node(server));
                    }
                });
    }

    @Override
    public synchronized CompletionStage<Outcome<ClusterState>> request(
            ClusterInput.Request request) {
        if (silent) {
            return new CompletableFuture<>();
        }
        return CompletableFuture.completedFuture(
                switch (ClusterLife.decide(cluster, now, request)) {
                    case Ignored<?, ?> _ -> new Outcome.Done<>(cluster);
                    case Rejected(var reason, var message) ->
                            new Outcome.Refused<>(reason, message);
                    case Accepted(var events, _) -> {
                        for (var event : events) {
                            cluster = ClusterLife.apply(cluster, event);
                            feed.append("cluster|cluster", event);
                        }
                        yield new Outcome.Done<>(cluster);
                    }
                });
    }

    /** The one that answers has its data. */
    @Override
    public CompletionStage<Outcome<NodeInfo>> readmit(ServerName name) {
        var node = node(name);
        return CompletableFuture.completedFuture(
                node.reachable()
                        ? new Outcome.Refused<>(
                                dev.belay.decision.Decision.Reason.CONFLICT, name + " lost nothing")
                        : new Outcome.Done<>(node));
    }

    @Override
    public CompletionStage<Optional<LockstepFigures>> lockstep(VmState.Present vm) {
        return CompletableFuture.completedFuture(
                vm instanceof VmState.Lockstep pair
                        ? Optional.of(figures(pair.vm().spec().name()))
                        : Optional.empty());
    }

    private static LockstepFigures figures(VmName vm) {
        return new LockstepFigures(
                vm,
                120,
                7,
                2400,
                Optional.of(48_000_000L),
                2.5,
                20,
                45,
                Optional.empty(),
                400,
                100);
    }

    @Override
    public List<LockstepFigures> lockstepHere() {
        return List.of(figures(new VmName("web")));
    }

    @Override
    public ClusterState cluster() {
        return cluster;
    }

    private NodeInfo node(ServerName name) {
        return nodes(alpha).stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Override
    public synchronized List<NodeInfo> nodes() {
        if (behind == 0) {
            return nodes(alpha);
        }
        var shown = nodes(earlier.orElse(alpha));
        behind--;
        if (behind == 0) {
            List.copyOf(vms.keySet()).forEach(vm -> tell(new VmName(vm), new VmInput.Tick()));
        }
        return shown;
    }

    private List<NodeInfo> nodes(ServerState first) {
        return List.of(
                new NodeInfo(
                        new ServerName("gamma"),
                        "witness",
                        "127.0.0.1:7352",
                        "http://127.0.0.1:7352",
                        true,
                        true,
                        "up",
                        Optional.empty(),
                        List.of()),
                new NodeInfo(
                        ALPHA,
                        "server",
                        "127.0.0.1:7350",
                        "http://127.0.0.1:7350",
                        true,
                        alphaAnswers,
                        "up",
                        Optional.of(first),
                        List.of(new VmName("web"))),
                new NodeInfo(
                        BETA,
                        "server",
                        "127.0.0.1:7351",
                        "http://127.0.0.1:7351",
                        true,
                        false,
                        "absent",
                        Optional.empty(),
                        List.of()));
    }

    @Override
    public ClusterView view() {
        var first = new Incarnation(1);
        return new ClusterView(
                List.of(
                        new ServerView(
                                ALPHA,
                                first,
                                true,
                                true,
                                false,
                                false,
                                alpha instanceof ServerState.Live live ? live.freeMiB() : 0,
                                1024,
                                alpha instanceof ServerState.Known known
                                        ? known.maintenance()
                                        : Optional.empty(),
                                Optional.of(QEMU)),
                        new ServerView(
                                BETA,
                                first,
                                true,
                                true,
                                false,
                                false,
                                512,
                                512,
                                Optional.empty(),
                                Optional.of(QEMU))),
                cluster.disarming(),
                List.of());
    }

    @Override
    public JournalFeed feed() {
        return feed;
    }

    @Override
    public Readiness readiness() {
        return readiness;
    }

    /** A journal in a list. */
    static final class FakeFeed implements JournalFeed {
        private final List<Entry> entries = new ArrayList<>();
        final List<Runnable> listeners = new CopyOnWriteArrayList<>();

        void append(String persistenceId, Object event) {
            synchronized (this) {
                entries.add(
                        new Entry(entries.size() + 1, persistenceId, entries.size() + 1, event));
            }
            listeners.forEach(Runnable::run);
        }

        @Override
        public synchronized CompletionStage<List<Entry>> read(long from, int max) {
            return CompletableFuture.completedFuture(
                    List.copyOf(
                            entries.stream().filter(e -> e.offset() >= from).limit(max).toList()));
        }

        @Override
        public synchronized long newestOffset() {
            return entries.size();
        }

        @Override
        public Runnable onAppend(Runnable listener) {
            listeners.add(listener);
            return () -> listeners.remove(listener);
        }
    }
}
