package dev.belay.cluster;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.pekko.cluster.Reachability;
import org.apache.pekko.cluster.UniqueAddress;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Who is heard on this side of a partition, whoever else misses it. When only the wire between two
 * nodes is cut, each is missed by the other and heard by the rest. Pekko then downs both, whose
 * processes end, although there is nobody to be replaced: each has the quorum, renews its leases
 * and answers. So nobody is downed whom somebody on this side hears, if this side has most of the
 * voters (safety.md 17). The two are as if they were far apart until the wire is mended; whatever
 * depends on them goes through the others and the journal.
 *
 * <p>Takes that everybody is to be heard by everybody: {@code monitored-by-nr-of-members}.
 */
final class HeardNodes {
    private final UniqueAddress self;
    private final Set<UniqueAddress> members;
    private final boolean isMajority;
    private final Set<UniqueAddress> here;

    /** By whom each is missed. */
    private final Map<UniqueAddress, Set<UniqueAddress>> missed = new HashMap<>();

    HeardNodes(
            UniqueAddress self,
            Set<UniqueAddress> members,
            Set<UniqueAddress> voters,
            Reachability reachability) {
        this.self = self;
        this.members = Set.copyOf(members);
        CollectionConverters.asJava(reachability.observersGroupedByUnreachable())
                .forEach((subject, observers) ->
                        missed.put(subject, CollectionConverters.asJava(observers)));
        here = members.stream().filter(this::isHere).collect(Collectors.toUnmodifiableSet());
        isMajority = 2 * voters.stream().filter(this::isHere).count() > voters.size();
    }

    /** Whether most of the voters are on this side. */
    boolean isMajority() {
        return isMajority;
    }

    /** This side: whom this node hears, and itself. */
    Set<UniqueAddress> here() {
        return here;
    }

    /**
     * @param isAnyDowned whether somebody has to go: its removal takes that all others agree, which
     *     two that miss each other never do, so one end of each wire that is cut goes with it
     */
    boolean spares(UniqueAddress node, boolean isAnyDowned) {
        return contains(node) && !(isAnyDowned && isHigherEnd(node));
    }

    boolean contains(UniqueAddress node) {
        return isMajority
                && here.stream()
                        .filter(member -> !member.equals(node))
                        .anyMatch(member -> !misses(member, node));
    }

    private boolean isHigherEnd(UniqueAddress node) {
        return members.stream()
                .filter(other -> misses(other, node) || misses(node, other))
                .anyMatch(other -> node.compareTo(other) > 0 && contains(other));
    }

    private boolean isHere(UniqueAddress member) {
        return member.equals(self) || !misses(self, member);
    }

    private boolean misses(UniqueAddress observer, UniqueAddress subject) {
        return missed.getOrDefault(subject, Set.of()).contains(observer);
    }
}
