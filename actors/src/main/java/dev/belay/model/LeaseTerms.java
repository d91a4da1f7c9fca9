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
    /**
     * So long after its partner's last word a half of a pair may live, whatever its lease, while
     * its node's process starts anew because that was out of the cluster. Several times what a
     * process takes to start, join, and hear its partner again; the same on every server, and long
     * enough for any clock's drift to vanish in what is waited on top.
     */
    public static final Duration KEPT = Duration.ofSeconds(20);

    private static final Duration KEPT_IS_OVER = KEPT.plusSeconds(1);

    /** After so long none of these leases is live. */
    public Duration proofWait() {
        return duration.plus(margin);
    }

    /**
     * After so long nobody lives by the word of a half that has ended.
     *
     * @param leaseWait after which no lease is live
     */
    public static Duration outliveWait(Duration leaseWait) {
        return leaseWait.compareTo(KEPT_IS_OVER) > 0 ? leaseWait : KEPT_IS_OVER;
    }

    /** As the configuration file has them. */
    public String inWords() {
        return "duration = %d ms, renew-interval = %d ms, margin = %d ms"
                .formatted(duration.toMillis(), renewal.toMillis(), margin.toMillis());
    }
}
