package dev.belay.model;

import java.time.Duration;

/**
 * What all servers of a cluster must agree on about leases: one counts how long its own lasts, and
 * another one how long it waits for that. So the journal keeps with each server which ones it has.
 *
 * @param margin waited on top of the duration before a lease counts as over: the drift of two
 *     clocks over it, and something for safety
 */
public record LeaseTerms(Duration duration, Duration renewal, Duration margin) {
    /** After so long none of these leases is live. */
    public Duration proofWait() {
        return duration.plus(margin);
    }

    /** As the configuration file has them. */
    public String inWords() {
        return "duration = %d ms, renew-interval = %d ms, margin = %d ms"
                .formatted(duration.toMillis(), renewal.toMillis(), margin.toMillis());
    }
}
