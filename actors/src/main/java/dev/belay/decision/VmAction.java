package dev.belay.decision;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmSpec;
import java.time.Duration;

/**
 * Work that a VM's entity hands out. Every action is idempotent: it is sent again until its answer
 * came.
 */
public sealed interface VmAction {
    /** To the server's entity. */
    record Reserve(ServerName server, Epoch epoch, int memoryMiB) implements VmAction {}

    /** To the server's entity: nothing of the VM runs there with an epoch up to this one. */
    record Release(ServerName server, Epoch upTo) implements VmAction {}

    /** To the server's entity: does this incarnation still hold? */
    record AskStanding(ServerName server, Incarnation incarnation) implements VmAction {}

    /** To the server. */
    record StartReplica(RunRight right, VmSpec spec) implements VmAction {}

    /** To the server: end this right and every older one. */
    record StopReplica(RunRight right, boolean kill) implements VmAction {}

    /** To the server: does this replica still run? */
    record Confirm(RunRight right) implements VmAction {}

    /** Say BackOffOver for this epoch after {@code pause}. */
    record WakeAfter(Duration pause, Epoch epoch) implements VmAction {}

    /** Say Insist for this epoch after {@code patience}. */
    record InsistAfter(Duration patience, Epoch epoch) implements VmAction {}

    /** Say Settled for this epoch after {@code run}. */
    record SettleAfter(Duration run, Epoch epoch) implements VmAction {}
}
