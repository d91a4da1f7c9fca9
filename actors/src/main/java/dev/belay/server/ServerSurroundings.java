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

    FenceAgent fenceAgent();

    /** This node's membership tells {@code listener} whenever the server does not answer. */
    void watch(ServerName server, ActorRef<Membership.Lost> listener);

    /** Sends the action on its way, best effort. */
    void carryOut(ServerAction action);
}
