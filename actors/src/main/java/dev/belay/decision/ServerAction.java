package dev.belay.decision;

import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;

/**
 * Work that a server's entity hands out. Every action is idempotent: it is sent again after a
 * restart.
 */
public sealed interface ServerAction {
    /** To the server's node: you are in, with this incarnation. */
    record Welcome(ServerName server, Incarnation incarnation) implements ServerAction {}

    /**
     * To the server's node: kill what incarnations up to this one left, then ask again as its
     * successor.
     *
     * @param fenced otherwise a node that holds {@code upTo} need not: its own join is on the way
     */
    record TellClean(ServerName server, Incarnation upTo, boolean fenced) implements ServerAction {}

    /** Wait until no lease of this incarnation can be live, from now on, then say LeaseWaited. */
    record AwaitLease(Incarnation incarnation) implements ServerAction {}

    /** Run the server's fence agent if it has one, then say AgentAnswered. */
    record CallFenceAgent(ServerName server, Incarnation incarnation) implements ServerAction {}

    /** Whatever the fence agent has not done yet to this server it shall not do any more. */
    record CallOffFenceAgent(ServerName server) implements ServerAction {}

    /** Say LossAged when the window is over, counted from now. */
    record AgeLoss(long number) implements ServerAction {}

    /** Say CooledDown when the cool-down is over, counted from now. */
    record CoolDown(Incarnation incarnation) implements ServerAction {}

    record TellVm(VmName vm, VmInput news) implements ServerAction {}
}
