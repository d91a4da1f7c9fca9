package dev.belay.decision;

import dev.belay.model.Incarnation;

/** What the core of a server's node is told. */
public sealed interface TenureInput {
    /** The hypervisor knows what runs. */
    record Adopted() implements TenureInput {}

    /** It is time to ask again. */
    record Tick() implements TenureInput {}

    /** From the server's entity. */
    record Welcome(Incarnation incarnation) implements TenureInput {}

    /**
     * From the server's entity: end what incarnations up to this one left.
     *
     * @param fenced otherwise a node that serves it need not: its own join is on the way
     */
    record MustClean(Incarnation upTo, boolean fenced) implements TenureInput {}

    /** Nothing that Belay started runs here any more. */
    record CleanDone() implements TenureInput {}

    /** Something may still run. */
    record CleanFailed() implements TenureInput {}

    /** The quorum says that this incarnation has no lease any more. */
    record LeaseRefused(Incarnation incarnation) implements TenureInput {}

    /** From a VM's entity: a start, a stop or a question. */
    record Ordered(VmAction order) implements TenureInput {}
}
