package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.BETA;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.model.Level;
import dev.belay.model.Placement;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Simulation: two VMs lose their server, and the other server has room for one. Whatever message
 * comes first, the one of higher priority gets it, and the other one says why it waits. Run one
 * seed again with {@code -Dseed=N}.
 */
class PriorityWalkTest {
    private static final int ROUNDS = 400;
    private static final VmName BASE = new VmName("base");
    private static final VmName LOW = new VmName("low");
    private static final VmName HIGH = new VmName("high");

    static LongStream seeds() {
        var one = Long.getLong("seed");
        return one != null ? LongStream.of(one) : LongStream.range(0, 100);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void theHigherPriorityGoesFirst(long seed) {
        var cluster =
                new SimulatedCluster(
                        RandomGeneratorFactory.of("L64X128MixRandom").create(seed),
                        List.of(ALPHA, BETA),
                        List.of(BASE, LOW, HIGH),
                        SimulatedServer.Hole.NONE);
        cluster.heal();
        rounds(cluster, 40);
        create(cluster, BASE, 5000, 0, ALPHA);
        create(cluster, LOW, 3000, 1, BETA);
        create(cluster, HIGH, 3000, 2, BETA);
        rounds(cluster, 40);
        assertThat(List.of(server(cluster, LOW), server(cluster, HIGH)))
                .containsOnly(Optional.of(BETA));

        cluster.loseForGood(BETA);
        rounds(cluster, ROUNDS);

        assertThat(server(cluster, HIGH)).as("seed=%d%n%s", seed, cluster.story()).contains(ALPHA);
        assertThat(Explanation.of(state(cluster, LOW), cluster.view()))
                .contains("alpha: it has 192 MiB free of 8192, and 3000 are needed");
    }

    private static void create(
            SimulatedCluster cluster, VmName name, int memoryMiB, int priority, ServerName first) {
        var wish = new Placement(List.of(), List.of(first), List.of());
        cluster.vmHears(
                name,
                new VmInput.Create(
                        new VmSpec(
                                name,
                                1,
                                memoryMiB,
                                Optional.empty(),
                                List.of(),
                                List.of(),
                                Level.RESTART,
                                wish,
                                priority),
                        true));
    }

    private static void rounds(SimulatedCluster cluster, int count) {
        for (int round = 0; round < count; round++) {
            cluster.calmRound();
        }
    }

    private static VmState state(SimulatedCluster cluster, VmName name) {
        return Objects.requireNonNull(cluster.vms.get(name));
    }

    private static Optional<ServerName> server(SimulatedCluster cluster, VmName name) {
        return state(cluster, name) instanceof VmState.Running running
                ? Optional.of(running.right().server())
                : Optional.empty();
    }
}
