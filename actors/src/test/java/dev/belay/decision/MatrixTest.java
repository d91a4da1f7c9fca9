package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.BOTH;
import static dev.belay.decision.Samples.CROWDED;
import static dev.belay.decision.Samples.DISARMED;
import static dev.belay.decision.Samples.E6;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.GAMMA;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.I3;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.NOBODY;
import static dev.belay.decision.Samples.ONLY_BETA;
import static dev.belay.decision.Samples.PAIR_ADDRESS;
import static dev.belay.decision.Samples.PAIR_SPEC;
import static dev.belay.decision.Samples.PROOF;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SECONDARY;
import static dev.belay.decision.Samples.SPEC;
import static dev.belay.decision.Samples.WEB;
import static dev.belay.decision.Samples.after;
import static dev.belay.decision.Samples.afterAll;
import static dev.belay.decision.Samples.paired;
import static dev.belay.decision.Samples.right;
import static dev.belay.decision.Samples.vm;
import static dev.belay.decision.Samples.wantedInFailover;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.model.Desired;
import dev.belay.model.Incarnation;
import dev.belay.model.Level;
import dev.belay.model.RunRight;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every state with every input: right, of an older epoch, of another server or incarnation. */
class MatrixTest {
    private static final Losses TWICE = new Losses(5, List.of(4L, 5L), false);
    private static final Losses QUARANTINE = new Losses(5, List.of(3L, 4L, 5L), true);
    private static final Optional<ServerState.Maintenance> MAINTAINED =
            Optional.of(new ServerState.Maintenance(AT, false));
    static final List<RunRight> RIGHTS =
            List.of(
                    RIGHT,
                    SECONDARY,
                    right(E6, ALPHA, I2),
                    right(E8, ALPHA, I2),
                    right(E7, BETA, I1),
                    right(E7, ALPHA, I1),
                    right(E7, ALPHA, I3));

    static List<VmState> vmStates() {
        var states = new ArrayList<VmState>();
        states.add(VmHistory.NEW);
        states.add(new VmState.Absent(E7));
        var refusals =
                List.of(
                        new VmState.Refusal(BETA, "full", true),
                        new VmState.Refusal(ALPHA, "does not answer", false));
        for (var desired : Desired.values()) {
            for (var vm :
                    List.of(
                            vm(desired),
                            vm(desired).failed(5),
                            wantedInFailover().desiring(desired, false))) {
                if (desired == Desired.RUNNING) {
                    states.add(new VmState.Waiting(vm, List.of()));
                    states.add(new VmState.Waiting(vm, refusals));
                    states.add(new VmState.Placing(vm, ALPHA, List.of()));
                    states.add(new VmState.Placing(vm, BETA, refusals));
                    states.add(new VmState.Starting(vm, RIGHT));
                    states.add(new VmState.Running(vm, RIGHT));
                    states.add(new VmState.BackingOff(vm, RIGHT, Duration.ofSeconds(2)));
                } else if (vm.failover().isEmpty()) {
                    states.add(new VmState.Stopped(vm));
                }
                for (boolean flag : List.of(true, false)) {
                    states.add(new VmState.Stopping(vm, RIGHT, flag, !flag));
                    states.add(
                            new VmState.FailingOver(
                                    wantedInFailover()
                                            .desiring(desired, flag && desired == Desired.STOPPED),
                                    RIGHT));
                }
            }
        }
        states.addAll(pairStates());
        return states.stream().distinct().toList();
    }

    private static List<VmState> pairStates() {
        var states = new ArrayList<VmState>();
        var old = right(E6, BETA, I1);
        var full = List.of(new VmState.Refusal(BETA, "full", true));
        for (var vm :
                List.of(
                        paired(),
                        paired().giveUp(old),
                        paired().pursuing(2, full),
                        paired().at(Level.RESTART),
                        paired().desiring(Desired.STOPPED, false),
                        paired().giveUp(old).desiring(Desired.STOPPED, true))) {
            if (vm.isWanted()) {
                states.add(new VmState.Waiting(vm, List.of()));
                states.add(new VmState.Placing(vm, ALPHA, List.of()));
                states.add(new VmState.Starting(vm, RIGHT));
                states.add(new VmState.Starting(vm.newestOn(ALPHA, BETA), RIGHT));
                states.add(new VmState.Running(vm, RIGHT));
                states.add(new VmState.Pairing(vm, RIGHT, BETA, full));
                states.add(new VmState.Pairing(vm, RIGHT, GAMMA, List.of()));
            } else {
                states.add(new VmState.Stopped(vm));
            }
            states.add(new VmState.Stopping(vm.newestOn(ALPHA, BETA), RIGHT, true, false));
            var two = vm.at(E8);
            states.add(new VmState.Raising(two, RIGHT, SECONDARY, RaiseStage.DISKS, 40));
            states.add(
                    new VmState.Lockstep(
                            two.newestOn(ALPHA, BETA).pursuing(1, List.of()), RIGHT, SECONDARY));
            states.add(new VmState.GoingSolo(two.giveUp(SECONDARY), RIGHT, SECONDARY));
            states.add(
                    new VmState.GoingSolo(
                            two.newestOn(BETA)
                                    .giveUp(RIGHT)
                                    .failingOver(wantedInFailover().failover().orElseThrow()),
                            SECONDARY,
                            RIGHT));
        }
        return states;
    }

