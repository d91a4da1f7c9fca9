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

    /**
     * The longest that a renewal and that a write took which met the loss of one leader.
     *
     * @param fsync the median of a bare one on that disk meanwhile
     * @param longestWait the longest that anybody on this machine had to wait for a processor or
     *     the disk
     * @param isMachineUsual whether these two are as the product takes them to be
     */
    public record Stall(
            Loss loss,
            Duration renewal,
            Duration write,
            Duration fsync,
            Duration longestWait,
            boolean isMachineUsual) {
        public Duration worst() {
            return renewal.compareTo(write) > 0 ? renewal : write;
        }
    }

    /**
     * @param said the newest lines of the voters' logs
     */
    public record Report(List<Stall> stalls, List<String> said) {}

    private static final Duration AFTER = Duration.ofMillis(4000);

    private ElectionStalls() {}

    /**
     * @param rounds of each kind of loss
     */
    public static Report measure(int rounds, Duration electionMin, Duration electionMax)
            throws IOException {
        var folder = Files.createTempDirectory("belay-stalls");
        var stalls = new ArrayList<Stall>();
        try (var waits = new MachineWaits(folder);
                var lab = new VoterLab(folder, 3, electionMin, electionMax)) {
            for (int round = 0; round < 2 * rounds; round++) {
                stalls.add(lose(lab, waits, round % 2 == 0 ? Loss.KILLED : Loss.SILENT));
            }
            return new Report(stalls, lab.said());
        }
    }

    private static Stall lose(VoterLab lab, MachineWaits waits, Loss loss) {
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
        var machine = waits.between(at, until);
        return new Stall(
                loss,
                longest(lab, leader, "renewed", at, until),
                longest(lab, leader, "wrote", at, until),
                machine.fsync(),
                machine.longest(),
                machine.areUsual());
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
        var stalls = measure(rounds, Duration.ofMillis(min), Duration.ofMillis(max)).stalls();
        System.out.println("loss    renewal ms  write ms  bare fsync ms  longest wait ms");
        for (var stall : stalls) {
            System.out.printf(
                    Locale.ROOT,
                    "%-7s %10d %9d %14.1f %16d%n",
                    stall.loss().name().toLowerCase(Locale.ROOT),
                    stall.renewal().toMillis(),
                    stall.write().toMillis(),
                    stall.fsync().toNanos() / 1e6,
                    stall.longestWait().toMillis());
        }
    }
}
