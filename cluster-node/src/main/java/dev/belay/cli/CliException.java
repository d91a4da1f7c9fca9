package dev.belay.cli;

/** Why a command failed, and what to do about it; both for people. */
final class CliException extends RuntimeException {
    private final String hint;

    CliException(String message, String hint) {
        super(message);
        this.hint = hint;
    }

    String hint() {
        return hint;
    }
}
