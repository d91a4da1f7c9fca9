package dev.belay.vm;

import dev.belay.decision.ClusterView;
import dev.belay.decision.VmAction;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Duration;

/** What a VM's entity reaches outside of itself. */
public interface VmSurroundings {
    ServerName self();

    ClusterView view();

    /** The newest event of this persistence id that this node has read; it may lag. */
    long newest(String persistenceId);

    /** The longest lease plus margin that this node knows of (safety.md 13, 14). */
    Duration longestLeaseWait();

    /** Sends the action on its way, best effort: it is repeated until its answer comes. */
    void carryOut(VmName vm, VmAction action);
}
