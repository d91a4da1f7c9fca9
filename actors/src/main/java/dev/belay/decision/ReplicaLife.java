package dev.belay.decision;

import dev.belay.decision.ReplicaCommand.End;
import dev.belay.decision.ReplicaCommand.KeepFloor;
import dev.belay.decision.ReplicaCommand.Launch;
import dev.belay.decision.ReplicaCommand.Prepare;
import dev.belay.decision.ReplicaCommand.Tell;
import dev.belay.decision.ReplicaState.ClearingUp;
import dev.belay.decision.ReplicaState.Ended;
import dev.belay.decision.ReplicaState.InStart;
import dev.belay.decision.ReplicaState.InStop;
import dev.belay.decision.ReplicaState.Nothing;
import dev.belay.decision.ReplicaState.Runs;
import dev.belay.decision.VmInput.Cause;
import dev.belay.decision.VmInput.ReplicaGone;
import dev.belay.decision.VmInput.Timing;
import dev.belay.model.RunRight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The life of one VM's replicas on one server, as plain values.
 *
 * <pre>
 *               +------ StartFailed ----> ClearingUp --StopDone--> Ended (tells ReplicaStartFailed)
 *               |
 *  Nothing --Start--> InStart --Started--> Runs --Gone--> Ended (tells ReplicaGone)
 *     |                  |                  |               ^  |
 *     +------- Stop -----+------ Stop ------+--> InStop ----+  +-- Start of a newer right --> InStart
 * </pre>
 *
 * <p>Invariants: an epoch is begun here once at most, over restarts of the process too: the floor
 * is on disk before the hypervisor hears of it (safety.md 19). "It does not run" is told only when
 * nothing of it runs and the floor says that nothing of it will (safety.md 6). What a running one
 * does with one on another server: {@link ReplicaErrands}.
 */
public final class ReplicaLife {
    private ReplicaLife() {}

    public static Turn<ReplicaState, ReplicaCommand> decide(
            ReplicaState state, ReplicaInput input) {
        return switch (input) {
            case ReplicaInput.Start order -> start(state, order);
            case ReplicaInput.Stop order -> stop(state, order);
            case ReplicaInput.Confirm order -> confirm(state, order);
            case ReplicaInput.Found found -> found(state, found);
            case ReplicaInput.Started started -> started(state, started);
            case ReplicaInput.StartedAndEnded(var right, var detail) ->
                    inStart(state, right)
                            ? ended(state, right, Cause.DIED, detail)
                            : Turn.of(state);
            case ReplicaInput.StartFailed failed ->
                    inStart(state, failed.right()) ? clearUp(state, failed) : Turn.of(state);
            case ReplicaInput.StopDone(var right) -> stopDone(state, right);
            case ReplicaInput.StopFailed(var right, _) -> stopFailed(state, right);
            case ReplicaInput.Gone(var right, var cause, var detail) ->
                    state.standing() instanceof Runs runs && runs.right().equals(right)
                            ? ended(state, right, cause, detail)
                            : Turn.of(state);
            case ReplicaInput.InTrouble(var right, var news) ->
                    ifRuns(state, right, runs -> ReplicaErrands.trouble(state, runs, news));
            case ReplicaInput.Prepared prepared -> prepared(state, prepared);
            case ReplicaInput.AwaitLockstep order ->
                    ifRuns(state, order.right(), runs -> ReplicaErrands.await(state, runs, order));
            case ReplicaInput.InLockstep seen ->
                    ifRuns(
                            state,
                            seen.right(),
                            runs -> ReplicaErrands.inLockstep(state, runs, seen));
            case ReplicaInput.RaisePair order ->
                    ifRuns(state, order.right(), runs -> ReplicaErrands.raise(state, runs, order));
            case ReplicaInput.RaiseStep step ->
                    ifRuns(state, step.right(), runs -> ReplicaErrands.step(state, runs, step));
            case ReplicaInput.Raised raised ->
                    ifRuns(
                            state,
                            raised.right(),
                            runs -> ReplicaErrands.raised(state, runs, raised));
            case ReplicaInput.RaiseBroke broke ->
                    ifRuns(state, broke.right(), runs -> ReplicaErrands.broke(state, runs, broke));
            case ReplicaInput.GoSolo order ->
                    ifRuns(state, order.right(), runs -> ReplicaErrands.goSolo(state, runs, order));
            case ReplicaInput.Parted parted ->
                    ifRuns(
                            state,
                            parted.right(),
                            runs -> ReplicaErrands.parted(state, runs, parted));
            case ReplicaInput.PartFailed failed ->
                    ifRuns(
                            state,
                            failed.right(),
                            runs -> ReplicaErrands.partFailed(state, runs, failed));
        };
    }

