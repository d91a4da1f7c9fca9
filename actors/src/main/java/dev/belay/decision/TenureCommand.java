package dev.belay.decision;

import dev.belay.model.Incarnation;

/** Work that the core of a server's node hands out. */
public sealed interface TenureCommand {
    /**
     * On disk before anything that follows.
     *
     * @param clean it is ended: nothing of it runs and nothing will
     */
    record Keep(Incarnation incarnation, boolean clean) implements TenureCommand {}

    /** Renew the lease of this one from here on; NONE: of none. */
    record HoldLease(Incarnation incarnation) implements TenureCommand {}

    /** Ask the server's entity to be admitted. */
    record Join(Incarnation holding, boolean clean) implements TenureCommand {}

    /** Look again for what runs here; Adopted answers. */
    record Adopt() implements TenureCommand {}

    /** Forget the replicas and kill everything; CleanDone or CleanFailed answer. */
    record Clean(Incarnation upTo) implements TenureCommand {}

    /** To the replica of that VM. */
    record Pass(VmAction order) implements TenureCommand {}
}
