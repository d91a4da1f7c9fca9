package dev.belay.explore;

/** A law of {@link Laws} does not hold; the message says which and how. */
final class Broken extends RuntimeException {
    Broken(String message) {
        super(message);
    }
}