    private static List<VmInput> pairInputs() {
        var inputs = new ArrayList<VmInput>();
        inputs.add(new VmInput.Switchover());
        for (var level : Level.values()) {
            inputs.add(new VmInput.Protect(level));
        }
        for (var one : RIGHTS) {
            inputs.add(new VmInput.SecondaryReady(one, PAIR_ADDRESS));
            inputs.add(new VmInput.ReplicaHung(one, "why"));
            for (var other : RIGHTS) {
                if (one.equals(other)) {
                    continue;
                }
                for (var stage : RaiseStage.values()) {
                    inputs.add(new VmInput.RaiseAdvanced(one, other, stage, 50));
                }
                inputs.add(new VmInput.PairRaised(one, other, List.of()));
                inputs.add(new VmInput.LockstepSeen(one, other));
                inputs.add(new VmInput.RaiseFailed(one, other, "why"));
                inputs.add(new VmInput.PartnerLost(one, other, "why"));
                inputs.add(new VmInput.HandOver(one, other, true));
                inputs.add(
                        new VmInput.SoloDone(
                                one, other, List.of(new VmInput.Timing("promoted", 7))));
            }
        }
        return inputs;
    }

    static List<VmInput> vmInputs() {
        var inputs = new ArrayList<VmInput>(pairInputs());
        for (boolean flag : List.of(true, false)) {
            inputs.add(new VmInput.Create(SPEC, flag));
            inputs.add(new VmInput.Create(PAIR_SPEC, flag));
            inputs.add(new VmInput.Stop(flag));
            inputs.add(new VmInput.Delete(flag));
        }
        inputs.add(new VmInput.Start());
        inputs.add(new VmInput.Tick());
        for (var epoch : List.of(E6, E7, E8)) {
            inputs.add(new VmInput.BackOffOver(epoch));
            inputs.add(new VmInput.Settled(epoch));
            inputs.add(new VmInput.Insist(epoch));
            inputs.add(new VmInput.RaiseOverdue(epoch));
            for (var server : List.of(ALPHA, BETA)) {
                inputs.add(new VmInput.ReservationRefused(server, epoch, "full"));
                for (var incarnation : List.of(I1, I2, I3)) {
                    inputs.add(new VmInput.Reserved(server, incarnation, epoch));
                }
            }
        }
        for (var right : RIGHTS) {
            for (var cause : VmInput.Cause.values()) {
                inputs.add(new VmInput.ReplicaGone(right, cause, "detail"));
            }
            inputs.add(
                    new VmInput.ReplicaStarted(
                            right, "pid 1", List.of(new VmInput.Timing("started", 7))));
            for (boolean neverRan : List.of(true, false)) {
                inputs.add(new VmInput.ReplicaStartFailed(right, "why", true, neverRan));
                inputs.add(new VmInput.ReplicaStartFailed(right, "why", false, neverRan));
            }
            inputs.add(new VmInput.GuestPanicked(right));
            inputs.add(new VmInput.DiskFailed(right, "root", "why"));
            inputs.add(new VmInput.ReplicaSeen(right));
            inputs.add(
                    new VmInput.ServerLost(
                            right.server(),
                            right.incarnation(),
                            List.of(new Evidence(AT, "witness", "silent"))));
            inputs.add(new VmInput.FenceProved(right.server(), right.incarnation(), PROOF));
        }
        return inputs;
    }

    static Stream<VmState> eachVmState() {
        return vmStates().stream();
    }

