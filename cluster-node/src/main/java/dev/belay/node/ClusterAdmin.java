package dev.belay.node;

import dev.belay.admin.Admin;
import dev.belay.calm.ClusterEntity;
import dev.belay.cluster.ClusterModel;
import dev.belay.cluster.JournalFeed;
import dev.belay.cluster.NodeDirectory;
import dev.belay.cluster.NodeDirectory.Node;
import dev.belay.decision.ClusterInput;
import dev.belay.decision.ClusterLife;
import dev.belay.decision.ClusterState;
import dev.belay.decision.ClusterView;
import dev.belay.decision.Decision.Reason;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmLife;
import dev.belay.decision.VmState;
import dev.belay.entity.Reply;
import dev.belay.model.LeaseTerms;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.persistence.raft.JournalException;
import dev.belay.persistence.raft.RaftJournal;
import dev.belay.replica.Hypervisor;
import dev.belay.replica.LockstepFigures;
import dev.belay.server.ServerEntity;
import dev.belay.server.ServerNode;
import dev.belay.vm.VmEntity;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/** {@link Admin} over the sharded entities and this node's copy of the journal. */
final class ClusterAdmin implements Admin {
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(8);
    private static final Duration SHOW_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration CHECK_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration MEASURE_TIMEOUT = Duration.ofMillis(500);

    private final ActorSystem<?> system;
    private final NodeDirectory directory;
    private final ClusterModel model;
    private final JournalFeed feed;
    private final Wiring wiring;
    private final BooleanSupplier member;
    private final RaftJournal journal;
    private final LeaseTerms terms;
    private final Optional<Hypervisor> hypervisor;

    ClusterAdmin(
            ActorSystem<?> system,
            NodeDirectory directory,
            ClusterModel model,
            JournalFeed feed,
            Wiring wiring,
            BooleanSupplier member,
            RaftJournal journal,
            LeaseTerms terms,
            Optional<Hypervisor> hypervisor) {
        this.terms = terms;
        this.system = system;
        this.directory = directory;
        this.model = model;
        this.feed = feed;
        this.wiring = wiring;
        this.member = member;
        this.journal = journal;
        this.hypervisor = hypervisor;
    }

    @Override
    public CompletionStage<Outcome<VmState>> request(VmName vm, VmInput.Request request) {
        return ClusterSharding.get(system)
                .entityRefFor(VmEntity.KEY, vm.value())
                .<Reply<VmState>>ask(
                        replyTo -> new VmEntity.Request(request, replyTo), REQUEST_TIMEOUT)
                .thenApply(reply -> outcome(reply, state -> state));
    }

    @Override
    public CompletionStage<Outcome<NodeInfo>> request(
            ServerName server, ServerInput.Request request) {
        var node = directory.node(server).orElseThrow();
        return ClusterSharding.get(system)
                .entityRefFor(ServerEntity.KEY, server.value())
                .<Reply<ServerState>>ask(
                        replyTo -> new ServerEntity.Request(request, replyTo), REQUEST_TIMEOUT)
                .thenApply(reply -> outcome(reply, state -> info(node, Optional.of(state))));
    }

    @Override
    public CompletionStage<Outcome<NodeInfo>> readmit(ServerName name) {
        var node = directory.node(name).orElseThrow();
        return journal.readmit(name.value())
                .<Outcome<NodeInfo>>thenApply(
                        _ -> new Outcome.Done<>(info(node, model.server(name))))
                .exceptionallyCompose(thrown ->
                        unwrapped(thrown) instanceof JournalException.Refused refused
                                ? CompletableFuture.completedFuture(
                                        new Outcome.Refused<>(
                                                Reason.CONFLICT,
                                                String.valueOf(refused.getMessage())))
                                : CompletableFuture.failedFuture(thrown));
    }

    private static Throwable unwrapped(Throwable thrown) {
        return thrown instanceof CompletionException && thrown.getCause() != null
                ? thrown.getCause()
                : thrown;
    }

    @Override
    public CompletionStage<Outcome<ClusterState>> request(ClusterInput.Request request) {
        return ClusterSharding.get(system)
                .entityRefFor(ClusterEntity.KEY, ClusterEntity.ID)
                .<Reply<ClusterState>>ask(
                        replyTo -> new ClusterEntity.Request(request, replyTo), REQUEST_TIMEOUT)
                .thenApply(reply -> outcome(reply, state -> state));
    }

    private static <S, T> Outcome<T> outcome(Reply<S> reply, Function<S, T> shown) {
        return switch (reply) {
            case Reply.Done<S>(var state) -> new Outcome.Done<>(shown.apply(state));
            case Reply.Refused<S>(var reason, var message) ->
                    new Outcome.Refused<>(reason, message);
        };
    }

    @Override
    public ClusterState cluster() {
        return model.cluster();
    }

    @Override
    public CompletionStage<Map<ServerName, List<String>>> check(VmSpec spec) {
        var asked = new HashMap<ServerName, CompletableFuture<List<String>>>();
        for (var node : directory.servers()) {
            if (model.isReachable(node.name())) {
                asked.put(node.name(), ask(node, spec));
            }
        }
        return CompletableFuture.allOf(asked.values().toArray(CompletableFuture[]::new))
                .thenApply(_ -> {
                    var answers = new HashMap<ServerName, List<String>>();
                    asked.forEach((name, answer) -> answers.put(name, answer.join()));
                    return answers;
                });
    }

