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
 * <p>Time comes in as looks at equal distances. It is kept by the node that leads; a new leader
 * begins anew.
 *
 * @param better who should lead, at the last look
 * @param looks in a row that said so
 * @param rest looks until the next change is thought of
 */
public record Leadership(Optional<ServerName> better, int looks, int rest) {
    /** What is seen only for a moment moves nobody. */
    static final int STEADY = 10;

    /** After a change that came to nothing. */
    static final int REST = 60;

    public static final Leadership NEW = new Leadership(Optional.empty(), 0, 0);

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
        if (rest > 0) {
            return new Look(new Leadership(Optional.empty(), 0, rest - 1), Optional.empty());
        }
        var now = better(leader, voters);
        int inARow = now.isPresent() && now.equals(better) ? looks + 1 : 1;
        if (now.isEmpty() || inARow < STEADY) {
            return new Look(new Leadership(now, inARow, 0), Optional.empty());
        }
        return new Look(new Leadership(Optional.empty(), 0, REST), now);
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
