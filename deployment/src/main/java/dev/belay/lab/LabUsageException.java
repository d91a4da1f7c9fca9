package dev.belay.lab;

/** What was asked for is wrong in itself, whatever the lab and the machine are like. */
final class LabUsageException extends LabException {
    private static final long serialVersionUID = 1;

    LabUsageException(String message) {
        super(message);
    }
}
