package dev.belay.persistence.raft;

/** The journal did not do what it was asked. */
public sealed class JournalException extends RuntimeException {
    JournalException(String message) {
        super(message);
    }

    JournalException(String message, Throwable cause) {
        super(message, cause);
    }

    /**
     * No answer in time. The write may have been stored, may be stored yet, or never: only a replay
     * tells.
     */
    public static final class OutcomeUnknown extends JournalException {
        OutcomeUnknown(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** No quorum answered a read in time. Nothing is known. */
    public static final class Unavailable extends JournalException {
        Unavailable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The sequence number is taken: another writer of this entity was faster. Nothing stored. */
    public static final class SequenceConflict extends JournalException {
        SequenceConflict(String message) {
            super(message);
        }
    }

    /** A guard of the event does not hold (safety.md 3). Nothing stored. */
    public static final class GuardRefused extends JournalException {
        GuardRefused(String message) {
            super(message);
        }
    }

    /** The request can not be stored or understood, now or later. Nothing stored. */
    public static final class Refused extends JournalException {
        Refused(String message) {
            super(message);
        }
    }
}