    @ParameterizedTest
    @MethodSource("eachVmState")
    void everyInputIsAnsweredInEveryStateOfAVm(VmState state) {
        for (var input : vmInputs()) {
            for (var now : List.of(BOTH, ONLY_BETA, NOBODY, DISARMED, CROWDED)) {
                var decision = VmLife.decide(state, now, input);
                assertThat(decision).as("%s on %s", input, state).isNotNull();
                if (decision instanceof Accepted<VmEvent, VmAction> accepted) {
                    var where = "%s on %s -> %s".formatted(input, state, accepted);
                    assertThat(accepted.events().size() + accepted.actions().size())
                            .as(where)
                            .isPositive();
                    if (!accepted.events().isEmpty()) {
                        assertThat(after(state, accepted.events())).as(where).isNotEqualTo(state);
                    }
                    VmRules.check(state, input, accepted);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("eachVmState")
    void whereAnAnswerIsAwaitedItIsAskedForAgain(VmState state) {
        if (state instanceof VmState.Absent
                || (state instanceof VmState.Stopped s && s.vm().ending().isEmpty())) {
            assertThat(VmLife.pending(state)).isEmpty();
        } else {
            assertThat(VmLife.pending(state)).isNotEmpty();
        }
        if (state instanceof VmState.Present present) {
            for (var right : present.vm().ending()) {
                assertThat(VmLife.pending(state))
                        .contains(
                                new VmAction.StopReplica(right, true),
                                new VmAction.AskStanding(right.server(), right.incarnation()));
            }
        }
        VmLife.secondary(state)
                .ifPresent(right ->
                        assertThat(VmLife.pending(state))
                                .contains(
                                        new VmAction.AskStanding(
                                                right.server(), right.incarnation())));
        VmLife.right(state)
                .ifPresent(right ->
                        assertThat(VmLife.pending(state))
                                .contains(
                                        new VmAction.AskStanding(
                                                right.server(), right.incarnation())));
        assertThat(VmLife.pending(state)).doesNotHaveDuplicates();
    }

    static Stream<Arguments> everyServerPair() {
        var states =
                List.of(
                        ServerHistory.NEW,
                        ServerLifeTest.LIVE,
                        ServerLifeTest.LIVE.with(TWICE),
                        ServerLifeTest.LIVE.with(QUARANTINE),
                        new ServerState.Live(
                                ServerLifeTest.SERVER,
                                Map.of(),
                                Losses.NONE,
                                Optional.of(new ServerState.Freeze(2, 3)),
                                Optional.empty(),
                                Optional.of(Samples.QEMU)),
                        ServerLifeTest.FENCING,
                        ServerLifeTest.FENCING.with(QUARANTINE),
                        new ServerState.Fencing(
                                ServerLifeTest.SERVER,
                                List.of(),
                                List.of(),
                                Optional.of("dead"),
                                TWICE),
                        ServerLifeTest.LIVE.withMaintenance(MAINTAINED),
                        ServerLifeTest.FENCING.withMaintenance(MAINTAINED),
                        ServerLifeTest.FENCED.withMaintenance(MAINTAINED),
                        ServerLifeTest.FENCED,
                        new ServerState.Fenced(
                                ServerLifeTest.SERVER,
                                new Proof(Proof.Kind.AGENT, "off", AT),
                                TWICE),
                        ServerLifeTest.FENCED.with(TWICE),
                        ServerLifeTest.FENCED.with(QUARANTINE));
        return states.stream()
                .flatMap(state -> serverInputs().stream().map(in -> Arguments.of(state, in)));
    }

    private static ServerInput.Join join(
            String boot, int memoryMiB, Incarnation holding, boolean clean, Optional<Qemu> qemu) {
        return new ServerInput.Join(boot, memoryMiB, holding, clean, Samples.TERMS, qemu);
    }

    static List<ServerInput> serverInputs() {
        var inputs = new ArrayList<ServerInput>();
        for (var incarnation : List.of(Incarnation.NONE, I1, I2, I3)) {
            for (boolean flag : List.of(true, false)) {
                for (var boot : List.of("boot-a", "boot-b", "boot-c")) {
                    inputs.add(join(boot, 4096, incarnation, flag, Optional.empty()));
                    inputs.add(
                            new ServerInput.Join(
                                    boot,
                                    4096,
                                    incarnation,
                                    flag,
                                    Samples.LONGER_TERMS,
                                    Optional.empty()));
                    inputs.add(join(boot, 2048, incarnation, flag, Optional.of(Samples.QEMU)));
                }
                inputs.add(new ServerInput.AgentAnswered(incarnation, flag, "agent"));
            }
            for (boolean flag : List.of(true, false)) {
                inputs.add(new ServerInput.Lost(incarnation, List.of(), 1, 2, flag));
                inputs.add(new ServerInput.Lost(incarnation, List.of(), 2, 2, flag));
                inputs.add(new ServerInput.ConfirmOff(incarnation, flag));
            }
            inputs.add(new ServerInput.CooledDown(incarnation));
            inputs.add(new ServerInput.LeaseWaited(incarnation, "waited"));
            inputs.add(new ServerInput.AskStanding(WEB, incarnation));
        }
        for (var epoch : List.of(E6, E7, E8)) {
            inputs.add(new ServerInput.Reserve(WEB, epoch, MEMORY));
            inputs.add(new ServerInput.Reserve(WEB, epoch, 9000));
            inputs.add(new ServerInput.Release(WEB, epoch));
        }
        for (long number = 1; number <= 6; number++) {
            inputs.add(new ServerInput.LossAged(number));
        }
        inputs.add(new ServerInput.EndQuarantine());
        inputs.add(new ServerInput.BeginMaintenance(false));
        inputs.add(new ServerInput.BeginMaintenance(true));
        inputs.add(new ServerInput.EndMaintenance());
        return inputs;
    }

    @ParameterizedTest
    @MethodSource("everyServerPair")
    void everyInputIsAnsweredInEveryStateOfAServer(ServerState state, ServerInput input) {
        var decision = ServerLife.decide(ALPHA, state, AT, input);
        assertThat(decision).isNotNull();
        if (decision instanceof Accepted<ServerEvent, ServerAction> accepted) {
            assertThat(accepted.events().size() + accepted.actions().size()).isPositive();
            if (!accepted.events().isEmpty()) {
                assertThat(afterAll(state, accepted.events())).isNotEqualTo(state);
            }
            ServerRules.check(state, input, accepted);
        }
    }
}
