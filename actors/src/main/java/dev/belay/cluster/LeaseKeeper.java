package dev.belay.cluster;

import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews this server's lease on a thread of its own, over the journal alone: it works before the
 * cluster is joined and when actors are busy. A grant counts from the moment its request was sent
 * (safety.md 8). Nothing survives the process; the leashes do.
 */
public final class LeaseKeeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LeaseKeeper.class);
    private static final int MOST_IN_FLIGHT = 4;
    private static final long NANOS_PER_MILLI = 1_000_000;

    /**
     * Who hears of grants: extends leashes and opens output until {@code deadline}, on
     * CLOCK_BOOTTIME in nanoseconds.
     */
    @FunctionalInterface
    public interface Extender {
        void extend(Incarnation incarnation, long deadline);
    }

    private final ServerName server;
    private final LeaseAuthority authority;
    private final LongSupplier bootNanos;
    private final Duration duration;
    private final Duration interval;
    private final Extender extender;
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform()
                            .name("lease-keeper")
                            .daemon()
                            .priority(Thread.MAX_PRIORITY)
                            .factory());
    private final AtomicInteger inFlight = new AtomicInteger();
    private volatile Incarnation held = Incarnation.NONE;
    private volatile long liveUntil = Long.MIN_VALUE;
    private volatile Consumer<Incarnation> onFenced = _ -> {};

    public LeaseKeeper(
            ServerName server,
            LeaseAuthority authority,
            LongSupplier bootNanos,
            Duration duration,
            Duration interval,
            Extender extender) {
        this.server = server;
        this.authority = authority;
        this.bootNanos = bootNanos;
        this.duration = duration;
        this.interval = interval;
        this.extender = extender;
    }

    public void start() {
        timer.scheduleAtFixedRate(this::renew, 0, interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** From here on the lease of this incarnation is renewed; NONE: no lease. */
    public synchronized void hold(Incarnation incarnation) {
        if (!held.equals(incarnation)) {
            liveUntil = Long.MIN_VALUE;
            held = incarnation;
            timer.execute(this::renew);
        }
    }

    public Incarnation held() {
        return held;
    }

    public boolean isLive() {
        return bootNanos.getAsLong() < liveUntil;
    }

    /** How long the lease is still live; 0: it is not. */
    public long liveMillis() {
        long until = liveUntil;
        return until == Long.MIN_VALUE
                ? 0
                : Math.max(0, (until - bootNanos.getAsLong()) / NANOS_PER_MILLI);
    }

    /** On CLOCK_BOOTTIME, in nanoseconds. */
    public long now() {
        return bootNanos.getAsLong();
    }

    /** Until when holds what was asked for then, as for a grant (safety.md 8). */
    public long until(long sent) {
        return sent + duration.toNanos();
    }

    /**
     * Called, on any thread, each time the quorum says that the held incarnation has no lease any
     * more.
     */
    public void onFenced(Consumer<Incarnation> listener) {
        onFenced = listener;
    }

    private void renew() {
        var incarnation = held;
        if (incarnation.equals(Incarnation.NONE) || inFlight.get() >= MOST_IN_FLIGHT) {
            return;
        }
        inFlight.incrementAndGet();
        long sent = bootNanos.getAsLong();
        try {
            authority
                    .renew(server, incarnation)
                    .whenComplete((verdict, failure) -> {
                        inFlight.decrementAndGet();
                        answered(incarnation, sent, verdict, failure);
                    });
        } catch (RuntimeException e) {
            inFlight.decrementAndGet();
            LOG.warn("could not ask for the lease of {}{}", server, incarnation, e);
        }
    }

    private synchronized void answered(
            Incarnation incarnation,
            long sent,
            LeaseAuthority.@org.jspecify.annotations.Nullable Verdict verdict,
            @org.jspecify.annotations.Nullable Throwable failure) {
        if (failure != null || verdict == null) {
            LOG.info(
                    "no quorum granted the lease of {}{}: {}",
                    server,
                    incarnation,
                    String.valueOf(failure));
            return;
        }
        if (!incarnation.equals(held)) {
            return;
        }
        switch (verdict) {
            case GRANTED -> {
                long deadline = sent + duration.toNanos();
                if (liveUntil == Long.MIN_VALUE) {
                    LOG.info("the lease of {}{} is granted", server, incarnation);
                }
                liveUntil = Math.max(liveUntil, deadline);
                extender.extend(incarnation, deadline);
            }
            case FENCED, UNKNOWN -> {
                LOG.warn("the lease of {}{} is refused: {}", server, incarnation, verdict);
                hold(Incarnation.NONE);
                onFenced.accept(incarnation);
            }
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
