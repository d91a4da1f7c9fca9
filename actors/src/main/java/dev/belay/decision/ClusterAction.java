package dev.belay.decision;

/** Work that the cluster's entity hands out. */
public sealed interface ClusterAction {
    /** Say TimeOver for this number when what is left of it is over. */
    record AwaitEnd(long number, Disarming disarm) implements ClusterAction {}
}
