package dev.belay.http;

import dev.belay.decision.Failover;
import dev.belay.decision.VmState.Vm;
import dev.belay.model.ServerName;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The report of one failover, as a timeline.
 *
 * @param startedAt when the first sign was seen
 * @param totalMs from then to the VM running again; null until then
 */
record FailoverView(
        int number,
        String cause,
        ServerName from,
        Optional<ServerName> to,
        Instant startedAt,
        Optional<Instant> endedAt,
        Optional<Long> totalMs,
        List<StepView> steps) {

    /**
     * @param afterMs since the first sign. Wall clocks of several nodes: good for reading, no proof
     *     of order
     * @param tookMs null when it has no duration
     */
    record StepView(Instant at, long afterMs, String where, String what, Optional<Long> tookMs) {}

    /** Newest last, the one in progress included. */
    static List<FailoverView> all(Vm vm) {
        return Stream.concat(vm.reports().stream(), vm.failover().stream())
                .map(FailoverView::of)
                .toList();
    }

    static FailoverView of(Failover failover) {
        // Signs are seen before the failover begins and are reported after.
        var first =
                failover.steps().stream()
                        .map(Failover.Step::at)
                        .filter(at -> at.isBefore(failover.startedAt()))
                        .min(Comparator.naturalOrder())
                        .orElse(failover.startedAt());
        var steps =
                failover.steps().stream()
                        .sorted(Comparator.comparing(Failover.Step::at))
                        .map(step ->
                                new StepView(
                                        step.at(),
                                        between(first, step.at()),
                                        step.where(),
                                        step.what(),
                                        Optional.of(step.tookMs()).filter(ms -> ms >= 0)))
                        .toList();
        return new FailoverView(
                failover.number(),
                failover.cause(),
                failover.from(),
                failover.to(),
                first,
                failover.endedAt(),
                failover.endedAt().map(end -> between(first, end)),
                steps);
    }

    private static long between(Instant from, Instant to) {
        return Duration.between(from, to).toMillis();
    }
}
