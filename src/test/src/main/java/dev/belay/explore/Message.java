package dev.belay.explore;

import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerState;
import dev.belay.decision.TenureInput;
import dev.belay.decision.VmInput;
import dev.belay.model.Incarnation;
import java.util.List;

/** Something on its way. Servers and VMs by their number in {@link Setup}. */
sealed interface Message {
    record ToVm(int vm, VmInput input) implements Message {}

    record ToServer(int server, ServerInput input) implements Message {}

    record ToNode(int server, TenureInput input) implements Message {}

    record Welcome(int server, ServerState.Server admitted) implements Message {}

    /**
     * The journal's answer to a server that asked for its lease.
     *
     * @param sent when it asked, on its own clock
     */
    record LeaseReply(int server, Incarnation incarnation, boolean granted, int sent)
            implements Message {}

    /** An append that its writer has given up, and that may still be stored. */
    record LateAppend(Pid pid, int base, List<Object> events) implements Message {}

    /** A persistence id. */
    record Pid(boolean vm, int index) {}

    /**
     * @param from the node that sent it
     */
    record Envelope(int id, int from, Message message) {}
}
