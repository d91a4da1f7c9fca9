package dev.belay.decision;

import dev.belay.decision.TenureCommand.Adopt;
import dev.belay.decision.TenureCommand.Clean;
import dev.belay.decision.TenureCommand.HoldLease;
import dev.belay.decision.TenureCommand.Join;
import dev.belay.decision.TenureCommand.Keep;
import dev.belay.decision.TenureCommand.Pass;
import dev.belay.decision.TenureState.Adopting;
import dev.belay.decision.TenureState.Asking;
import dev.belay.decision.TenureState.Cleaning;
import dev.belay.decision.TenureState.Serving;
import dev.belay.model.Incarnation;

/**
 * How a server's node holds its incarnation, as plain values.
 *
 * <pre>
 *  Adopting --Adopted--> Asking --Welcome--> Serving
 *                         | ^ ^                | |
 *               MustClean | | +- LeaseRefused -+ | MustClean
 *                         v |                    |
 *                       Cleaning <---------------+
 * </pre>
 *
 * <p>Invariants: an incarnation that was declared clean is never served again, over restarts of the
 * process too: that is on disk before it is said. Nor is one of an earlier boot: a welcome to it is
 * late, and whoever takes it believes to be in while the journal waits for the next one. Orders to
 * start are taken only for the incarnation that is held (safety.md 1, 11).
 */
public final class Tenure {
    private Tenure() {}

    public static Turn<TenureState, TenureCommand> decide(TenureState state, TenureInput input) {
        return switch (state) {
            case Adopting s -> whenAdopting(s, input);
            case Asking s -> whenAsking(s, input);
            case Serving s -> whenServing(s, input);
            case Cleaning s -> whenCleaning(s, input);
        };
    }

    /** Whatever is said now is said again once it is known what runs. */
    private static Turn<TenureState, TenureCommand> whenAdopting(Adopting s, TenureInput input) {
        return switch (input) {
            case TenureInput.Adopted() ->
                    s.rebooted() && !s.clean()
                            ? clean(s.held(), s.held())
                            : ask(s.held(), s.clean());
            case TenureInput.Tick() -> Turn.of(s, new Adopt());
            case TenureInput.Welcome _,
                    TenureInput.MustClean _,
                    TenureInput.CleanDone _,
                    TenureInput.CleanFailed _,
                    TenureInput.LeaseRefused _,
                    TenureInput.Ordered _ ->
                    Turn.of(s);
        };
    }

    private static Turn<TenureState, TenureCommand> whenAsking(Asking s, TenureInput input) {
        return switch (input) {
            case TenureInput.Tick() -> ask(s.held(), s.clean());
            // One that comes late must not revive an incarnation that was declared clean, ...
            case TenureInput.Welcome(var incarnation)
                    when s.held().isAfter(incarnation)
                            || (s.clean() && s.held().equals(incarnation)) ->
                    Turn.of(s);
            // ... and what ran before a newer one has to be gone: that is what it was given for.
            case TenureInput.Welcome(var incarnation)
                    when !s.clean() && !s.held().equals(incarnation) ->
                    clean(s.held(), incarnation);
            case TenureInput.Welcome(var incarnation) ->
                    Turn.of(
                            new Serving(incarnation),
                            new Keep(incarnation, false),
                            new HoldLease(incarnation));
            case TenureInput.MustClean(var upTo, _)
                    when s.held().isAfter(upTo) && !upTo.equals(Incarnation.NONE) ->
                    Turn.of(s);
            case TenureInput.MustClean(var upTo, _) when s.clean() && s.held().equals(upTo) ->
                    Turn.of(s);
            case TenureInput.MustClean(var upTo, _) -> clean(s.held(), upTo);
            case TenureInput.Ordered(var order) -> order(s, s.held(), !s.clean(), order);
            case TenureInput.LeaseRefused(var incarnation) ->
                    incarnation.equals(s.held()) ? ask(s.held(), s.clean()) : Turn.of(s);
            case TenureInput.Adopted _, TenureInput.CleanDone _, TenureInput.CleanFailed _ ->
                    Turn.of(s);
        };
    }

    private static Turn<TenureState, TenureCommand> whenServing(Serving s, TenureInput input) {
        return switch (input) {
            case TenureInput.Tick() -> Turn.of(s, new Join(s.held(), false));
            case TenureInput.Welcome(var incarnation) when incarnation.equals(s.held()) ->
                    Turn.of(s, new HoldLease(incarnation));
            case TenureInput.Welcome(var incarnation) when incarnation.isAfter(s.held()) ->
                    clean(s.held(), incarnation);
            case TenureInput.Welcome _ -> Turn.of(s);
            case TenureInput.MustClean(var upTo, var fenced)
                    when s.held().isAfter(upTo) || (s.held().equals(upTo) && !fenced) ->
                    Turn.of(s);
            case TenureInput.MustClean(var upTo, _) -> clean(s.held(), upTo);
            case TenureInput.LeaseRefused(var incarnation) ->
                    incarnation.equals(s.held()) ? ask(s.held(), false) : Turn.of(s);
            case TenureInput.Ordered(var order) -> order(s, s.held(), true, order);
            case TenureInput.Adopted _, TenureInput.CleanDone _, TenureInput.CleanFailed _ ->
                    Turn.of(s);
        };
    }

    /** Nothing is said of what runs here, and nothing is taken, until it is all gone. */
    private static Turn<TenureState, TenureCommand> whenCleaning(Cleaning s, TenureInput input) {
        return switch (input) {
            case TenureInput.CleanDone() ->
                    Turn.of(
                            new Asking(s.upTo(), true),
                            new Keep(s.upTo(), true),
                            new Join(s.upTo(), true));
            case TenureInput.CleanFailed() -> Turn.of(new Cleaning(s.held(), s.upTo(), false));
            case TenureInput.Tick() when !s.inHand() -> clean(s.held(), s.upTo());
            case TenureInput.Tick _,
                    TenureInput.Adopted _,
                    TenureInput.Welcome _,
                    TenureInput.MustClean _,
                    TenureInput.LeaseRefused _,
                    TenureInput.Ordered _ ->
                    Turn.of(s);
        };
    }

    private static Turn<TenureState, TenureCommand> ask(Incarnation held, boolean clean) {
        return Turn.of(new Asking(held, clean), new Join(held, clean));
    }

    private static Turn<TenureState, TenureCommand> clean(Incarnation held, Incarnation upTo) {
        return Turn.of(
                new Cleaning(held, upTo, true), new HoldLease(Incarnation.NONE), new Clean(upTo));
    }

    /**
     * @param usable whether {@code held} may still run something
     */
    private static Turn<TenureState, TenureCommand> order(
            TenureState state, Incarnation held, boolean usable, VmAction order) {
        boolean taken =
                switch (order) {
                    case VmAction.StopReplica _ -> true;
                    case VmAction.Order forRight ->
                            usable && forRight.right().incarnation().equals(held);
                    case VmAction.Reserve _,
                            VmAction.Release _,
                            VmAction.AskStanding _,
                            VmAction.WakeAfter _,
                            VmAction.OutliveAfter _,
                            VmAction.InsistAfter _,
                            VmAction.OverdueAfter _,
                            VmAction.HandOverAfter _,
                            VmAction.SettleAfter _ ->
                            false;
                };
        return taken ? Turn.of(state, new Pass(order)) : Turn.of(state);
    }
}
