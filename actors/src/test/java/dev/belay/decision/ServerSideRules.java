package dev.belay.decision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.ReplicaState.ClearingUp;
import dev.belay.decision.ReplicaState.Ended;
import dev.belay.decision.ReplicaState.InStart;
import dev.belay.decision.ReplicaState.InStop;
import dev.belay.decision.ReplicaState.Nothing;
import dev.belay.decision.ReplicaState.Runs;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import java.util.Optional;

/** What must hold of each turn of the cores on a server, whatever the state and the input. */
final class ServerSideRules {
    private ServerSideRules() {}

    static void check(
            ReplicaState before, ReplicaInput input, Turn<ReplicaState, ReplicaCommand> turn) {
        var where = "%s on %s -> %s".formatted(input, before, turn);
        var after = turn.state();
        assertThat(before.floor().isAfter(after.floor())).as("floor fell: " + where).isFalse();
        var onDisk = before.floor();
        for (var command : turn.commands()) {
            switch (command) {
                case ReplicaCommand.KeepFloor(var floor) -> onDisk = floor;
                case ReplicaCommand.Launch(var right, _) -> {
                    assertThat(input).as(where).isInstanceOf(ReplicaInput.Start.class);
                    assertThat(right.epoch().isAfter(before.floor()))
                            .as("begun twice: " + where)
                            .isTrue();
                    assertThat(onDisk)
                            .as("begun before it is on disk: " + where)
                            .isEqualTo(right.epoch());
                }
                case ReplicaCommand.Prepare(var right, _, _) -> {
                    assertThat(input).as(where).isInstanceOf(ReplicaInput.Start.class);
                    assertThat(
                                    before.standing() instanceof Runs
                                            || (onDisk.equals(right.epoch())
                                                    && right.epoch().isAfter(before.floor())))
                            .as("begun twice, or before it is on disk: " + where)
                            .isTrue();
                }
                case ReplicaCommand.Await(var right, var primary) -> {
                    assertThat(mayRun(before)).as(where).contains(right);
                    assertThat(input)
                            .as(where)
                            .isEqualTo(new ReplicaInput.AwaitLockstep(right, primary));
                }
                case ReplicaCommand.Raise(var right, var secondary, _) -> {
                    assertThat(mayRun(before)).as(where).contains(right);
                    boolean again =
                            before.standing() instanceof Runs runs
                                    && runs.bond()
                                            .equals(new ReplicaState.Raising(secondary, false));
                    assertThat(again || secondary.epoch().isAfter(before.floor()))
                            .as("raised twice: " + where)
                            .isTrue();
                    assertThat(again || onDisk.equals(secondary.epoch()))
                            .as("raised before it is on disk: " + where)
                            .isTrue();
                }
                case ReplicaCommand.NoteLockstep(var right, var partner) -> {
                    assertThat(mayRun(before)).as(where).contains(right);
                    assertThat(before.bond().filter(bond -> bond.partner().equals(partner)))
                            .as("noted of one that is no pair with it: " + where)
                            .isPresent();
                }
                case ReplicaCommand.Part(var right, var loser) -> {
                    assertThat(mayRun(before)).as(where).contains(right);
                    assertThat(before.standing())
                            .as("left without an order: " + where)
                            .isInstanceOfSatisfying(
                                    Runs.class,
                                    runs ->
                                            assertThat(
                                                            runs.bond()
                                                                            instanceof
                                                                            ReplicaState.Parting
                                                                    || ReplicaErrands.partner(
                                                                                    runs.bond())
                                                                            .filter(loser::equals)
                                                                            .isPresent())
                                                    .isTrue());
                }
                case ReplicaCommand.End(var right, _) ->
                        assertThat(
                                        right.epoch().isAfter(onDisk)
                                                && !(before.standing() instanceof Runs)
                                                && !(input instanceof ReplicaInput.Found))
                                .as("ended before it is on disk: " + where)
                                .isFalse();
                case ReplicaCommand.Tell(var news) -> checkNews(before, input, after, news, onDisk);
            }
        }
        assertThat(onDisk).as("on disk is not what is known: " + where).isEqualTo(after.floor());
    }

