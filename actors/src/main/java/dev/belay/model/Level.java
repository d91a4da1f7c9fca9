package dev.belay.model;

/** How far a VM is protected. A property of the VM that may change while it runs. */
public enum Level {
    /** Restarted here or on another server. */
    RESTART,
    /** A failing disk or uplink goes unnoticed; a failing server means a restart elsewhere. */
    COMPONENT,
    /** A failing server goes unnoticed: the VM runs on two servers in lockstep. */
    SYSTEM
}
