package dev.belay.explore;

import dev.belay.decision.VmLife;
import dev.belay.decision.VmState;
import dev.belay.explore.Step.Verb;
import java.util.ArrayList;
import java.util.List;

/** What {@link Moves} has besides when VMs run on two servers. */
final class PairMoves {
    private PairMoves() {}

    static List<Step> plain(World world) {
        var moves = new ArrayList<Step>();
        for (var machine : world.machines) {
            for (int i = 0; i < machine.processes.all.size(); i++) {
                moves.add(Step.of(Verb.NOTICE, machine.index, i));
                boolean held =
                        !machine.processes.isActive(world, machine.processes.all.get(i))
                                || machine.processes.all.get(i).part().isFirst();
                if (held) {
                    moves.add(Step.of(Verb.WRITE, machine.index, i));
                }
                moves.add(Step.of(Verb.WRITE, machine.index, i, 1));
            }
        }
        for (var wire : world.cutWires) {
            moves.add(Step.of(Verb.MEND_WIRE, wire.one(), wire.other()));
        }
        return moves;
    }

    static List<Step> faults(World world) {
        var moves = new ArrayList<Step>();
        for (var machine : world.machines) {
            for (int other = machine.index + 1; other < world.machines.length; other++) {
                moves.add(Step.of(Verb.CUT_WIRE, machine.index, other));
            }
            for (int i = 0; i < machine.processes.all.size(); i++) {
                moves.add(Step.of(Verb.NOTICE, machine.index, i, 1));
            }
            // Of two servers and a witness no two are without a quorum together.
            if (world.machines.length > 2) {
                moves.add(Step.of(Verb.ISLAND, machine.node()));
                moves.add(Step.of(Verb.ISLAND, machine.node(), 1));
            }
        }
        return moves;
    }

    /** Whether something is unanswered, not as it is believed to be, or not as it is wanted. */
    static boolean isOpen(World world, VmState state) {
        return switch (state) {
            case VmState.Absent _, VmState.Stopped _ -> false;
            case VmState.Lockstep pair ->
                    !pair.vm().ending().isEmpty() || !isAsBelieved(world, state);
            case VmState.Running running ->
                    !running.vm().ending().isEmpty() || !isAsBelieved(world, state);
            default -> true;
        };
    }

    private static boolean isAsBelieved(World world, VmState state) {
        var rights = new ArrayList<>(VmLife.right(state).stream().toList());
        VmLife.secondary(state).ifPresent(rights::add);
        for (var right : rights) {
            int server = world.setup.server(right.server());
            var machine = world.machines[server];
            if (!machine.processes.lists(right)
                    || machine.isInTrouble(right)
                    || !world.journal.grants(server, right.incarnation())) {
                return false;
            }
        }
        return true;
    }
}
