package dev.belay.decision;

import dev.belay.decision.ReplicaCommand.Await;
import dev.belay.decision.ReplicaCommand.End;
import dev.belay.decision.ReplicaCommand.KeepFloor;
import dev.belay.decision.ReplicaCommand.Part;
import dev.belay.decision.ReplicaCommand.Prepare;
import dev.belay.decision.ReplicaCommand.Raise;
import dev.belay.decision.ReplicaCommand.Tell;
import dev.belay.decision.ReplicaState.Alone;
import dev.belay.decision.ReplicaState.Bond;
import dev.belay.decision.ReplicaState.Follows;
import dev.belay.decision.ReplicaState.InStop;
import dev.belay.decision.ReplicaState.Leads;
import dev.belay.decision.ReplicaState.Parting;
import dev.belay.decision.ReplicaState.Raising;
import dev.belay.decision.ReplicaState.Runs;
import dev.belay.model.RunRight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a replica that runs does with one on another server, as plain values.
 *
 * <pre>
 *  Alone --RaisePair--> Raising --Raised--> Leads          Follows
 *    ^ ^                   |                  |               |
 *    | +---- RaiseBroke ---+ (if undone)    GoSolo          GoSolo
 *    +------------------------- Parted -- Parting <-----------+
 * </pre>
 *
 * <p>Invariants: with each second one a replica is raised once at most, over restarts of the
 * process too, for the floor covers the pair: an order that was held up on its way never starts one
 * that was given up. It leaves a partner only for an order that names this partner or a newer one.
 */
final class ReplicaErrands {
    /** So many tries to go on alone; then it is of no use, and is started anew. */
    static final int TRIES = 5;

    private ReplicaErrands() {}

    // ---- the second one

    /** Ordered again while it lives. */
    static Turn<ReplicaState, ReplicaCommand> prepare(
            ReplicaState state, Runs runs, ReplicaInput.Start order) {
        var primary = order.primary().orElseThrow();
        if (!(runs.bond() instanceof Follows(var leader, var at)) || !leader.equals(primary)) {
            return Turn.of(state);
        }
        return Turn.of(
                state,
                at.<ReplicaCommand>map(
                                known -> new Tell(new VmInput.SecondaryReady(runs.right(), known)))
                        .orElseGet(() -> new Prepare(runs.right(), primary, order.spec())));
    }

    /** The hypervisor knew it still. */
    static Turn<ReplicaState, ReplicaCommand> prepared(
            ReplicaState state, Runs runs, ReplicaInput.Prepared prepared) {
        return runs.bond() instanceof Follows(var primary, _) && primary.equals(prepared.primary())
                ? Turn.of(
                        state.standing(runs.with(new Follows(primary, Optional.of(prepared.at())))),
                        new Tell(new VmInput.SecondaryReady(runs.right(), prepared.at())))
                : Turn.of(state);
    }

    /** What it sees only the hypervisor knows, also for a process that came up since. */
    static Turn<ReplicaState, ReplicaCommand> await(
            ReplicaState state, Runs runs, ReplicaInput.AwaitLockstep order) {
        return follows(runs, order.primary())
                ? Turn.of(state, new Await(runs.right(), order.primary()))
                : Turn.of(state);
    }

    static Turn<ReplicaState, ReplicaCommand> inLockstep(
            ReplicaState state, Runs runs, ReplicaInput.InLockstep seen) {
        return follows(runs, seen.primary())
                ? Turn.of(state, new Tell(new VmInput.LockstepSeen(seen.primary(), runs.right())))
                : Turn.of(state);
    }

    private static boolean follows(Runs runs, RunRight primary) {
        return runs.bond() instanceof Follows s && s.primary().equals(primary);
    }

    // ---- the first one

