package dev.belay.cluster;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.cluster.Reachability;
import org.apache.pekko.cluster.UniqueAddress;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Who is heard on this side of a partition, whoever else misses it. When only the wire between two
 * nodes is cut, each is missed by the other and heard by the rest. Pekko then downs both, whose
 * processes end, although there is nobody to be replaced: each has the quorum, renews its leases
 * and answers. So nobody is downed by others whom somebody on their side hears. It is only half of
 * what it takes: each of the two still downs itself.
 *
 * <p>Takes that everybody is to be heard by everybody: {@code monitored-by-nr-of-members}.
 */
final class HeardNodes {
    private final UniqueAddress self;
    private final Set<UniqueAddress> members;

    /** By whom each is missed. */
    private final Map<UniqueAddress, Set<UniqueAddress>> missed = new HashMap<>();

    HeardNodes(UniqueAddress self, Set<UniqueAddress> members, Reachability reachability) {
        this.self = self;
        this.members = Set.copyOf(members);
        CollectionConverters.asJava(reachability.observersGroupedByUnreachable())
                .forEach((subject, observers) ->
                        missed.put(subject, CollectionConverters.asJava(observers)));
    }

    boolean contains(UniqueAddress node) {
        return members.stream()
                .filter(member -> !member.equals(node) && isHere(member))
                .anyMatch(member -> !misses(member, node));
    }

    private boolean isHere(UniqueAddress member) {
        return member.equals(self) || !misses(self, member);
    }

    private boolean misses(UniqueAddress observer, UniqueAddress subject) {
        return missed.getOrDefault(subject, Set.of()).contains(observer);
    }
}
