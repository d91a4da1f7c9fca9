package dev.belay.decision;

import java.time.Duration;

/**
 * Whether the other server of a pair is still heard, as one of the two counts it, on its own clock
 * that never jumps. Silence proves nothing: it lets this one ask whether it may go on alone.
 *
 * @param heard when the other was heard last
 * @param looked when this was looked at last
 * @param told that it is silent
 */
public record PairSilence(Duration heard, Duration looked, boolean told) {
    /**
     * @param silent the other has just fallen silent
     */
    public record Look(PairSilence next, boolean silent) {}

    public static PairSilence from(Duration now) {
        return new PairSilence(now, now, false);
    }

    public PairSilence heardAt(Duration now) {
        return new PairSilence(now, looked, false);
    }

    /**
     * Whoever did not look for long was away itself: what came meanwhile is still in its queue, so
     * it counts afresh.
     */
    public Look look(Duration now, Duration limit) {
        if (now.minus(looked).compareTo(limit.dividedBy(2)) > 0) {
            return new Look(new PairSilence(now, now, told), false);
        }
        boolean silent = now.minus(heard).compareTo(limit) > 0;
        return new Look(new PairSilence(heard, now, told || silent), silent && !told);
    }
}
