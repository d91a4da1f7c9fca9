package dev.belay.server;

import dev.belay.cluster.Membership;
import dev.belay.decision.ServerAction;
import dev.belay.model.ServerName;
import java.time.Duration;
import org.apache.pekko.actor.typed.ActorRef;

/** What a server's entity reaches outside of itself. */
public interface ServerSurroundings {
    /** Where the configuration says that the server is, on the cluster network. */
    String address(ServerName server);

    /** The longest lease plus margin (safety.md 13). */
    Duration leaseProofWait();

    /** How long a quarantined server has to be up until it gets new VMs again. */
    Duration coolDown();

    FenceAgent fenceAgent();

    /** The newest event of this persistence id that this node has read; it may lag. */
    long newest(String persistenceId);

    /** Whether Belay may move VMs by itself now, as far as this node knows. */
    boolean isArmed();

    /** Whether this node's membership sees the server. */
    boolean answers(ServerName server);

    /** This node's membership tells {@code listener} whenever the server does not answer. */
    void watch(ServerName server, ActorRef<Membership.Lost> listener);

    /** Sends the action on its way, best effort. */
    void carryOut(ServerAction action);
}
