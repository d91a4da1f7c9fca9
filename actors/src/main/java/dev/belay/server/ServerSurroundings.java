package dev.belay.server;

import dev.belay.cluster.Membership;
import dev.belay.decision.ServerAction;
import dev.belay.model.LeaseTerms;
import dev.belay.model.ServerName;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;

/** What a server's entity reaches outside of itself. */
public interface ServerSurroundings {
    /** Where the configuration says that the server is, on the cluster network. */
    String address(ServerName server);

    /**
     * The cluster's lease terms, which are {@code offered} when it has none yet.
     *
     * @param change they become the cluster's in any case
     */
    CompletionStage<LeaseTerms> agree(LeaseTerms offered, boolean change);

    /** Tells the server's node why it is not admitted, best effort. */
    void refuse(ServerName server, String why);

    /**
     * How long to wait for the leases of a server of which the journal does not say which terms
     * they had: as long as for the longest that this node knows of.
     */
    Duration longestLeaseWait();

    /** How long a quarantined server has to be up until it gets new VMs again. */
    Duration coolDown();

    FenceAgent fenceAgent();

    /** The newest event of this persistence id that this node has read; it may lag. */
    long newest(String persistenceId);

    /** Whether Belay may move VMs by itself now, as far as this node knows. */
    boolean isArmed();

    /**
     * Whether all that runs on this server, which does not answer, are halves of pairs whose other
     * server does not answer either, as far as this node knows.
     */
    boolean isFencingInVain(ServerName server);

    /** Whether this node's membership sees the server. */
    boolean answers(ServerName server);

    /** This node's membership tells {@code listener} whenever the server does not answer. */
    void watch(ServerName server, ActorRef<Membership.Lost> listener);

    /** Sends the action on its way, best effort. */
    void carryOut(ServerAction action);
}
