package dev.belay.qemu;

/**
 * How much of a lease is given away for the time that the kernel may take to hear of it: twice what
 * it took last, under load more than on a quiet machine. All in nanoseconds. Not thread-safe.
 */
final class KernelDelay {
    private final long margin;
    private long last;

    /**
     * @param margin the least that is given away
     */
    KernelDelay(long margin) {
        this.margin = margin;
    }

    /**
     * Whoever tells the kernel looks afterwards whether this was enough. So one long stall is
     * forgotten when nothing would be left of a lease: else nobody would ever try again, and find
     * that it is over.
     *
     * @param left the longest that anything may stay open
     */
    long allowance(long left) {
        var careful = Math.max(margin, 2 * last);
        return careful < left ? careful : margin;
    }

    void took(long duration) {
        last = duration;
    }
}
