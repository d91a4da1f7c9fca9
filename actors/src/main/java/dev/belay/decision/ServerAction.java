package dev.belay.decision;

import dev.belay.decision.ServerState.Server;
import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Duration;
import java.util.Optional;

/**
 * Work that a server's entity hands out. Every action is idempotent: it is sent again after a
 * restart.
 */
public sealed interface ServerAction {
    /** To the server's node: you are in, with this incarnation. */
    record Welcome(Server server) implements ServerAction {}

    /**
     * To the server's node: kill what incarnations up to this one left, then ask again as its
     * successor.
     *
     * @param fenced otherwise a node that holds {@code upTo} need not: its own join is on the way
     */
    record TellClean(ServerName server, Incarnation upTo, boolean fenced) implements ServerAction {}

    /**
     * Wait until no lease of this incarnation can be live, from now on, then say LeaseWaited.
     *
     * @param length empty: the journal does not say which terms its leases had, so for as long as
     *     the longest that the waiter knows of
     */
    record AwaitLease(Incarnation incarnation, Optional<Duration> length) implements ServerAction {
        /** Whoever waits may have other terms in its configuration, and an old copy of ours. */
        static AwaitLease of(Server server) {
            return new AwaitLease(server.incarnation(), server.terms().map(LeaseTerms::proofWait));
        }
    }

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
