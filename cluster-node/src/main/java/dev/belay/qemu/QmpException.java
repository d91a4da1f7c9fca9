package dev.belay.qemu;

/** A QMP command that did not succeed. The message says which and why. */
public final class QmpException extends RuntimeException {
    /** What is known about the command's effect. */
    public enum Kind {
        /** QEMU refused it: it had no effect. */
        REFUSED,
        /** No reply in time: it may take effect yet. */
        TIMED_OUT,
        /** The connection is gone: it may have taken effect. */
        LOST,
        /** Never sent. */
        NOT_SENT
    }

    private final Kind kind;
    private final String errorClass;
    private final String description;

    private QmpException(Kind kind, String errorClass, String description, String message) {
        super(message);
        this.kind = kind;
        this.errorClass = errorClass;
        this.description = description;
    }

    static QmpException refused(String command, String errorClass, String description) {
        return new QmpException(
                Kind.REFUSED,
                errorClass,
                description,
                command + " was refused: " + description + " (" + errorClass + ")");
    }

    static QmpException of(Kind kind, String command, String why) {
        return new QmpException(kind, "", why, command + ": " + why);
    }

    public Kind kind() {
        return kind;
    }

    /** QMP's error class, {@code GenericError} mostly; empty when QEMU did not answer. */
    public String errorClass() {
        return errorClass;
    }

    /** QEMU's own words, or why there are none. */
    public String description() {
        return description;
    }
}