    private CompletableFuture<List<String>> ask(Node node, VmSpec spec) {
        return AskPattern.<ServerNode.Message, ServerNode.Checked>ask(
                        wiring.server(node),
                        replyTo -> new ServerNode.Check(spec, replyTo),
                        CHECK_TIMEOUT,
                        system.scheduler())
                .thenApply(ServerNode.Checked::problems)
                .exceptionally(_ ->
                        List.of(
                                "it did not answer within %d s"
                                        .formatted(CHECK_TIMEOUT.toSeconds())))
                .toCompletableFuture();
    }

    @Override
    public CompletionStage<Shown> show(VmName vm) {
        return ClusterSharding.get(system)
                .entityRefFor(VmEntity.KEY, vm.value())
                .ask(VmEntity.Show::new, SHOW_TIMEOUT)
                // Without a quorum it may be an entity that was cut off together with this node.
                .thenApply(shown -> new Shown(shown.state(), journal.isLed()))
                .exceptionally(failure -> lastKnown(vm, failure));
    }

    /** That nothing is known here of a VM does not say that there is none. */
    private Shown lastKnown(VmName vm, Throwable failure) {
        var known = model.vm(vm);
        if (known instanceof VmState.Absent) {
            throw new CompletionException(failure);
        }
        return new Shown(known, false);
    }

    @Override
    public CompletionStage<Optional<LockstepFigures>> lockstep(VmState.Present vm) {
        var node =
                vm instanceof VmState.Lockstep pair
                        ? directory.node(pair.primary().server())
                        : Optional.<Node>empty();
        if (node.filter(there -> isReachable(there)).isEmpty()) {
            return CompletableFuture.completedFuture(Optional.empty());
        }
        return AskPattern.<ServerNode.Message, ServerNode.Measured>ask(
                        wiring.server(node.get()),
                        replyTo -> new ServerNode.Measure(vm.vm().spec().name(), replyTo),
                        MEASURE_TIMEOUT,
                        system.scheduler())
                .thenApply(ServerNode.Measured::figures)
                .exceptionally(_ -> Optional.empty());
    }

    @Override
    public List<LockstepFigures> lockstepHere() {
        return hypervisor.map(Hypervisor::lockstep).orElse(List.of());
    }

    @Override
    public List<VmState.Present> vms() {
        return List.copyOf(model.vms().values());
    }

    @Override
    public List<NodeInfo> nodes() {
        return directory.nodes().stream()
                .map(node -> info(node, model.server(node.name())))
                .toList();
    }

    private NodeInfo info(Node node, Optional<ServerState> state) {
        boolean reachable = isReachable(node);
        return new NodeInfo(
                node.name(),
                node.role().name().toLowerCase(Locale.ROOT),
                node.address(),
                node.api(),
                node.voter(),
                reachable,
                model.isOutOfReach(node.name()) && !reachable
                        ? "out-of-reach"
                        : inOneWord(state, reachable),
                state,
                model.vms().values().stream()
                        .filter(vm ->
                                VmLife.right(vm)
                                        .filter(right -> right.server().equals(node.name()))
                                        .isPresent())
                        .map(vm -> vm.vm().spec().name())
                        .toList());
    }

    private boolean isReachable(Node node) {
        return node.name().equals(directory.self()) || model.isReachable(node.name());
    }

    private static String inOneWord(Optional<ServerState> state, boolean reachable) {
        return switch (state.orElse(new ServerState.Unknown())) {
            case ServerState.Fencing _ -> "fencing";
            case ServerState.Fenced _ -> "fenced";
            case ServerState.Live live when reachable && live.maintenance().isPresent() ->
                    "maintenance";
            case ServerState.Live live when reachable ->
                    live.losses().quarantined() ? "quarantined" : "up";
            case ServerState.Live live -> live.freeze().isPresent() ? "frozen" : "unreachable";
            case ServerState.Unknown _ -> reachable ? "up" : "absent";
        };
    }

    @Override
    public ClusterView view() {
        return model.view();
    }

    @Override
    public JournalFeed feed() {
        return feed;
    }

    @Override
    public Readiness readiness() {
        return new Readiness(
                missing().isEmpty(), missing().orElse("ready"), directory.self(), journal.leader());
    }

    private Optional<String> missing() {
        var obstacle = journal.obstacle();
        if (obstacle.isPresent()) {
            return obstacle;
        }
        if (journal.leader().isEmpty()) {
            return Optional.of(
                    "the journal has no leader: fewer than a majority of the voters are up and connected");
        }
        if (!member.getAsBoolean()) {
            return Optional.of("not a member of the cluster yet");
        }
        var refusal =
                model.cluster().terms().flatMap(cluster -> ClusterLife.refusal(cluster, terms));
        if (refusal.isPresent()) {
            return refusal;
        }
        var self = directory.selfNode();
        boolean admitted =
                self.role() == NodeDirectory.Role.WITNESS
                        || model.server(self.name())
                                .filter(ServerState.Live.class::isInstance)
                                .isPresent();
        return admitted ? Optional.empty() : Optional.of("not admitted as a server yet");
    }
}