    private static void checkNews(
            ReplicaState before,
            ReplicaInput input,
            ReplicaState after,
            VmInput news,
            Epoch onDisk) {
        var where = "%s on %s -> %s tells %s".formatted(input, before, after, news);
        if (news instanceof VmInput.LockstepSeen(var primary, var secondary)) {
            assertThat(input)
                    .as("said before it was seen: " + where)
                    .isEqualTo(new ReplicaInput.InLockstep(secondary, primary));
        }
        var over =
                switch (news) {
                    case VmInput.ReplicaGone gone -> Optional.of(gone.right());
                    case VmInput.ReplicaStartFailed failed -> Optional.of(failed.right());
                    default -> Optional.<RunRight>empty();
                };
        if (over.isEmpty()) {
            return;
        }
        var right = over.get();
        assertThat(right.epoch().isAfter(onDisk)).as("could start again: " + where).isFalse();
        assertThat(mayRun(after)).as("called over, but: " + where).isNotEqualTo(Optional.of(right));
        if (news instanceof VmInput.ReplicaStartFailed) {
            boolean known =
                    before.standing() instanceof Ended
                            || input instanceof ReplicaInput.StopDone
                            || (before.standing() instanceof Nothing
                                    && input instanceof ReplicaInput.Start start
                                    && !start.leaseLive());
            assertThat(known).as("told before it was cleared up: " + where).isTrue();
        }
    }

    private static Optional<RunRight> mayRun(ReplicaState state) {
        return switch (state.standing()) {
            case Nothing _, Ended _ -> Optional.empty();
            case InStart s -> Optional.of(s.right());
            case Runs s -> Optional.of(s.right());
            case InStop s -> Optional.of(s.right());
            case ClearingUp s -> Optional.of(s.right());
        };
    }

    static void check(
            TenureState before, TenureInput input, Turn<TenureState, TenureCommand> turn) {
        var where = "%s on %s -> %s".formatted(input, before, turn);
        Optional<TenureCommand.Keep> kept = Optional.empty();
        for (var command : turn.commands()) {
            switch (command) {
                case TenureCommand.Keep keep -> kept = Optional.of(keep);
                case TenureCommand.HoldLease(var incarnation) -> {
                    assertThat(
                                    !incarnation.equals(Incarnation.NONE)
                                            && isClean(before, incarnation))
                            .as("a clean incarnation is revived: " + where)
                            .isFalse();
                    boolean serves =
                            turn.state() instanceof TenureState.Serving s
                                    && s.held().equals(incarnation);
                    assertThat(serves || incarnation.equals(Incarnation.NONE)).as(where).isTrue();
                }
                case TenureCommand.Join(var holding, var clean) -> {
                    boolean onDisk =
                            kept.filter(k -> k.clean() && k.incarnation().equals(holding))
                                    .isPresent();
                    assertThat(!clean || onDisk || isClean(before, holding))
                            .as("said to be clean before it is on disk: " + where)
                            .isTrue();
                }
                case TenureCommand.Pass(VmAction.StartReplica(var right, _)) -> {
                    assertThat(right.incarnation()).as(where).isEqualTo(before.held());
                    assertThat(isClean(before, right.incarnation())).as(where).isFalse();
                    assertThat(before)
                            .as(where)
                            .isNotInstanceOfAny(
                                    TenureState.Adopting.class, TenureState.Cleaning.class);
                }
                case TenureCommand.Pass _, TenureCommand.Adopt _, TenureCommand.Clean _ -> {}
            }
        }
        if (turn.state() instanceof TenureState.Serving serving
                && !(before instanceof TenureState.Serving)) {
            assertThat(kept)
                    .as("served before it is on disk: " + where)
                    .contains(new TenureCommand.Keep(serving.held(), false));
        }
        if (isClean(turn.state(), turn.state().held()) && !isClean(before, turn.state().held())) {
            assertThat(input).as(where).isInstanceOf(TenureInput.CleanDone.class);
        }
    }

    private static boolean isClean(TenureState state, Incarnation incarnation) {
        return switch (state) {
            case TenureState.Adopting(var held, var clean, _) -> clean && held.equals(incarnation);
            case TenureState.Asking(var held, var clean) -> clean && held.equals(incarnation);
            case TenureState.Serving _, TenureState.Cleaning _ -> false;
        };
    }
}
