package dev.belay.model;

/** Where a disk's bytes live, and so where its VM can run. */
public enum DiskKind {
    /** One file that several servers see (NFS, say). Its storage must lock: safety.md 21. */
    SHARED,
    /**
     * A fresh overlay of an image at each start, or an empty disk; what the guest writes is lost at
     * a restart.
     */
    EPHEMERAL,
    /** A file on one server: it pins the VM to that server. */
    LOCAL,
    /**
     * A file on each server that the VM runs on, kept alike by Belay while it runs in lockstep. It
     * starts only where the newest bytes are.
     */
    MIRRORED;

    /** By Belay, at a start; others exist before their VM does. */
    public boolean isMade() {
        return this == EPHEMERAL || this == MIRRORED;
    }
}
