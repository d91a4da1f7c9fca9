package dev.belay.qemu;

import dev.belay.decision.CheckpointPace;
import dev.belay.replica.Hypervisor.HypervisorException;
import dev.belay.replica.LockstepFigures;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures what lockstep costs one VM, on its primary, and sets the delay between checkpoints as
 * {@link CheckpointPace} says. Looking blocks, and is done by one thread at a time.
 */
final class Governor {
    private static final Logger log = LoggerFactory.getLogger(Governor.class);
    static final Duration EVERY = Duration.ofSeconds(5);
    private static final Duration SS_LIMIT = Duration.ofSeconds(2);
    private static final Duration CHECKPOINT_LIMIT = Duration.ofSeconds(1);
    private static final Pattern SENT = Pattern.compile("bytes_sent:(\\d+)");

    private final Replica replica;
    private final PairQmp qmp;
    private final PairSettings settings;
    private final PairState at;
    private final Checkpoints checkpoints;

    /** Held while the delay is set. */
    private final Object setting = new Object();

    private Optional<CheckpointPace> pace = Optional.empty();
    private long lookedAt = System.nanoTime();
    private long decidedAt = lookedAt;
    private long countThen;
    private OptionalLong firstSent = OptionalLong.empty();
    private OptionalLong sentThen = OptionalLong.empty();
    private volatile Optional<LockstepFigures> figures = Optional.empty();

    Governor(
            Replica replica,
            PairQmp qmp,
            PairSettings settings,
            PairState at,
            Checkpoints checkpoints) {
        this.replica = replica;
        this.qmp = qmp;
        this.settings = settings;
        this.at = at;
        this.checkpoints = checkpoints;
    }

    /**
     * What is counted here as of now, the rest as of the last look; empty before the first. Any
     * thread.
     */
    Optional<LockstepFigures> figures() {
        return figures.map(seen ->
                seen.counting(
                        checkpoints.count(), checkpoints.diverged(), checkpoints.pausedMillis()));
    }

    void look() {
        if (pace.isEmpty()) {
            begin();
            return;
        }
        var now = pace.get();
        var seen = checkpoints.seenSince(decidedAt);
        var next = now.next(seen, budget(), settings.bounds());
        tell(next.delay());
        if (seen.checkpoints() >= CheckpointPace.FEWEST) {
            decidedAt = System.nanoTime();
        }
        if (!next.delay().equals(now.delay())) {
            log.info(
                    "{} passes a checkpoint every {} ms from now on, {} ms until now: they paused it for {} ms lately, {} of {} were asked for, and its budget is {} ms",
                    replica.right(),
                    next.delay().toMillis(),
                    now.delay().toMillis(),
                    seen.pause().toMillis(),
                    seen.asked(),
                    seen.checkpoints(),
                    budget().toMillis());
            // When it cannot be set, what it is now is looked up anew.
            pace = Optional.empty();
            synchronized (setting) {
                checkpoints.delayIs(next.delay());
                set(qmp, next.delay());
            }
        }
        pace = Optional.of(next);
    }

    /** Fails when they do not within the limit. Any thread. Blocks. */
    void passCheckpoint() {
        var before = checkpoints.count();
        var begun = System.nanoTime();
        var quick = qmp.within(CHECKPOINT_LIMIT);
        synchronized (setting) {
            checkpoints.isAskedFor();
            set(quick, delay(quick));
        }
        // One that was under way had stopped the guest before, so it will do.
        if (!PairQmp.await(CHECKPOINT_LIMIT, () -> checkpoints.count() > before)) {
            throw new HypervisorException(
                    replica.right()
                            + " and its second one have not passed a checkpoint within "
                            + CHECKPOINT_LIMIT.toMillis()
                            + " ms.",
                    false);
        }
        log.info(
                "{} passed a checkpoint, as asked, within {} ms",
                replica.right(),
                (System.nanoTime() - begun) / 1_000_000);
    }

    private static Duration delay(PairQmp qmp) {
        return Duration.ofMillis(
                qmp.run("query-migrate-parameters").path("x-checkpoint-delay").asLong());
    }

    /** QEMU passes a checkpoint at once then, also when it is what it was. */
    private static void set(PairQmp qmp, Duration delay) {
        qmp.run(
                "migrate-set-parameters",
                QmpClient.arguments().put("x-checkpoint-delay", delay.toMillis()));
    }

    /** An earlier process of the node may have changed it. */
    private void begin() {
        var delay = delay(qmp);
        pace = Optional.of(CheckpointPace.of(delay));
        checkpoints.delayWas(delay);
        tell(delay);
    }

    private Duration budget() {
        return replica.manifest()
                .spec()
                .latencyBudgetMillis()
                .map(Duration::ofMillis)
                .orElse(settings.latencyBudget());
    }

    private void tell(Duration delay) {
        var seen = checkpoints.seenSince(lookedAt);
        var now = System.nanoTime();
        var count = checkpoints.count();
        var sent = sent();
        if (firstSent.isEmpty()) {
            firstSent = sent;
        }
        var passed = count - countThen;
        figures =
                Optional.of(
                        new LockstepFigures(
                                replica.right().vm(),
                                count,
                                checkpoints.diverged(),
                                checkpoints.pausedMillis(),
                                between(firstSent, sent),
                                Math.round(passed * 10e9 / (now - lookedAt)) / 10.0,
                                seen.pause().toMillis(),
                                checkpoints.longestMillisSince(lookedAt),
                                passed == 0
                                        ? Optional.empty()
                                        : between(sentThen, sent).map(bytes -> bytes / passed),
                                delay.toMillis(),
                                budget().toMillis()));
        lookedAt = now;
        countThen = count;
        sentThen = sent;
    }

    private static Optional<Long> between(OptionalLong before, OptionalLong after) {
        return before.isPresent() && after.isPresent()
                ? Optional.of(after.getAsLong() - before.getAsLong())
                : Optional.empty();
    }

    /** QEMU does not tell it while in lockstep; the kernel knows of the connection. */
    private OptionalLong sent() {
        var to = PairCommand.endpoint(at.at().host(), at.at().migration());
        var result = Tool.run(SS_LIMIT, List.of("ss", "-tinH", "dst", to));
        var found = SENT.matcher(result.output());
        var total = OptionalLong.empty();
        while (found.find()) {
            total = OptionalLong.of(total.orElse(0) + Long.parseLong(found.group(1)));
        }
        return total;
    }
}
