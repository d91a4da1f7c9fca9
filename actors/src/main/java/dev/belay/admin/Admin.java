package dev.belay.admin;

import dev.belay.cluster.JournalFeed;
import dev.belay.decision.ClusterInput;
import dev.belay.decision.ClusterState;
import dev.belay.decision.ClusterView;
import dev.belay.decision.Decision.Reason;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmState;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.LockstepFigures;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** What the endpoint talks to. Every node has one, and any node's answers for any VM. */
public interface Admin {
    /**
     * How a request ended, and what holds now. A stage that fails instead means: outcome unknown,
     * look before you repeat it.
     */
    sealed interface Outcome<S> {
        record Done<S>(S state) implements Outcome<S> {}

        record Refused<S>(Reason reason, String message) implements Outcome<S> {}
    }

    /**
     * One node as this node sees it.
     *
     * @param role {@code server} or {@code witness}
     * @param state {@code up}, {@code quarantined}, {@code unreachable}, {@code frozen}, {@code
     *     out-of-reach}, {@code fencing}, {@code fenced}, {@code absent} (configured, never joined)
     * @param server what the journal knows; empty for a witness and for a server that was never
     *     admitted
     */
    record NodeInfo(
            ServerName name,
            String role,
            String address,
            String api,
            boolean voter,
            boolean reachable,
            String state,
            Optional<ServerState> server,
            List<VmName> vms) {}

    /**
     * @param ready joined the cluster, journal answers, and admitted when it is a server; otherwise
     *     {@code why} says what is missing
     */
    record Readiness(boolean ready, String why, ServerName node, Optional<String> journalLeader) {}

    /** Carries a user's request to the VM's entity. */
    CompletionStage<Outcome<VmState>> request(VmName vm, VmInput.Request request);

    /** Carries an operator's request to the server's entity. */
    CompletionStage<Outcome<NodeInfo>> request(ServerName server, ServerInput.Request request);

    /**
     * Lets a node that lost its copy of the journal begin a new one. Until it has what the others
     * have, the journal does without it.
     */
    CompletionStage<Outcome<NodeInfo>> readmit(ServerName node);

    /** Carries an operator's request to the cluster's entity. */
    CompletionStage<Outcome<ClusterState>> request(ClusterInput.Request request);

    /** From this node's copy of the journal. */
    ClusterState cluster();

    /**
     * What each server that answers has against running this spec (empty list: nothing). Empty map:
     * no server answers.
     */
    CompletionStage<Map<ServerName, List<String>>> check(VmSpec spec);

    /**
     * A VM as its entity knows it; as this node's copy of the journal does when the entity does not
     * answer in time.
     *
     * @param current its entity answered, and the journal has a leader. Otherwise other nodes may
     *     have decided more since: this one may be cut off from them
     */
    record Shown(VmState state, boolean current) {}

    CompletionStage<Shown> show(VmName vm);

    /**
     * What lockstep costs the VM, from the server on which it runs first; empty when it is not in
     * lockstep or that server does not answer soon.
     */
    CompletionStage<Optional<LockstepFigures>> lockstep(VmState.Present vm);

    /** What it costs the VMs that run here first. */
    List<LockstepFigures> lockstepHere();

    /** All VMs from this node's copy of the journal, by name. */
    List<VmState.Present> vms();

    List<NodeInfo> nodes();

    ClusterView view();

    JournalFeed feed();

    Readiness readiness();
}
