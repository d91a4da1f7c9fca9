package dev.belay.explore;

import dev.belay.explore.Step.Verb;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** What a random run has besides when VMs run on two servers. */
final class PairDice {
    private final World world;
    private final RandomGenerator dice;
    private final int calmness;

    PairDice(World world, RandomGenerator dice, int calmness) {
        this.world = world;
        this.dice = dice;
        this.calmness = calmness;
    }

    Optional<Step> next() {
        int d = dice.nextInt(100);
        if (d < 30) {
            return half(Verb.WRITE, dice.nextInt(4) > 0 ? 1 : 0);
        } else if (d < 45) {
            return half(Verb.NOTICE, 0);
        } else if (d < 60) {
            return Optional.of(
                    Step.of(
                            Verb.LISTEN,
                            dice.nextInt(world.machines.length),
                            dice.nextInt(world.setup.vms().size()),
                            how(dice.nextInt(4))));
        } else if (d < 75) {
            return wire(Verb.MEND_WIRE);
        }
        return dice.nextInt(calmness) == 0 ? fault() : Optional.empty();
    }

    private static int how(int die) {
        return die == 0 ? 1 : die == 1 ? 2 : 0;
    }

    /** A copy of memory or disks, or overlays that are written back, take their time. */
    boolean isSlow(Work work) {
        return (work instanceof Work.Raise || work instanceof Work.Leave) && dice.nextInt(3) == 0;
    }

    private Optional<Step> fault() {
        // Of two servers and a witness no two are without a quorum together.
        if (world.machines.length > 2 && dice.nextInt(4) == 0) {
            return Optional.of(
                    Step.of(
                            Verb.ISLAND,
                            1 + dice.nextInt(world.machines.length),
                            dice.nextInt(3) == 0 ? 1 : 0));
        }
        return switch (dice.nextInt(6)) {
            case 0, 1 -> wire(Verb.CUT_WIRE);
            case 2 -> half(Verb.NOTICE, 1);
            case 3 -> half(Verb.KILL_QEMU, 0);
            case 4 -> half(Verb.STOP_QEMU, 0);
            default -> request();
        };
    }

    private Optional<Step> request() {
        var what =
                switch (dice.nextInt(5)) {
                    case 0 -> Requests.PROTECT_RESTART;
                    case 1, 2 -> Requests.PROTECT_SYSTEM;
                    default -> Requests.SWITCHOVER;
                };
        int vm = dice.nextInt(world.setup.vms().size());
        return Optional.of(Step.of(Verb.REQUEST, vm, what.ordinal()));
    }

    private Optional<Step> wire(Verb verb) {
        int one = dice.nextInt(world.machines.length);
        int other = dice.nextInt(world.machines.length);
        return one == other ? Optional.empty() : Optional.of(Step.of(verb, one, other));
    }

    private Optional<Step> half(Verb verb, int how) {
        var machine = world.machines[dice.nextInt(world.machines.length)];
        int replicas = machine.processes.all.size();
        return replicas == 0
                ? Optional.empty()
                : Optional.of(Step.of(verb, machine.index, dice.nextInt(replicas), how));
    }
}
