package dev.belay.decision;

/** How far a VM is on its way into lockstep. */
public enum RaiseStage {
    /** The secondary gets a copy of each disk while the guest runs. */
    DISKS,
    /** The secondary gets the guest's memory while the guest runs. */
    MEMORY,
    /** The guest is paused for a moment, and goes on on both. */
    LOCKSTEP
}
