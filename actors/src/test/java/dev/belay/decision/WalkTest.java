package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.PROOF;
import static dev.belay.decision.Samples.SPEC;
import static dev.belay.decision.Samples.WEB;
import static dev.belay.decision.Samples.after;
import static dev.belay.decision.Samples.afterAll;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.model.Desired;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random inputs against the rules of one VM and of one server, from a printed seed; then answers as
 * a world gives them in which everything works. Run one seed again with {@code -Dseed=N}.
 */
class WalkTest {
    private static final int SEEDS = 500;
    private static final int STEPS = 200;
    private static final int CALM_STEPS = 150;
    private static final List<ServerName> SERVERS = List.of(ALPHA, BETA);

    static LongStream seeds() {
        var one = Long.getLong("seed");
        return one != null ? LongStream.of(one) : LongStream.range(0, SEEDS);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void aVmKeepsItsRulesAndInTheEndIsAsDesired(long seed) {
        try {
            walkVm(seed, new TreeSet<>());
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed=%d: %s".formatted(seed, e.getMessage()), e);
        }
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void aServerKeepsItsRulesAndInTheEndIsAdmitted(long seed) {
        try {
            walkServer(seed, new TreeSet<>());
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed=%d: %s".formatted(seed, e.getMessage()), e);
        }
    }

    /** The walks are worth their time only if they go everywhere that the pictures show. */
    @Test
    void theWalksTakeEveryTransition() {
        var taken = new TreeSet<String>();
        for (long seed = 0; seed < SEEDS; seed++) {
            walkVm(seed, taken);
            walkServer(seed, taken);
        }
        assertThat(taken).containsExactlyElementsOf(new TreeSet<>(expected()));
    }

    static List<String> expected() {
        try (var file = WalkTest.class.getResourceAsStream("transitions.txt")) {
            return file == null
                    ? List.of()
                    : new String(file.readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .filter(line -> !line.isBlank() && !line.startsWith("#"))
                            .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void walkVm(long seed, TreeSet<String> taken) {
        var random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        var history = new ArrayList<VmEvent>();
        VmState state = VmHistory.NEW;
        var spec = seed % 2 == 0 ? SPEC : Samples.PAIR_SPEC;
        for (int step = 0; step < STEPS; step++) {
            state = take(state, anyView(random), anyVmInput(random, state, spec), history, taken);
        }
        for (int step = 0; step < CALM_STEPS && !isDone(state); step++) {
            state = take(state, Samples.BOTH, answer(state), history, taken);
        }
        assertThat(isDone(state)).as("after the calm half: %s", state).isTrue();
        assertThat(after(VmHistory.NEW, history)).as("replay").isEqualTo(state);
    }

    private static VmState take(
            VmState state,
            Context now,
            VmInput input,
            List<VmEvent> history,
            TreeSet<String> taken) {
        if (!(VmLife.decide(state, now, input) instanceof Accepted<VmEvent, VmAction> accepted)) {
            return state;
        }
        VmRules.check(state, input, accepted);
        for (var event : accepted.events()) {
            var next = VmHistory.apply(state, event);
            taken.add(
                    "%s -%s-> %s"
                            .formatted(
                                    Samples.name(state), Samples.name(event), Samples.name(next)));
            assertThat(VmLife.last(state).isAfter(VmLife.last(next))).isFalse();
            state = next;
        }
        history.addAll(accepted.events());
        return state;
    }

    private static boolean isDone(VmState state) {
        return switch (state) {
            case VmState.Absent _ -> true;
            case VmState.Stopped s ->
                    s.vm().desired() == Desired.STOPPED && s.vm().ending().isEmpty();
            case VmState.Running s -> s.vm().desired() == Desired.RUNNING && !s.vm().wantsPair();
            case VmState.Lockstep s ->
                    s.vm().wantsPair() && lives(s.primary()) && lives(s.secondary());
            default -> false;
        };
    }

    /** What a world in which everything works says next. */
    private static VmInput answer(VmState state) {
        if (state instanceof VmState.Present present && !present.vm().ending().isEmpty()) {
            var right = present.vm().ending().getFirst();
            return state instanceof VmState.FailingOver
                    ? new VmInput.Outlived(right)
                    : new VmInput.ReplicaGone(right, VmInput.Cause.STOPPED, "");
        }
        return next(state);
    }

    /** The same, but what lost lives on. */
    private static VmInput next(VmState state) {
        return switch (state) {
            case VmState.Absent _, VmState.Stopped _ -> new VmInput.Tick();
            case VmState.Running s -> new VmInput.BackOffOver(s.vm().epoch());
            case VmState.Pairing s ->
                    new VmInput.Reserved(
                            s.candidate(),
                            s.candidate().equals(ALPHA) ? Samples.I2 : Samples.I1,
                            s.vm().epoch().next());
            case VmState.Raising s when !lives(s.primary()) -> lost(s.primary());
            case VmState.Raising s when !lives(s.secondary()) -> lost(s.secondary());
            case VmState.Raising s -> new VmInput.LockstepSeen(s.primary(), s.secondary());
            case VmState.Lockstep s when !lives(s.primary()) -> lost(s.primary());
            case VmState.Lockstep s when !lives(s.secondary()) -> lost(s.secondary());
            case VmState.Lockstep _ -> new VmInput.Tick();
            case VmState.Waiting s -> new VmInput.BackOffOver(s.vm().epoch());
            case VmState.Placing s ->
                    new VmInput.Reserved(
                            s.candidate(),
                            s.candidate().equals(ALPHA) ? Samples.I2 : Samples.I1,
                            s.vm().epoch().next());
            case VmState.Starting s -> new VmInput.ReplicaStarted(s.right(), "", List.of());
            case VmState.GoingSolo s -> new VmInput.SoloDone(s.winner(), s.loser(), List.of());
            case VmState.Stopping s ->
                    new VmInput.ReplicaGone(s.right(), VmInput.Cause.STOPPED, "");
            case VmState.FailingOver s ->
                    new VmInput.FenceProved(s.lost().server(), s.lost().incarnation(), PROOF);
            case VmState.BackingOff s -> new VmInput.BackOffOver(s.last().epoch());
        };
    }

    private static boolean lives(RunRight right) {
        return VmSolo.lives(Samples.BOTH, right);
    }

    private static VmInput lost(RunRight right) {
        return new VmInput.ServerLost(right.server(), right.incarnation(), List.of());
    }

    private static Context anyView(RandomGenerator random) {
        return switch (random.nextInt(8)) {
            case 4 -> Samples.EMPTYING_ALPHA;
            case 5 -> Samples.RESTARTING_ALPHA;
            case 0 -> Samples.NOBODY;
            case 1 -> Samples.ONLY_BETA;
            case 2 -> Samples.DISARMED;
            case 3 -> Samples.CROWDED;
            default -> Samples.BOTH;
        };
    }

    /** About half of the inputs are what the state waits for; the others are late or strange. */
    private static VmInput anyVmInput(RandomGenerator random, VmState state, VmSpec spec) {
        var epoch = new Epoch(Math.max(0, VmLife.last(state).value() + random.nextInt(3) - 1));
        var server = SERVERS.get(random.nextInt(2));
        var incarnation = new Incarnation(1 + random.nextInt(3));
        if (spec.isMirrored() && random.nextInt(3) == 0) {
            return anyPairInput(random, state);
        }
        var right =
                (random.nextInt(3) == 0
                                ? VmLife.secondary(state).or(() -> VmLife.right(state))
                                : VmLife.right(state))
                        .filter(_ -> random.nextInt(4) > 0)
                        .orElse(new RunRight(WEB, epoch, server, incarnation));
        var cause = VmInput.Cause.values()[random.nextInt(4)];
        return switch (random.nextInt(25)) {
            case 0 -> new VmInput.Create(spec, random.nextBoolean());
            case 1, 2 -> new VmInput.Start();
            case 3 -> new VmInput.Stop(random.nextBoolean());
            case 4 -> new VmInput.Delete(random.nextInt(4) == 0);
            case 5 -> new VmInput.Reserved(server, incarnation, epoch);
            case 6 -> new VmInput.ReservationRefused(server, epoch, "full");
            case 7 -> new VmInput.ReplicaStarted(right, "", List.of(new VmInput.Timing("t", 1)));
            case 8 ->
                    new VmInput.ReplicaStartFailed(
                            right, "why", random.nextBoolean(), random.nextBoolean());
            case 9, 10 -> new VmInput.ReplicaGone(right, cause, "detail");
            case 11 -> new VmInput.GuestPanicked(right);
            case 12 -> new VmInput.DiskFailed(right, "root", "why");
            case 13 -> new VmInput.ReplicaSeen(right);
            case 14 -> new VmInput.ServerLost(right.server(), right.incarnation(), List.of());
            case 15 -> new VmInput.FenceProved(right.server(), right.incarnation(), PROOF);
            case 16 -> new VmInput.BackOffOver(epoch);
            case 17 -> new VmInput.Settled(VmLife.last(state));
            case 18 -> new VmInput.Tick();
            case 19 -> new VmInput.Insist(VmLife.last(state));
            default -> random.nextInt(3) == 0 ? answer(state) : next(state);
        };
    }

    private static VmInput anyPairInput(RandomGenerator random, VmState state) {
        var primary =
                VmLife.right(state)
                        .filter(_ -> random.nextInt(8) > 0)
                        .orElse(new RunRight(WEB, VmLife.last(state), ALPHA, Samples.I2));
        var secondary =
                VmLife.secondary(state)
                        .filter(_ -> random.nextInt(8) > 0)
                        .orElse(new RunRight(WEB, VmLife.last(state), BETA, Samples.I1));
        if (primary.equals(secondary)) {
            return new VmInput.Tick();
        }
        boolean first = random.nextBoolean();
        return switch (random.nextInt(17)) {
            case 16 -> new VmInput.HandOver(primary, secondary, true);
            case 14 -> new VmInput.PairRaised(primary, secondary, List.of());
            case 15 -> new VmInput.RaiseOverdue(secondary.epoch());
            case 0 -> new VmInput.Protect(dev.belay.model.Level.RESTART);
            case 1, 2 -> new VmInput.Protect(dev.belay.model.Level.SYSTEM);
            case 3 -> new VmInput.Switchover();
            case 4 -> new VmInput.SecondaryReady(secondary, Samples.PAIR_ADDRESS);
            case 5 ->
                    new VmInput.RaiseAdvanced(
                            primary,
                            secondary,
                            RaiseStage.values()[random.nextInt(3)],
                            random.nextInt(101));
            case 6 -> new VmInput.RaiseFailed(primary, secondary, "why");
            case 7 ->
                    new VmInput.PartnerLost(
                            first ? primary : secondary, first ? secondary : primary, "why");
            case 8 -> new VmInput.ReplicaHung(first ? primary : secondary, "why");
            case 9 ->
                    new VmInput.SoloDone(
                            first ? primary : secondary, first ? secondary : primary, List.of());
            case 10 -> new VmInput.Settled(secondary.epoch());
            default -> random.nextInt(3) == 0 ? answer(state) : next(state);
        };
    }

    private static void walkServer(long seed, TreeSet<String> taken) {
        var random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        var history = new ArrayList<ServerEvent>();
        ServerState state = ServerHistory.NEW;
        for (int step = 0; step <= STEPS; step++) {
            var held = ServerRules.incarnation(state);
            var input =
                    step < STEPS
                            ? anyServerInput(random, state, held)
                            : new ServerInput.Join(
                                    "boot-z", 4096, held, true, Samples.TERMS, Optional.empty());
            if (ServerLife.decide(ALPHA, state, AT, input)
                    instanceof Accepted<ServerEvent, ServerAction> accepted) {
                ServerRules.check(state, input, accepted);
                for (var event : accepted.events()) {
                    var next = ServerHistory.apply(state, event);
                    taken.add(
                            "%s -%s-> %s"
                                    .formatted(
                                            Samples.name(state),
                                            Samples.name(event),
                                            Samples.name(next)));
                    state = next;
                }
                history.addAll(accepted.events());
            }
        }
        assertThat(state).isInstanceOf(ServerState.Live.class);
        assertThat(afterAll(ServerHistory.NEW, history)).isEqualTo(state);
    }

    private static Optional<Qemu> anyQemu(RandomGenerator random) {
        return random.nextInt(4) > 0
                ? Optional.empty()
                : Optional.of(random.nextBoolean() ? Samples.QEMU : Samples.OTHER_QEMU);
    }

    private static ServerInput anyServerInput(
            RandomGenerator random, ServerState state, Incarnation held) {
        var incarnation = new Incarnation(Math.max(0, held.value() + random.nextInt(3) / 2 - 1));
        var nowOrStale = random.nextInt(3) > 0 ? held : incarnation;
        var epoch = new Epoch(1 + random.nextInt(3));
        return switch (random.nextInt(9)) {
            case 0, 1 ->
                    new ServerInput.Join(
                            "boot-" + random.nextInt(3),
                            4096 + 1024 * random.nextInt(2),
                            nowOrStale,
                            random.nextBoolean(),
                            random.nextBoolean() ? Samples.TERMS : Samples.LONGER_TERMS,
                            anyQemu(random));
            case 2 ->
                    new ServerInput.Lost(
                            nowOrStale, List.of(), 1 + random.nextInt(2), 2, random.nextInt(4) > 0);
            case 3 -> new ServerInput.LeaseWaited(nowOrStale, "waited");
            case 4 -> new ServerInput.AgentAnswered(nowOrStale, random.nextBoolean(), "agent");
            case 5 -> new ServerInput.Reserve(WEB, epoch, MEMORY * (1 + random.nextInt(6)));
            case 6 -> new ServerInput.Release(WEB, epoch);
            case 7 -> anyCalmInput(random, state, nowOrStale);
            default -> new ServerInput.AskStanding(WEB, nowOrStale);
        };
    }

    private static ServerInput anyCalmInput(
            RandomGenerator random, ServerState state, Incarnation incarnation) {
        long losses = state instanceof ServerState.Known known ? known.losses().count() : 0;
        return switch (random.nextInt(20)) {
            case 16, 17 -> new ServerInput.BeginMaintenance(random.nextBoolean());
            case 18, 19 -> new ServerInput.EndMaintenance();
            case 0 -> new ServerInput.EndQuarantine();
            case 1 -> new ServerInput.CooledDown(incarnation);
            case 2, 3, 4 -> new ServerInput.LossAged(losses - random.nextInt(3));
            default -> new ServerInput.ConfirmOff(incarnation, random.nextBoolean());
        };
    }
}
