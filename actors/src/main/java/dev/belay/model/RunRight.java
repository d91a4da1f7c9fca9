package dev.belay.model;

/**
 * The right to run one VM: whoever holds the newest epoch in the journal may run it, nobody else
 * (safety.md 1).
 */
public record RunRight(VmName vm, Epoch epoch, ServerName server, Incarnation incarnation) {
    @Override
    public String toString() {
        return vm + " " + epoch + " on " + server + incarnation;
    }
}
