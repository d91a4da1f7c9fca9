package dev.belay.model;

/** What the user wants of a VM. */
public enum Desired {
    RUNNING,
    STOPPED
}