    static Turn<ReplicaState, ReplicaCommand> raise(
            ReplicaState state, Runs runs, ReplicaInput.RaisePair order) {
        var secondary = order.secondary();
        return switch (runs.bond()) {
            case Alone _ when !secondary.epoch().isAfter(state.floor()) ->
                    Turn.of(
                            state,
                            new Tell(
                                    new VmInput.RaiseFailed(
                                            runs.right(),
                                            secondary,
                                            "it was begun and is over here already")));
            case Alone _ -> {
                var next = state.refusing(secondary.epoch());
                yield Turn.of(
                        next.standing(runs.with(new Raising(secondary, true))),
                        new KeepFloor(next.floor()),
                        new Raise(runs.right(), secondary, order.at()));
            }
            case Raising s when s.secondary().equals(secondary) ->
                    s.inHand()
                            ? Turn.of(state)
                            : Turn.of(
                                    state.standing(runs.with(new Raising(secondary, true))),
                                    new Raise(runs.right(), secondary, order.at()));
            case Leads s when s.secondary().equals(secondary) ->
                    Turn.of(
                            state,
                            new Tell(new VmInput.PairRaised(runs.right(), secondary, List.of())));
            // The one that it has is given up, or else there would be no newer one.
            case Raising s when secondary.epoch().isAfter(s.secondary().epoch()) ->
                    part(state, runs, s.secondary(), 1);
            case Leads s when secondary.epoch().isAfter(s.secondary().epoch()) ->
                    part(state, runs, s.secondary(), 1);
            case Raising _, Leads _, Follows _, Parting _ -> Turn.of(state);
        };
    }

    static Turn<ReplicaState, ReplicaCommand> step(
            ReplicaState state, Runs runs, ReplicaInput.RaiseStep step) {
        return isRaising(runs, step.secondary())
                ? Turn.of(
                        state,
                        new Tell(
                                new VmInput.RaiseAdvanced(
                                        runs.right(),
                                        step.secondary(),
                                        step.stage(),
                                        step.percent())))
                : Turn.of(state);
    }

    static Turn<ReplicaState, ReplicaCommand> raised(
            ReplicaState state, Runs runs, ReplicaInput.Raised raised) {
        return isRaising(runs, raised.secondary())
                ? Turn.of(
                        state.standing(runs.with(new Leads(raised.secondary()))),
                        new Tell(
                                new VmInput.PairRaised(
                                        runs.right(), raised.secondary(), raised.timings())))
                : Turn.of(state);
    }

    static Turn<ReplicaState, ReplicaCommand> broke(
            ReplicaState state, Runs runs, ReplicaInput.RaiseBroke broke) {
        var secondary = broke.secondary();
        if (!isRaising(runs, secondary)) {
            return Turn.of(state);
        }
        if (!broke.undone()) {
            // Told again whenever the entity asks, until it orders to go on alone.
            return trouble(
                    state,
                    runs.with(new Raising(secondary, false)),
                    new VmInput.PartnerLost(runs.right(), secondary, broke.why()));
        }
        return Turn.of(
                state.standing(alone(runs)),
                new Tell(new VmInput.RaiseFailed(runs.right(), secondary, broke.why())));
    }

    private static boolean isRaising(Runs runs, RunRight secondary) {
        return runs.bond() instanceof Raising s && s.secondary().equals(secondary);
    }

    // ---- alone again

    static Turn<ReplicaState, ReplicaCommand> goSolo(
            ReplicaState state, Runs runs, ReplicaInput.GoSolo order) {
        var loser = order.loser();
        var turn =
                switch (runs.bond()) {
                    case Alone _ -> done(state, runs, loser);
                    case Raising s -> leave(state, runs, s.secondary(), loser);
                    case Leads s -> leave(state, runs, s.secondary(), loser);
                    case Follows s when s.primary().equals(loser) -> part(state, runs, loser, 1);
                    case Follows _ -> Turn.<ReplicaState, ReplicaCommand>of(state);
                    case Parting s when s.inHand() -> Turn.<ReplicaState, ReplicaCommand>of(state);
                    case Parting s when s.tries() >= TRIES -> giveUp(state, runs);
                    case Parting s -> part(state, runs, s.loser(), s.tries() + 1);
                };
        return refusing(state, loser, turn);
    }

