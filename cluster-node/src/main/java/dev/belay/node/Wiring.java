package dev.belay.node;

import dev.belay.calm.ClusterEntity;
import dev.belay.cluster.ClusterModel;
import dev.belay.cluster.Membership;
import dev.belay.cluster.NodeDirectory;
import dev.belay.decision.ClusterView;
import dev.belay.decision.ServerAction;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmAction;
import dev.belay.model.LeaseTerms;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.server.FenceAgent;
import dev.belay.server.ServerEntity;
import dev.belay.server.ServerNode;
import dev.belay.server.ServerSurroundings;
import dev.belay.vm.VmEntity;
import dev.belay.vm.VmSurroundings;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/**
 * Who talks to whom: entities to entities by sharding, entities to servers by their well-known
 * path.
 */
final class Wiring implements VmSurroundings, ServerSurroundings {
    private static final Duration AGREE_TIMEOUT = Duration.ofSeconds(3);

    private final ActorSystem<?> system;
    private final NodeDirectory directory;
    private final ClusterModel model;
    private final Duration ownLeaseWait;
    private final Duration coolDown;
    private final FenceAgent fenceAgent;
    private final ActorRef<Membership.Message> membership;

    Wiring(
            ActorSystem<?> system,
            NodeDirectory directory,
            ClusterModel model,
            Duration ownLeaseWait,
            Duration coolDown,
            FenceAgent fenceAgent,
            ActorRef<Membership.Message> membership) {
        this.system = system;
        this.directory = directory;
        this.model = model;
        this.ownLeaseWait = ownLeaseWait;
        this.coolDown = coolDown;
        this.fenceAgent = fenceAgent;
        this.membership = membership;
    }

    @Override
    public ServerName self() {
        return directory.self();
    }

    @Override
    public long newest(String persistenceId) {
        return model.newest(persistenceId);
    }

    @Override
    public ClusterView view() {
        return model.view();
    }

    @Override
    public String address(ServerName server) {
        return directory.node(server).map(NodeDirectory.Node::address).orElse("");
    }

    @Override
    public CompletionStage<LeaseTerms> agree(LeaseTerms offered, boolean change) {
        if (model.cluster().terms().filter(offered::equals).isPresent()) {
            return CompletableFuture.completedFuture(offered);
        }
        return ClusterSharding.get(system)
                .entityRefFor(ClusterEntity.KEY, ClusterEntity.ID)
                .<ClusterEntity.Agreed>ask(
                        replyTo -> new ClusterEntity.Offer(offered, change, replyTo), AGREE_TIMEOUT)
                .thenApply(ClusterEntity.Agreed::terms);
    }

    @Override
    public void refuse(ServerName server, String why) {
        tellServer(server, new ServerNode.Refused(why));
    }

    /** This node's own, the cluster's and every server's: a witness is not asked for its own. */
    @Override
    public Duration longestLeaseWait() {
        var servers =
                model.servers().values().stream()
                        .flatMap(state ->
                                state instanceof ServerState.Known known
                                        ? known.server().terms().stream()
                                        : Stream.empty());
        return Stream.concat(servers, model.cluster().terms().stream())
                .map(LeaseTerms::proofWait)
                .filter(wait -> wait.compareTo(ownLeaseWait) > 0)
                .max(Comparator.naturalOrder())
                .orElse(ownLeaseWait);
    }

    @Override
    public Duration coolDown() {
        return coolDown;
    }

    @Override
    public boolean isArmed() {
        return model.cluster().disarming().isEmpty();
    }

    @Override
    public boolean isFencingInVain(ServerName server) {
        return model.isOutOfReach(server);
    }

    @Override
    public boolean answers(ServerName server) {
        return model.isReachable(server);
    }

    @Override
    public FenceAgent fenceAgent() {
        return fenceAgent;
    }

    @Override
    public void watch(ServerName server, ActorRef<Membership.Lost> listener) {
        membership.tell(new Membership.Watch(server, listener));
    }

    @Override
    public void carryOut(VmName vm, VmAction action) {
        switch (action) {
            case VmAction.Reserve(var server, var epoch, var memoryMiB) ->
                    tellServerEntity(server, new ServerInput.Reserve(vm, epoch, memoryMiB));
            case VmAction.Release(var server, var upTo) ->
                    tellServerEntity(server, new ServerInput.Release(vm, upTo));
            case VmAction.AskStanding(var server, var incarnation) ->
                    tellServerEntity(server, new ServerInput.AskStanding(vm, incarnation));
            case VmAction.Order order ->
                    tellServer(order.right().server(), new ServerNode.Order(order));
            case VmAction.WakeAfter _,
                    VmAction.OutliveAfter _,
                    VmAction.SettleAfter _,
                    VmAction.InsistAfter _,
                    VmAction.OverdueAfter _,
                    VmAction.HandOverAfter _ ->
                    throw new IllegalArgumentException(
                            "Expected an action for somebody else, but got " + action);
        }
    }

    @Override
    public void carryOut(ServerAction action) {
        switch (action) {
            case ServerAction.Welcome(var admitted) ->
                    tellServer(admitted.name(), new ServerNode.Welcome(admitted));
            case ServerAction.TellClean(var server, var upTo, var fenced) ->
                    tellServer(server, new ServerNode.MustClean(upTo, fenced));
            case ServerAction.TellVm(var vm, var news) ->
                    ClusterSharding.get(system)
                            .entityRefFor(VmEntity.KEY, vm.value())
                            .tell(new VmEntity.News(news));
            case ServerAction.AwaitLease _,
                    ServerAction.CallFenceAgent _,
                    ServerAction.CallOffFenceAgent _,
                    ServerAction.AgeLoss _,
                    ServerAction.CoolDown _ ->
                    throw new IllegalArgumentException(
                            "Expected an action for somebody else, but got " + action);
        }
    }

    private void tellServerEntity(ServerName server, ServerInput input) {
        ClusterSharding.get(system)
                .entityRefFor(ServerEntity.KEY, server.value())
                .tell(new ServerEntity.News(input));
    }

    /** Lost when the server is away; every order is repeated until it is answered. */
    void tellServer(ServerName server, ServerNode.Message message) {
        directory.node(server).ifPresent(node -> server(node).tell(message));
    }

    /**
     * The server's actor by its path alone: whichever process of that node is up gets the message.
     */
    ActorRef<ServerNode.Message> server(NodeDirectory.Node node) {
        return ActorRefResolver.get(system)
                .resolveActorRef(
                        "pekko://%s@%s:%d/user/%s"
                                .formatted(
                                        system.name(),
                                        node.address(),
                                        node.port(),
                                        ServerNode.ACTOR_NAME));
    }
}
