package dev.belay.node;

import dev.belay.calm.ClusterEntity;
import dev.belay.cluster.ArbiterAllocation;
import dev.belay.cluster.ArbiterAllocation.Subject;
import dev.belay.cluster.ClusterModel;
import dev.belay.cluster.LeaseKeeper;
import dev.belay.cluster.Membership;
import dev.belay.cluster.NodeDirectory;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmLife;
import dev.belay.decision.VmState;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.replica.FloorFiles;
import dev.belay.replica.Hypervisor;
import dev.belay.replica.Hypervisor.ReplicaStatus;
import dev.belay.server.FenceAgent;
import dev.belay.server.IncarnationFile;
import dev.belay.server.ServerEntity;
import dev.belay.server.ServerNode;
import dev.belay.vm.VmEntity;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.ShardingMessageExtractor;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/**
 * The root of a node's actors: membership, the sharded entities, and on a server the server itself.
 */
final class NodeGuardian {
    /** The guardian gets no messages. */
    enum Message {}

    /** What a server has and a witness has not. */
    record ServerParts(
            Hypervisor hypervisor,
            CompletionStage<List<ReplicaStatus>> found,
            LeaseKeeper lease,
            IncarnationFile file,
            FloorFiles floors) {}

    private NodeGuardian() {}

    /**
     * @param wired completed with the wiring as soon as the actors are there
     */
    static Behavior<Message> create(
            NodeSettings settings,
            ClusterModel model,
            FenceAgent fenceAgent,
            Optional<ServerParts> server,
            CompletableFuture<Wiring> wired) {
        return Behaviors.setup(context -> {
            var membership =
                    context.spawn(
                            Membership.create(
                                    settings.directory(),
                                    settings.membership(),
                                    settings.freezeWindow(),
                                    settings.lifelines(),
                                    model),
                            "membership");
            var wiring =
                    new Wiring(
                            context.getSystem(),
                            settings.directory(),
                            model,
                            settings.leaseTerms().proofWait(),
                            settings.duration("calm.cool-down"),
                            fenceAgent,
                            membership);
            shard(context, settings.directory(), model, wiring);
            server.ifPresent(parts -> spawnServer(context, settings, wiring, parts));
            wired.complete(wiring);
            return Behaviors.empty();
        });
    }

    private static void shard(
            ActorContext<Message> context,
            NodeDirectory directory,
            ClusterModel model,
            Wiring wiring) {
        var sharding = ClusterSharding.get(context.getSystem());
        sharding.init(
                Entity.of(
                                VmEntity.KEY,
                                entity ->
                                        VmEntity.create(
                                                new VmName(entity.getEntityId()),
                                                wiring,
                                                entity.getShard()))
                        .withMessageExtractor(new OneShardEach<>())
                        .withAllocationStrategy(
                                new ArbiterAllocation(
                                        directory, id -> subjectVm(model.vm(new VmName(id)))))
                        .withRole("voter"));
        sharding.init(
                Entity.of(
                                ServerEntity.KEY,
                                entity ->
                                        ServerEntity.create(
                                                new ServerName(entity.getEntityId()), wiring))
                        .withMessageExtractor(new OneShardEach<>())
                        .withAllocationStrategy(
                                new ArbiterAllocation(
                                        directory, id -> subjectServer(model, new ServerName(id))))
                        .withRole("voter"));
        sharding.init(
                Entity.of(ClusterEntity.KEY, entity -> ClusterEntity.create(entity.getEntityId()))
                        .withMessageExtractor(new OneShardEach<>())
                        .withAllocationStrategy(
                                new ArbiterAllocation(directory, _ -> new Subject(List.of(), true)))
                        .withRole("voter"));
    }

    private static Subject subjectVm(VmState state) {
        boolean settled =
                state instanceof VmState.Absent
                        || state instanceof VmState.Stopped
                        || (state instanceof VmState.Running running
                                && running.vm().failover().isEmpty())
                        || (state instanceof VmState.Lockstep pair
                                && pair.vm().failover().isEmpty());
        return new Subject(
                Stream.concat(VmLife.right(state).stream(), VmLife.secondary(state).stream())
                        .map(RunRight::server)
                        .toList(),
                settled);
    }

    private static Subject subjectServer(ClusterModel model, ServerName name) {
        return new Subject(
                List.of(name),
                model.server(name)
                        .filter(state -> !(state instanceof ServerState.Fencing))
                        .isPresent());
    }

    private static void spawnServer(
            ActorContext<Message> context,
            NodeSettings settings,
            Wiring wiring,
            ServerParts parts) {
        var sharding = ClusterSharding.get(context.getSystem());
        var self = settings.self();
        var node =
                context.spawn(
                        ServerNode.create(
                                new ServerNode.Parts(
                                        parts.hypervisor(),
                                        parts.found(),
                                        parts.lease(),
                                        parts.file(),
                                        parts.floors(),
                                        settings.bootId(),
                                        settings.memoryMiB(),
                                        settings.leaseTerms(),
                                        join ->
                                                entity(
                                                                sharding,
                                                                ServerEntity.KEY,
                                                                self.name().value())
                                                        .tell(
                                                                new ServerEntity.Join(
                                                                        join,
                                                                        self.address(),
                                                                        settings.changesTerms()
                                                                                && !isHeld(parts))),
                                        (vm, news) ->
                                                entity(sharding, VmEntity.KEY, vm.value())
                                                        .tell(new VmEntity.News(news)),
                                        wiring::tellServer,
                                        settings.silence())),
                        ServerNode.ACTOR_NAME,
                        DispatcherSelector.defaultDispatcher());
        context.watch(node);
    }

    /** Once admitted it asks for no change any more: two that do would never agree. */
    private static boolean isHeld(ServerParts parts) {
        return !parts.lease().held().equals(Incarnation.NONE);
    }

    private static <M> org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef<M> entity(
            ClusterSharding sharding, EntityTypeKey<M> key, String id) {
        return sharding.entityRefFor(key, id);
    }

    /** A shard for each entity, so that each can be placed by itself (safety.md 25). */
    private static final class OneShardEach<M>
            extends ShardingMessageExtractor<ShardingEnvelope<M>, M> {
        @Override
        public String entityId(ShardingEnvelope<M> envelope) {
            return envelope.entityId();
        }

        @Override
        public String shardId(String entityId) {
            return entityId;
        }

        @Override
        public M unwrapMessage(ShardingEnvelope<M> envelope) {
            return envelope.message();
        }
    }
}