    /** Of a replica that does not run nothing is told here: the entity asks, and hears its end. */
    private static Turn<ReplicaState, ReplicaCommand> ifRuns(
            ReplicaState state,
            RunRight right,
            Function<Runs, Turn<ReplicaState, ReplicaCommand>> errand) {
        return state.standing() instanceof Runs runs && runs.right().equals(right)
                ? errand.apply(runs)
                : Turn.of(state);
    }

    // ---- start

    private static Turn<ReplicaState, ReplicaCommand> start(
            ReplicaState state, ReplicaInput.Start order) {
        var right = order.right();
        return switch (state.standing()) {
            case Runs s when s.right().equals(right) && order.primary().isPresent() ->
                    ReplicaErrands.prepare(state, s, order);
            case Runs s when s.right().equals(right) ->
                    Turn.of(
                            state,
                            new Tell(new VmInput.ReplicaStarted(right, s.detail(), List.of())));
            case ClearingUp s when s.right().equals(right) -> clearUpAgain(state, s);
            case Ended s when s.right().equals(right) -> Turn.of(state, new Tell(s.news()));
            // Only once its end has been seen: a QEMU that is being killed still runs.
            case Nothing _, Ended _ when !right.epoch().isAfter(state.floor()) ->
                    Turn.of(
                            state,
                            new Tell(
                                    new ReplicaGone(
                                            right,
                                            Cause.STOPPED,
                                            "it was begun and has ended here already")));
            case InStop s when !s.inHand() && !right.epoch().isAfter(s.right().epoch()) ->
                    stopAgain(state, s);
            case Nothing _, Runs _, Ended _, InStop _, ClearingUp _
                    when !right.epoch().isAfter(state.floor()) ->
                    Turn.of(state);
            // One thing at a time: the entity repeats its order until it is answered.
            case InStart _ -> Turn.of(state);
            case InStop s when s.inHand() -> Turn.of(state);
            case ClearingUp s when s.inHand() -> Turn.of(state);
            case Nothing _, Runs _, Ended _, InStop _, ClearingUp _ -> begin(state, order);
        };
    }

    private static Turn<ReplicaState, ReplicaCommand> begin(
            ReplicaState state, ReplicaInput.Start order) {
        var right = order.right();
        if (!order.leaseLive()) {
            var next = state.refusing(right.epoch());
            var failed =
                    new VmInput.ReplicaStartFailed(
                            right,
                            "the server holds no live lease for its incarnation",
                            true,
                            true);
            return next.standing() instanceof Nothing || next.standing() instanceof Ended
                    ? Turn.of(
                            next.standing(new Ended(right, failed)),
                            new KeepFloor(next.floor()),
                            new Tell(failed))
                    : Turn.of(
                            next.standing(new ClearingUp(right, failed, true)),
                            new KeepFloor(next.floor()),
                            new End(right, true));
        }
        var next = state.refusing(right.epoch());
        return Turn.of(
                next.standing(new InStart(right, Optional.empty())),
                new KeepFloor(next.floor()),
                order.primary()
                        .<ReplicaCommand>map(primary -> new Prepare(right, primary, order.spec()))
                        .orElseGet(() -> new Launch(right, order.spec())));
    }

    private static boolean inStart(ReplicaState state, RunRight right) {
        return state.standing() instanceof InStart s && s.right().equals(right);
    }

    private static Turn<ReplicaState, ReplicaCommand> started(
            ReplicaState state, ReplicaInput.Started started) {
        var right = started.right();
        if (!inStart(state, right)) {
            return Turn.of(state);
        }
        var timing = new Timing("storage daemon, leash and QEMU started", started.tookMs());
        return then(
                state,
                Turn.of(
                        state.standing(new Runs(right, started.detail(), Optional.empty())),
                        new Tell(
                                new VmInput.ReplicaStarted(
                                        right, started.detail(), List.of(timing)))));
    }

    private static Turn<ReplicaState, ReplicaCommand> prepared(
            ReplicaState state, ReplicaInput.Prepared prepared) {
        var right = prepared.right();
        if (!inStart(state, right)) {
            return ifRuns(state, right, runs -> ReplicaErrands.prepared(state, runs, prepared));
        }
        return then(
                state,
                Turn.of(
                        state.standing(
                                new Runs(
                                        right,
                                        "waits for " + prepared.primary(),
                                        Optional.empty(),
                                        new ReplicaState.Follows(
                                                prepared.primary(), Optional.of(prepared.at())))),
                        new Tell(new VmInput.SecondaryReady(right, prepared.at()))));
    }

