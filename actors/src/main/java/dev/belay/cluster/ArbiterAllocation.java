package dev.belay.cluster;

import dev.belay.model.ServerName;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.cluster.sharding.ShardCoordinator;
import org.apache.pekko.dispatch.Futures;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Puts an entity on its arbiter: never on the server that it decides about while another voter
 * lives, rather on a witness (architecture.md §3). One shard per entity, so each is placed by
 * itself (safety.md 25).
 */
public final class ArbiterAllocation extends ShardCoordinator.AbstractShardAllocationStrategy {
    /**
     * What there is to know of an entity.
     *
     * @param servers that it decides about, if any; the first is the one that runs the VM
     * @param settled no action is pending, so that it may move
     */
    public record Subject(List<ServerName> servers, boolean settled) {
        public Subject {
            servers = List.copyOf(servers);
        }
    }

    private static final IndexedSeq<String> NONE =
            CollectionConverters.asScala(List.<String>of()).toIndexedSeq();

    private final NodeDirectory directory;
    private final Function<String, Subject> subjects;

    /**
     * @param subjects from shard id, which is the entity's id
     */
    public ArbiterAllocation(NodeDirectory directory, Function<String, Subject> subjects) {
        this.directory = directory;
        this.subjects = subjects;
    }

    @Override
    public Future<ActorRef> allocateShard(
            ActorRef requester, String shardId, Map<ActorRef, IndexedSeq<String>> current) {
        var subject = subjects.apply(shardId);
        return Futures.successful(
                current.keySet().stream()
                        .min(
                                Comparator.comparingInt((ActorRef region) -> cost(region, subject))
                                        .thenComparingInt(
                                                region -> current.getOrDefault(region, NONE).size())
                                        .thenComparing(region -> host(region).orElse("")))
                        .orElse(requester));
    }

    @Override
    public Future<Set<String>> rebalance(
            Map<ActorRef, IndexedSeq<String>> current, Set<String> inProgress) {
        if (!inProgress.isEmpty()) {
            return Futures.successful(Set.of());
        }
        for (var region : current.keySet()) {
            for (var shard : CollectionConverters.asJava(current.getOrDefault(region, NONE))) {
                var subject = subjects.apply(shard);
                int best =
                        current.keySet().stream()
                                .mapToInt(other -> cost(other, subject))
                                .min()
                                .orElse(0);
                if (subject.settled() && cost(region, subject) > best) {
                    return Futures.successful(Set.of(shard));
                }
            }
        }
        return Futures.successful(Set.of());
    }

    /** 0: a witness; 1: another server; 2: that of the second of a pair; 3: that of the first. */
    private int cost(ActorRef region, Subject subject) {
        var node = host(region).flatMap(directory::at).orElseGet(directory::selfNode);
        int at = subject.servers().indexOf(node.name());
        if (at >= 0) {
            return at == 0 ? 3 : 2;
        }
        return node.role() == NodeDirectory.Role.WITNESS ? 0 : 1;
    }

    private static Optional<String> host(ActorRef region) {
        return region.path().address().getHost();
    }
}
