package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.GAMMA;
import static dev.belay.decision.Samples.WEB;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.SimulatedCluster.Mistake;
import dev.belay.decision.SimulatedServer.Hole;
import dev.belay.model.Level;
import java.util.List;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Simulation of a VM on two servers, on two or three machines, from a printed seed. First faults:
 * never are two copies heard, and none goes on without a write that the outside world knows of.
 * Then everything works again: it has to run on two servers. Run one seed again with {@code
 * -Dseed=N}.
 */
class PairWalkTest {
    private static final int SEEDS = 300;
    private static final int STEPS = 2000;
    private static final int CALM_EVERY = 200;
    private static final int CALM_ROUNDS = 500;

    static LongStream seeds() {
        var one = Long.getLong("seed");
        return one != null ? LongStream.of(one) : LongStream.range(0, SEEDS);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void oneIsHeardNothingIsLostAndInTheEndItRunsOnTwo(long seed) {
        walk(seed, Hole.NONE, Mistake.NONE, new TreeSet<>());
    }

    @ParameterizedTest
    @EnumSource(
            value = Mistake.class,
            names = {"NONE", "ITS_OWN_TERMS"},
            mode = EnumSource.Mode.EXCLUDE)
    void theSimulationNoticesAWrongDecision(Mistake mistake) {
        assertThat(finds(Hole.NONE, mistake)).as("seeds that show " + mistake).isTrue();
    }

    @Test
    void theSimulationNoticesAPrimaryThatGoesOnByItself() {
        assertThat(finds(Hole.PRIMARY_NOT_HELD, Mistake.NONE)).isTrue();
    }

    @Test
    void theSimulationNoticesASecondaryThatIsCalledInLockstepUnseen() {
        assertThat(finds(Hole.UNSEEN_LOCKSTEP, Mistake.NONE)).isTrue();
    }

    /** The walks are worth their time only if they come that far. */
    @Test
    void theWalksReachLockstepAndLeaveItEachWay() {
        var taken = new TreeSet<String>();
        for (long seed = 0; seed < 60; seed++) {
            walk(seed, Hole.NONE, Mistake.NONE, taken);
        }
        assertThat(taken)
                .contains(
                        "Raising -LockstepReached-> Lockstep",
                        "Raising -PairEnded-> GoingSolo",
                        "Raising -PairEnded-> Running",
                        "Lockstep -SoloGranted-> GoingSolo",
                        "Lockstep -PairLost-> Running",
                        "GoingSolo -SoloReached-> Running",
                        "GoingSolo -FailoverBegan-> FailingOver",
                        "GoingSolo -ReplicaEnded-> Waiting");
    }

    private static boolean finds(Hole hole, Mistake mistake) {
        return LongStream.range(0, SEEDS)
                .anyMatch(seed -> {
                    try {
                        walk(seed, hole, mistake, new TreeSet<>());
                        return false;
                    } catch (AssertionError e) {
                        var found = String.valueOf(e.getMessage());
                        return found.contains("two active copies")
                                || found.contains("has not all acknowledged writes");
                    }
                });
    }

    private static void walk(long seed, Hole hole, Mistake mistake, TreeSet<String> taken) {
        var random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        var cluster =
                new SimulatedCluster(
                        random,
                        seed % 2 == 0 ? List.of(ALPHA, BETA) : List.of(ALPHA, BETA, GAMMA),
                        List.of(WEB),
                        Samples::pairSpec,
                        hole,
                        mistake);
        try {
            for (int step = 0; step < STEPS; step++) {
                if (step % CALM_EVERY == CALM_EVERY - 1) {
                    cluster.calmDown(80);
                }
                troubledStep(cluster, random);
                cluster.assertOneActiveCopy();
            }
            cluster.heal();
            for (int round = 0; round < CALM_ROUNDS && !isDone(cluster, round); round++) {
                cluster.calmRound();
            }
            assertThat(cluster.unfinished()).isEmpty();
            taken.addAll(cluster.transitions);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(
                    "seed=%d: %s%n%s".formatted(seed, e.getMessage(), cluster.story()), e);
        }
    }

    private static boolean isDone(SimulatedCluster cluster, int round) {
        return round > 2 * SimulatedServer.LEASE && cluster.unfinished().isEmpty();
    }

    private static void troubledStep(SimulatedCluster cluster, RandomGenerator random) {
        if (random.nextInt(3) == 0) {
            var machine = any(random, List.copyOf(cluster.machines.values()));
            if (machine.powered) {
                machine.work(random);
            }
        }
        if (random.nextInt(4) == 0) {
            cluster.write();
        }
        if (random.nextInt(3) == 0) {
            cluster.holdUp();
        }
        if (random.nextInt(4) == 0) {
            cluster.letGo();
        }
        int dice = random.nextInt(1000);
        if (dice < 6) {
            var names = List.copyOf(cluster.machines.keySet());
            var one = any(random, names);
            var other = any(random, names.stream().filter(n -> !n.equals(one)).toList());
            cluster.cut(one, other, dice < 2);
        } else if (dice < 9) {
            cluster.vmHears(WEB, request(random));
        } else if (dice < 11) {
            hang(cluster, random);
        } else if (dice < 15) {
            cluster.machines.values().stream().limit(2).forEach(SimulatedServer::powerOff);
        } else if (dice < 18) {
            cluster.vmHears(WEB, new VmInput.Create(cluster.specs.apply(WEB), true));
            cluster.vmHears(WEB, new VmInput.Start());
        } else {
            ClusterWalkTest.troubledStep(cluster, random);
        }
    }

    private static VmInput request(RandomGenerator random) {
        return switch (random.nextInt(6)) {
            case 0 -> new VmInput.Switchover();
            case 1 -> new VmInput.Protect(Level.RESTART);
            case 2 -> new VmInput.Stop(random.nextBoolean());
            default -> new VmInput.Protect(Level.SYSTEM);
        };
    }

    private static void hang(SimulatedCluster cluster, RandomGenerator random) {
        var state = cluster.vms.get(WEB);
        if (state != null && VmLife.right(state).isPresent()) {
            var right =
                    random.nextBoolean()
                            ? VmLife.right(state)
                            : VmLife.secondary(state).or(() -> VmLife.right(state));
            cluster.vmHears(WEB, new VmInput.ReplicaHung(right.orElseThrow(), "no answer"));
        }
    }

    private static <T> T any(RandomGenerator random, List<T> list) {
        return list.get(random.nextInt(list.size()));
    }
}