    /** An order for one that is left already is held up on its way, and not about this one. */
    private static Turn<ReplicaState, ReplicaCommand> leave(
            ReplicaState state, Runs runs, RunRight partner, RunRight loser) {
        return partner.epoch().isAfter(loser.epoch())
                ? done(state, runs, loser)
                : part(state, runs, partner, 1);
    }

    private static Turn<ReplicaState, ReplicaCommand> done(
            ReplicaState state, Runs runs, RunRight loser) {
        return Turn.of(state, new Tell(new VmInput.SoloDone(runs.right(), loser, List.of())));
    }

    private static Turn<ReplicaState, ReplicaCommand> part(
            ReplicaState state, Runs runs, RunRight loser, int tries) {
        return Turn.of(
                state.standing(runs.with(new Parting(loser, tries, true))),
                new Part(runs.right(), loser));
    }

    private static Turn<ReplicaState, ReplicaCommand> giveUp(ReplicaState state, Runs runs) {
        return Turn.of(
                state.standing(new InStop(runs.right(), true, true)), new End(runs.right(), true));
    }

    /** A raise with one that lost, held up on its way, is refused from here on. */
    private static Turn<ReplicaState, ReplicaCommand> refusing(
            ReplicaState before, RunRight loser, Turn<ReplicaState, ReplicaCommand> turn) {
        if (!loser.epoch().isAfter(before.floor())) {
            return turn;
        }
        var commands = new ArrayList<ReplicaCommand>();
        commands.add(new KeepFloor(loser.epoch()));
        commands.addAll(turn.commands());
        return new Turn<>(turn.state().refusing(loser.epoch()), commands);
    }

    static Turn<ReplicaState, ReplicaCommand> parted(
            ReplicaState state, Runs runs, ReplicaInput.Parted parted) {
        return isParting(runs, parted.loser())
                ? Turn.of(
                        state.standing(alone(runs)),
                        new Tell(
                                new VmInput.SoloDone(
                                        runs.right(), parted.loser(), parted.timings())))
                : Turn.of(state);
    }

    static Turn<ReplicaState, ReplicaCommand> partFailed(
            ReplicaState state, Runs runs, ReplicaInput.PartFailed failed) {
        return runs.bond() instanceof Parting(var loser, var tries, _)
                        && loser.equals(failed.loser())
                ? Turn.of(state.standing(runs.with(new Parting(loser, tries, false))))
                : Turn.of(state);
    }

    private static boolean isParting(Runs runs, RunRight loser) {
        return runs.bond() instanceof Parting s && s.loser().equals(loser);
    }

    /** What was wrong with the pair is over with it. */
    private static Runs alone(Runs runs) {
        return runs.with(new Alone()).with(runs.trouble().filter(news -> !isOfPair(news)));
    }

    // ---- trouble

    /** The trouble of the guest itself is not forgotten for that of the pair. */
    static Turn<ReplicaState, ReplicaCommand> trouble(ReplicaState state, Runs runs, VmInput news) {
        if (!isOfPair(news)) {
            return Turn.of(state.standing(runs.with(Optional.of(news))), new Tell(news));
        }
        if (partner(runs.bond()).isEmpty()) {
            return Turn.of(state);
        }
        boolean first = runs.trouble().filter(known -> !isOfPair(known)).isEmpty();
        return Turn.of(state.standing(first ? runs.with(Optional.of(news)) : runs), new Tell(news));
    }

    private static boolean isOfPair(VmInput news) {
        return news instanceof VmInput.PairNews;
    }

    /** The other one of the pair, as long as neither is told to go on alone. */
    static Optional<RunRight> partner(Bond bond) {
        return switch (bond) {
            case Alone _, Parting _ -> Optional.empty();
            case Raising s -> Optional.of(s.secondary());
            case Leads s -> Optional.of(s.secondary());
            case Follows s -> Optional.of(s.primary());
        };
    }
}
