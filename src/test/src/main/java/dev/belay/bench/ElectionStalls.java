package dev.belay.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How long renewals and writes of the others stall when the journal's leader is lost: three voters,
 * one process and one network namespace each.
 */
public final class ElectionStalls {
    /** How a leader is lost. */
    public enum Loss {
        /** Its process is dead: connections are reset and refused. */
        KILLED,
        /** Its packets are dropped: nothing tells that it is gone. */
        SILENT
    }

    /** The longest that a renewal and that a write took which met the loss of one leader. */
    public record Stall(Loss loss, Duration renewal, Duration write) {
        public Duration worst() {
            return renewal.compareTo(write) > 0 ? renewal : write;
        }
    }

    private static final Duration AFTER = Duration.ofMillis(4000);

    private ElectionStalls() {}

    /**
     * @param rounds of each kind of loss
     */
    public static List<Stall> measure(int rounds, Duration electionMin, Duration electionMax)
            throws IOException {
        var folder = Files.createTempDirectory("belay-stalls");
        var stalls = new ArrayList<Stall>();
        try (var lab = new VoterLab(folder, 3, electionMin, electionMax)) {
            for (int round = 0; round < 2 * rounds; round++) {
                stalls.add(lose(lab, round % 2 == 0 ? Loss.KILLED : Loss.SILENT));
            }
        }
        return stalls;
    }

    private static Stall lose(VoterLab lab, Loss loss) {
        var leader = lab.calmLeader();
        long at = System.nanoTime();
        switch (loss) {
            case KILLED -> lab.kill(leader);
            case SILENT -> lab.cut(leader);
        }
        VoterLab.pause(AFTER);
        long until = System.nanoTime();
        switch (loss) {
            case KILLED -> lab.start(leader);
            case SILENT -> lab.heal(leader);
        }
        return new Stall(
                loss,
                longest(lab, leader, "renewed", at, until),
                longest(lab, leader, "wrote", at, until));
    }

    private static Duration longest(VoterLab lab, String lost, String what, long from, long until) {
        var met =
                lab.requests().stream()
                        .filter(request -> !request.voter().equals(lost))
                        .filter(request -> request.what().equals(what))
                        .filter(request ->
                                request.asked() + request.took() > from && request.asked() < until)
                        .toList();
        for (var voter : lab.names()) {
            if (!voter.equals(lost)
                    && met.stream().noneMatch(r -> r.voter().equals(voter) && r.asked() > from)) {
                // Nothing of it came back at all.
                return AFTER;
            }
        }
        return met.stream()
                .map(request -> Duration.ofNanos(request.took()))
                .max(Duration::compareTo)
                .orElse(AFTER);
    }

    /**
     * @param arguments rounds of each kind (10), shortest and longest election time-out in ms (as
     *     in the defaults)
     */
    public static void main(String[] arguments) throws IOException {
        int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 10;
        long min = arguments.length > 1 ? Long.parseLong(arguments[1]) : 200;
        long max = arguments.length > 2 ? Long.parseLong(arguments[2]) : 400;
        var stalls = measure(rounds, Duration.ofMillis(min), Duration.ofMillis(max));
        System.out.println("loss    renewal ms  write ms");
        for (var stall : stalls) {
            System.out.printf(
                    Locale.ROOT,
                    "%-7s %10d %9d%n",
                    stall.loss().name().toLowerCase(Locale.ROOT),
                    stall.renewal().toMillis(),
                    stall.write().toMillis());
        }
    }
}