    /** With the stop that came during the start. */
    private static Turn<ReplicaState, ReplicaCommand> then(
            ReplicaState before, Turn<ReplicaState, ReplicaCommand> turn) {
        if (!(before.standing() instanceof InStart(_, var stop)) || stop.isEmpty()) {
            return turn;
        }
        var more = stop(turn.state(), stop.get());
        var commands = new ArrayList<>(turn.commands());
        commands.addAll(more.commands());
        return new Turn<>(more.state(), commands);
    }

    /** "Could not be started" says that nothing of it runs, so that is made true first. */
    private static Turn<ReplicaState, ReplicaCommand> clearUp(
            ReplicaState state, ReplicaInput.StartFailed failed) {
        var right = failed.right();
        var news =
                new VmInput.ReplicaStartFailed(
                        right, failed.why(), failed.elsewhere(), failed.neverRan());
        return Turn.of(state.standing(new ClearingUp(right, news, true)), new End(right, true));
    }

    private static Turn<ReplicaState, ReplicaCommand> clearUpAgain(
            ReplicaState state, ClearingUp s) {
        return s.inHand()
                ? Turn.of(state)
                : Turn.of(
                        state.standing(new ClearingUp(s.right(), s.news(), true)),
                        new End(s.right(), true));
    }

    // ---- stop

    private static Turn<ReplicaState, ReplicaCommand> stop(
            ReplicaState state, ReplicaInput.Stop order) {
        var right = order.right();
        return switch (state.standing()) {
            case InStart s when !s.right().epoch().isAfter(right.epoch()) ->
                    refusing(
                            state,
                            right,
                            state.standing(new InStart(s.right(), Optional.of(order))));
            // A newer right starts: starting it ends the older ones first.
            case InStart _ -> Turn.of(state);
            case ClearingUp s when !right.epoch().isAfter(s.right().epoch()) ->
                    clearUpAgain(state, s);
            case ClearingUp s when s.inHand() -> refusing(state, right, state);
            case InStop s when s.inHand() && (s.kill() || !order.kill()) ->
                    refusing(state, right, state);
            case Runs s when s.right().epoch().isAfter(right.epoch()) ->
                    Turn.of(state, new End(right, order.kill()));
            case InStop s when s.right().epoch().isAfter(right.epoch()) ->
                    Turn.of(state, new End(right, order.kill()));
            case Nothing _, Runs _, Ended _, InStop _, ClearingUp _ ->
                    refusing(
                            state,
                            right,
                            state.standing(new InStop(right, order.kill(), true)),
                            new End(right, order.kill()));
        };
    }

    private static Turn<ReplicaState, ReplicaCommand> stopAgain(ReplicaState state, InStop s) {
        return Turn.of(state.standing(new InStop(s.right(), true, true)), new End(s.right(), true));
    }

    /** The floor on disk first, when it grows. */
    private static Turn<ReplicaState, ReplicaCommand> refusing(
            ReplicaState before, RunRight right, ReplicaState after, ReplicaCommand... commands) {
        var next = after.refusing(right.epoch());
        if (next.floor().equals(before.floor())) {
            return new Turn<>(next, List.of(commands));
        }
        var all = new ArrayList<ReplicaCommand>();
        all.add(new KeepFloor(next.floor()));
        all.addAll(List.of(commands));
        return new Turn<>(next, all);
    }

    private static Turn<ReplicaState, ReplicaCommand> stopDone(ReplicaState state, RunRight right) {
        return switch (state.standing()) {
            case InStop s when !s.right().epoch().isAfter(right.epoch()) -> {
                var news = new ReplicaGone(s.right(), Cause.STOPPED, "stopped as ordered");
                yield Turn.of(state.standing(new Ended(s.right(), news)), new Tell(news));
            }
            case ClearingUp s when !s.right().epoch().isAfter(right.epoch()) ->
                    Turn.of(state.standing(new Ended(s.right(), s.news())), new Tell(s.news()));
            // Of something that was begun after it nothing is known yet.
            case InStart s when !s.right().epoch().isAfter(right.epoch()) -> Turn.of(state);
            case Runs s when !s.right().epoch().isAfter(right.epoch()) -> Turn.of(state);
            // An older right than the one that matters here.
            case Nothing _, InStart _, Runs _, InStop _, ClearingUp _, Ended _
                    when !right.epoch().isAfter(state.floor()) ->
                    Turn.of(
                            state,
                            new Tell(new ReplicaGone(right, Cause.STOPPED, "stopped as ordered")));
            case Nothing _, InStart _, Runs _, InStop _, ClearingUp _, Ended _ -> Turn.of(state);
        };
    }

