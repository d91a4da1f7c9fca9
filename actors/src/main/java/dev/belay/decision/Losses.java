package dev.belay.decision;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * How often a server was lost, as far as it counts. Time comes in from outside: somebody says that
 * a loss is an hour old, or that the server has been up for long enough.
 *
 * @param count of all losses ever; each is known by its number, from 1
 * @param recent numbers of those that are not old yet, oldest first, at most {@link #LIMIT}
 * @param quarantined lost so often in a short time that it gets no new VMs
 */
public record Losses(long count, List<Long> recent, boolean quarantined) {
    /** So many losses within the window put a server into quarantine. */
    public static final int LIMIT = 3;

    public static final Duration WINDOW = Duration.ofHours(1);

    public static final Losses NONE = new Losses(0, List.of(), false);

    public Losses {
        recent = List.copyOf(recent);
    }

    Losses plus(long number) {
        var more = new ArrayList<>(recent);
        more.add(number);
        return new Losses(
                number, more.subList(Math.max(0, more.size() - LIMIT), more.size()), quarantined);
    }

    Losses without(long number) {
        return new Losses(
                count, recent.stream().filter(loss -> loss != number).toList(), quarantined);
    }

    Losses inQuarantine() {
        return new Losses(count, recent, true);
    }

    Losses forgiven() {
        return new Losses(count, List.of(), false);
    }
}
