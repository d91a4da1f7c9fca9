package dev.belay.cluster;

import dev.belay.decision.OutOfReach;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.setup.Setup;

/**
 * Pairs in lockstep of which both servers are on one side of a partition. Without the quorum their
 * halves live by each other's word (safety.md 14), which the nodes' processes give; so these have
 * to live on, too, where Pekko would end them.
 */
public final class PairsTogether extends Setup {
    private final NodeDirectory directory;
    private final ClusterModel model;
    private final BooleanSupplier quorum;

    /**
     * @param quorum whether the journal has one for this node
     */
    public PairsTogether(NodeDirectory directory, ClusterModel model, BooleanSupplier quorum) {
        this.directory = directory;
        this.model = model;
        this.quorum = quorum;
    }

    boolean hearsQuorum() {
        return quorum.getAsBoolean();
    }

    /**
     * @param side the members of one side
     */
    boolean isAnyWithin(Set<Address> side) {
        var servers =
                side.stream()
                        .flatMap(member -> member.getHost().stream())
                        .flatMap(host -> directory.at(host).stream())
                        .map(NodeDirectory.Node::name)
                        .collect(Collectors.toSet());
        return model.vms().values().stream()
                .anyMatch(vm -> OutOfReach.isWithin(vm, servers::contains));
    }
}
