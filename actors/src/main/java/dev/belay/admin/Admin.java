package dev.belay.admin;

import dev.belay.cluster.JournalFeed;
import dev.belay.decision.ClusterView;
import dev.belay.decision.Decision.Reason;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmState;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** What the endpoint talks to. Every node has one, and any node's answers for any VM. */
public interface Admin {
    /**
     * How a request ended. A stage that fails instead means: outcome unknown, look before you
     * repeat it.
     */
    sealed interface Outcome {
        record Done(VmState state) implements Outcome {}

        record Refused(Reason reason, String message) implements Outcome {}
    }

    /**
     * One node as this node sees it.
     *
     * @param role {@code server} or {@code witness}
     * @param state {@code up}, {@code unreachable}, {@code fencing}, {@code fenced}, {@code absent}
     *     (configured, never joined)
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
    CompletionStage<Outcome> request(VmName vm, VmInput.Request request);

    /**
     * What each server that answers has against running this spec (empty list: nothing). Empty map:
     * no server answers.
     */
    CompletionStage<Map<ServerName, List<String>>> check(VmSpec spec);

    /**
     * From the VM's entity; from this node's copy of the journal when the entity does not answer in
     * time.
     */
    CompletionStage<VmState> show(VmName vm);

    /** All VMs from this node's copy of the journal, by name. */
    List<VmState.Present> vms();

    List<NodeInfo> nodes();

    ClusterView view();

    JournalFeed feed();

    Readiness readiness();
}
