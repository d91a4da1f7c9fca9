package dev.belay.lab;

/**
 * The lab could not do what it was asked. The message is for the person at the terminal: what
 * happened, and what to do about it where that is known.
 */
public class LabException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public LabException(String message) {
        super(message);
    }

    public LabException(String message, Throwable cause) {
        super(message, cause);
    }
}
