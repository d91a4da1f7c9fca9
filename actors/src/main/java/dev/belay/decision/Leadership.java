package dev.belay.decision;

import dev.belay.decision.VmState.Present;
import dev.belay.model.Level;
import dev.belay.model.ServerName;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Who should lead the journal. When the server of a VM in lockstep is lost and leads, too, the
 * other one goes on only after an election; when it does not, at once. So the leader hands over to
 * a voter that runs nothing of the kind, a witness first of all, and for nothing less: each change
 * holds up the writes of a moment.
 *
 * <p>A voter that does not keep what it was handed, or does not take it, is not worth an election
 * each time: a change soon after the last one is followed by a longer rest.
 *
 * <p>Time comes in as looks at equal distances, while the node leads and while it does not. It is
 * kept by the node that hands over; another one that leads knows nothing of it.
 *
 * @param better who should lead, at the last look
 * @param looks in a row that said so
 * @param since looks since this node last handed over, or {@link #LONG_AGO}
 * @param vain how many times in a row it did so soon after the time before
 */
public record Leadership(Optional<ServerName> better, int looks, int since, int vain) {
    /** What is seen only for a moment moves nobody. */
    static final int STEADY = 10;

    /** Looks after a change until the next is thought of; for each in vain twice as many. */
    static final int REST = 60;

    /** A change is soon after another within so many of its rests. */
    static final int SOON = 10;

    /** Then a rest is an hour. */
    static final int MOST_VAIN = 6;

    private static final int LONG_AGO = SOON * (REST << MOST_VAIN);

    public static final Leadership NEW = new Leadership(Optional.empty(), 0, LONG_AGO, 0);

    /**
     * @param able it answers and has what the leader has
     * @param burden see {@link #burden}
     */
    public record Voter(ServerName name, boolean witness, boolean able, int burden) {}

    /**
     * @param handTo the voter that is to lead from here on, if any
     */
    public record Look(Leadership next, Optional<ServerName> handTo) {}

    public Look look(ServerName leader, List<Voter> voters) {
        if (since < rest()) {
            return new Look(notLeading(), Optional.empty());
        }
        var now = better(leader, voters);
        int inARow = now.isPresent() && now.equals(better) ? looks + 1 : 1;
        if (now.isEmpty() || inARow < STEADY) {
            return new Look(new Leadership(now, inARow, later(), vain), Optional.empty());
        }
        int soon = since < SOON * rest() ? Math.min(vain + 1, MOST_VAIN) : 0;
        return new Look(new Leadership(Optional.empty(), 0, 0, soon), now);
    }

    /** In place of a look, while another node leads. */
    public Leadership notLeading() {
        return new Leadership(Optional.empty(), 0, later(), vain);
    }

    private int rest() {
        return REST << vain;
    }

    private int later() {
        return Math.min(since + 1, LONG_AGO);
    }

    private static Optional<ServerName> better(ServerName leader, List<Voter> voters) {
        int burdened =
                voters.stream()
                        .filter(voter -> voter.name().equals(leader))
                        .mapToInt(Voter::burden)
                        .findFirst()
                        .orElse(0);
        return voters.stream()
                .filter(voter -> voter.able() && !voter.name().equals(leader))
                .filter(voter -> voter.burden() < burdened)
                .min(
                        Comparator.comparingInt(Voter::burden)
                                .thenComparing(voter -> !voter.witness())
                                .thenComparing(voter -> voter.name().value()))
                .map(Voter::name);
    }

    /**
     * How much it would cost to lose the node as the leader, too. 2: it runs a VM at level SYSTEM.
     * 1: it has the second copy of one, which holds up the first until the journal says who goes
     * on; or it is in maintenance, and likely to be switched off. 0: neither.
     */
    public static int burden(ServerName node, Collection<Present> vms, boolean isEmptied) {
        boolean runs =
                vms.stream()
                        .filter(vm -> vm.vm().spec().level() == Level.SYSTEM)
                        .flatMap(vm -> VmLife.right(vm).stream())
                        .anyMatch(right -> right.server().equals(node));
        boolean follows =
                vms.stream()
                        .flatMap(vm -> VmLife.secondary(vm).stream())
                        .anyMatch(right -> right.server().equals(node));
        if (runs) {
            return 2;
        }
        return follows || isEmptied ? 1 : 0;
    }
}