    private static Turn<ReplicaState, ReplicaCommand> stopFailed(
            ReplicaState state, RunRight right) {
        return switch (state.standing()) {
            case InStop s when s.right().equals(right) ->
                    Turn.of(state.standing(new InStop(right, s.kill(), false)));
            case ClearingUp s when s.right().equals(right) ->
                    Turn.of(state.standing(new ClearingUp(right, s.news(), false)));
            case Nothing _, InStart _, Runs _, InStop _, ClearingUp _, Ended _ -> Turn.of(state);
        };
    }

    // ---- what is found and what happens

    private static Turn<ReplicaState, ReplicaCommand> confirm(
            ReplicaState state, ReplicaInput.Confirm order) {
        var right = order.right();
        return switch (state.standing()) {
            case Runs s when s.right().equals(right) && order.listed() ->
                    runsStill(state, s, order);
            // Its end may have been told before anybody listened: around an adoption, say.
            case Runs s when s.right().equals(right) ->
                    ended(state, right, Cause.DIED, "its end was not seen");
            case InStart s when s.right().equals(right) -> Turn.of(state);
            case InStop s when !right.epoch().isAfter(s.right().epoch()) ->
                    s.inHand() ? Turn.of(state) : stopAgain(state, s);
            case ClearingUp s when !right.epoch().isAfter(s.right().epoch()) ->
                    clearUpAgain(state, s);
            case Ended s when s.right().equals(right) -> Turn.of(state, new Tell(s.news()));
            // An older one may still be ended by the start of the newer.
            case InStart s when s.right().epoch().isAfter(right.epoch()) -> Turn.of(state);
            case Nothing _, InStart _, Runs _, InStop _, ClearingUp _, Ended _ ->
                    refusing(
                            state,
                            right,
                            state,
                            new Tell(
                                    new ReplicaGone(
                                            right,
                                            Cause.DIED,
                                            "no process of it was found on the server")));
        };
    }

    private static Turn<ReplicaState, ReplicaCommand> runsStill(
            ReplicaState state, Runs runs, ReplicaInput.Confirm order) {
        var commands = new ArrayList<ReplicaCommand>();
        order.lockstep()
                .filter(partner -> ReplicaErrands.partner(runs.bond()).equals(Optional.of(partner)))
                .ifPresent(partner ->
                        commands.add(new ReplicaCommand.NoteLockstep(runs.right(), partner)));
        runs.trouble().ifPresent(news -> commands.add(new Tell(news)));
        return new Turn<>(state, commands);
    }

    private static Turn<ReplicaState, ReplicaCommand> found(
            ReplicaState state, ReplicaInput.Found found) {
        var right = found.right();
        return switch (state.standing()) {
            case Nothing _ -> taken(state, found);
            case Ended s when right.epoch().isAfter(s.right().epoch()) -> taken(state, found);
            case Runs s when found.running() && right.epoch().isAfter(s.right().epoch()) -> {
                var turn = taken(state, found);
                var commands = new ArrayList<>(turn.commands());
                commands.add(new End(s.right(), true));
                yield new Turn<>(turn.state(), commands);
            }
            case Runs s when found.running() && s.right().epoch().isAfter(right.epoch()) ->
                    Turn.of(state, new End(right, true));
            case Ended _ when found.running() ->
                    Turn.of(state.standing(new InStop(right, true, true)), new End(right, true));
            case Runs _, Ended _, InStart _, InStop _, ClearingUp _ -> Turn.of(state);
        };
    }

    private static Turn<ReplicaState, ReplicaCommand> taken(
            ReplicaState state, ReplicaInput.Found found) {
        var right = found.right();
        return found.running()
                ? Turn.of(
                        state.standing(
                                new Runs(right, found.detail(), Optional.empty(), found.bond())),
                        new Tell(new VmInput.ReplicaSeen(right)))
                : ended(state, right, Cause.DIED, found.detail());
    }

    private static Turn<ReplicaState, ReplicaCommand> ended(
            ReplicaState state, RunRight right, Cause cause, String detail) {
        var news = new ReplicaGone(right, cause, detail);
        return refusing(state, right, state.standing(new Ended(right, news)), new Tell(news));
    }
}
