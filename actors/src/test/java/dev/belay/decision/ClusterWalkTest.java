package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.BETA;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.SimulatedCluster.Mistake;
import dev.belay.decision.SimulatedServer.Hole;
import dev.belay.model.VmName;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Simulation: the decisions of two servers and two VMs together, from a printed seed. First faults,
 * with messages lost, doubled, late and in any order: never two active copies. Then everything
 * works again: every VM has to be as its user desires. Run one seed again with {@code -Dseed=N}.
 */
class ClusterWalkTest {
    private static final int SEEDS = 300;
    private static final int STEPS = 2000;
    private static final int CALM_ROUNDS = 400;

    static LongStream seeds() {
        var one = Long.getLong("seed");
        return one != null ? LongStream.of(one) : LongStream.range(0, SEEDS);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void neverTwoActiveCopiesAndInTheEndEveryVmIsAsDesired(long seed) {
        walk(seed, Hole.NONE, Mistake.NONE);
    }

    @Test
    void theSimulationNoticesAnArbiterThatWaitsByItsOwnTerms() {
        assertNoticed(Hole.NONE, Mistake.ITS_OWN_TERMS);
    }

    @ParameterizedTest
    @EnumSource(
            value = Hole.class,
            names = {"NO_FLOOR", "NO_LEASH", "ANY_INCARNATION"})
    void theSimulationNoticesAServerThatForgetsADuty(Hole hole) {
        assertNoticed(hole, Mistake.NONE);
    }

    private static void assertNoticed(Hole hole, Mistake mistake) {
        long found =
                LongStream.range(0, SEEDS)
                        .filter(seed -> {
                            try {
                                walk(seed, hole, mistake);
                                return false;
                            } catch (AssertionError e) {
                                return e.getMessage() != null
                                        && e.getMessage().contains("two active copies");
                            }
                        })
                        .limit(1)
                        .count();
        assertThat(found).as("seeds that show %s, %s", hole, mistake).isPositive();
    }

    private static void walk(long seed, Hole hole, Mistake mistake) {
        var random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        var cluster =
                new SimulatedCluster(
                        random,
                        List.of(ALPHA, BETA),
                        List.of(new VmName("web"), new VmName("mail")),
                        Samples::spec,
                        hole,
                        mistake);
        if (seed % 2 == 1) {
            cluster.machine(BETA).changeTerms();
        }
        try {
            for (int step = 0; step < STEPS; step++) {
                troubledStep(cluster, random);
                cluster.assertOneActiveCopy();
            }
            cluster.heal();
            for (int round = 0; round < CALM_ROUNDS && !isDone(cluster, round); round++) {
                cluster.calmRound();
            }
            assertThat(cluster.unfinished()).isEmpty();
            assertThat(WalkTest.expected()).containsAll(cluster.transitions);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(
                    "seed=%d: %s%n%s".formatted(seed, e.getMessage(), cluster.story()), e);
        }
    }

    /** The longest timers have run by then: nothing is left that could still upset it. */
    private static boolean isDone(SimulatedCluster cluster, int round) {
        return round > 2 * SimulatedServer.LONGER_LEASE && cluster.unfinished().isEmpty();
    }

    static void troubledStep(SimulatedCluster cluster, RandomGenerator random) {
        if (random.nextInt(3) == 0) {
            cluster.passTime();
        }
        var vm = any(random, List.copyOf(cluster.vms.keySet()));
        var machine = any(random, List.copyOf(cluster.machines.values()));
        int dice = random.nextInt(1000);
        if (dice < 680) {
            cluster.deliver();
        } else if (dice < 740) {
            cluster.tick(vm);
        } else if (dice < 790) {
            machine.askAgain();
        } else if (dice < 890) {
            cluster.renew(machine);
        } else if (dice < 930) {
            cluster.look(machine, random.nextInt(20) == 0);
        } else if (dice < 945) {
            machine.startProcess();
        } else if (dice < 955) {
            machine.powerOn();
        } else if (dice < 965) {
            machine.cutOff = false;
        } else if (dice < 974) {
            request(cluster, random, vm);
        } else if (dice < 975) {
            operate(cluster, random, machine);
        } else {
            cluster.noteFault("fault " + dice + " " + vm + " " + machine);
            fault(cluster, random, vm, machine, dice);
        }
    }

    private static void fault(
            SimulatedCluster cluster,
            RandomGenerator random,
            VmName vm,
            SimulatedServer machine,
            int dice) {
        switch (dice) {
            case 975, 976, 977, 978 -> machine.killGuest(vm);
            case 979, 980, 981 -> machine.crashProcess();
            case 982, 983 -> machine.powerOff();
            case 984, 985, 986 -> machine.cutOff = true;
            case 987, 988 -> cluster.restartVm(vm);
            case 989, 990 -> cluster.restartServer(machine.name);
            case 991, 992, 993 ->
                    machine.running().stream()
                            .findAny()
                            .ifPresent(right ->
                                    cluster.vmHears(
                                            right.vm(),
                                            random.nextBoolean()
                                                    ? new VmInput.GuestPanicked(right)
                                                    : new VmInput.DiskFailed(
                                                            right, "root", "broken")));
            default -> {}
        }
    }

    /**
     * An operator is calm for a while, forgives, tells the truth about a server, or writes other
     * lease terms into its configuration.
     */
    private static void operate(
            SimulatedCluster cluster, RandomGenerator random, SimulatedServer machine) {
        switch (random.nextInt(9)) {
            case 7, 8 -> machine.changeTerms();
            case 3 ->
                    cluster.serverHears(
                            machine.name, new ServerInput.BeginMaintenance(random.nextBoolean()));
            case 4, 5 -> cluster.serverHears(machine.name, new ServerInput.EndMaintenance());
            case 0 -> cluster.disarm(true);
            case 1 -> cluster.disarm(false);
            case 2 -> cluster.serverHears(machine.name, new ServerInput.EndQuarantine());
            default -> cluster.confirmOff(machine);
        }
    }

    private static void request(SimulatedCluster cluster, RandomGenerator random, VmName vm) {
        cluster.vmHears(
                vm,
                switch (random.nextInt(8)) {
                    case 0 -> new VmInput.Stop(random.nextBoolean());
                    case 1 -> new VmInput.Delete(random.nextInt(4) == 0);
                    case 2, 3, 4 -> new VmInput.Start();
                    default -> new VmInput.Create(cluster.specs.apply(vm), true);
                });
    }

    private static <T> T any(RandomGenerator random, List<T> list) {
        return list.get(random.nextInt(list.size()));
    }
}
