package dev.belay.http;

import java.time.Duration;

/**
 * How long the endpoint waits.
 *
 * @param patience for one answer of the cluster
 * @param heartbeat between two signs of life on a quiet event stream
 */
public record Limits(Duration patience, Duration heartbeat) {
    /** A creation asks twice; both together stay below the server's own time-out. */
    public static final Limits DEFAULT = new Limits(Duration.ofSeconds(10), Duration.ofSeconds(10));
}
