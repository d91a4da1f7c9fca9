package dev.belay.decision;

import dev.belay.model.ServerName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The report of one failover, growing while it goes on.
 *
 * @param number counts a VM's failovers from 1
 * @param to the server that took over; empty until one has
 * @param endedAt when the VM ran again; empty until then, or when it was not wanted any more
 */
public record Failover(
        int number,
        String cause,
        ServerName from,
        Optional<ServerName> to,
        Instant startedAt,
        Optional<Instant> endedAt,
        List<Step> steps) {

    /**
     * @param where the node that saw, decided or did it
     * @param tookMs how long an effect took, measured there; -1 when it has no duration
     */
    public record Step(Instant at, String where, String what, long tookMs) {}

    public Failover {
        steps = List.copyOf(steps);
    }

    Failover with(List<Step> more) {
        var all = new ArrayList<>(steps);
        all.addAll(more);
        return new Failover(number, cause, from, to, startedAt, endedAt, all);
    }

    Failover ended(ServerName server, Instant at) {
        return new Failover(
                number, cause, from, Optional.of(server), startedAt, Optional.of(at), steps);
    }
}
