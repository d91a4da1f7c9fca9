package dev.belay.lab;

import java.util.Locale;

/** How the fence agents of a lab's servers behave. */
public enum Fence {
    /** There are none. */
    OFF,
    /** They cut the server's power, as {@code lab kill} does, and say so at once. */
    WORKS,
    /** They never answer. */
    HANGS,
    /** They say that the server is off, and leave it alone. */
    LIES,
    /** Their program does not exist. */
    MISSING;

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
