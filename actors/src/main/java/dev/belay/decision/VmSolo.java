package dev.belay.decision;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Present;
import dev.belay.decision.VmState.Stopped;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a VM on two servers goes on on one.
 *
 * <pre>
 *  Lockstep --one is lost, fails, or is not wanted--> GoingSolo --SoloDone--> Running
 *     |                   (SoloGranted)                   |
 *     +-- both servers are lost --> FailingOver <---------+-- the winner's server is lost, too
 * </pre>
 *
 * <p>Invariant: of two in lockstep one is chosen, in the journal, before either is told; the other
 * is never heard again, and the newest bytes are the winner's (safety.md 5, 7). The winner does not
 * wait for the loser's end: a primary without its secondary is not heard until it is told to go on
 * alone, a secondary never was.
 */
final class VmSolo {
    /** What is planned waits so long for a checkpoint, which takes a tenth of that or less. */
    private static final Duration CHECKPOINT_LIMIT = Duration.ofSeconds(1);

    private VmSolo() {}

    // ---- one of two

    static Decision<VmEvent, VmAction> whenLockstep(Lockstep s, Context now, VmInput input) {
        return switch (input) {
            // The claimant speaks, so it is there.
            case VmInput.PartnerLost(var claimant, var partner, var why)
                    when isOf(s, claimant, partner) && lives(now, claimant) ->
                    failover(s, now, claimant, "%s lost its partner: %s".formatted(claimant, why))
                            .accepted();
            case VmInput.HandOver(var primary, var secondary, var asked)
                    when primary.equals(s.primary())
                            && secondary.equals(s.secondary())
                            && (asked || isToBeEmptied(s, now))
                            && canWin(now, secondary) ->
                    failover(s, now, secondary, whyHandOver(s, asked)).accepted();
            case VmInput.Settled(var epoch)
                    when epoch.equals(s.secondary().epoch()) && s.vm().pursuit().failures() > 0 ->
                    new VmSteps(now, s).add(new VmEvent.VmSettled(now.at(), epoch)).accepted();
            case VmInput.Tick _ when !s.vm().wantsPair() ->
                    windDown(new VmSteps(now, s), s).accepted();
            case VmInput.Tick _ -> empty(s, now);
            case VmInput.GuestPanicked(var right)
                    when right.equals(s.primary()) && lives(now, right) ->
                    VmRecovery.stopToRestart(
                                    choose(
                                            new VmSteps(now, s),
                                            right,
                                            s.secondary(),
                                            "the guest's kernel panicked"),
                                    right,
                                    "the guest's kernel panicked",
                                    false)
                            .accepted();
            default -> {
                var first = trouble(input, s.primary());
                if (first.isPresent()) {
                    yield primaryFails(s, now, input, first.get());
                }
                var second = trouble(input, s.secondary());
                yield second.isPresent() && canWin(now, s.primary())
                        ? failover(s, now, s.primary(), second.get()).accepted()
                        : VmLife.ignoredNews("it runs on two servers", input);
            }
        };
    }

    private static boolean isOf(Lockstep s, RunRight one, RunRight other) {
        return (one.equals(s.primary()) && other.equals(s.secondary()))
                || (one.equals(s.secondary()) && other.equals(s.primary()));
    }

    private static Decision<VmEvent, VmAction> primaryFails(
            Lockstep s, Context now, VmInput input, String why) {
        if (canWin(now, s.secondary())) {
            return failover(s, now, s.secondary(), why).accepted();
        }
        boolean both = isLost(input, s.primary()) && !lives(now, s.secondary());
        if (!both) {
            return VmLife.ignored(
                    "%s, and %s does not answer now: it is asked for again"
                            .formatted(why, s.secondary()));
        }
        // Whatever the secondary's server still runs was never told to be heard.
        var steps =
                new VmSteps(now, s)
                        .add(
                                new VmEvent.PairLost(
                                        now.at(),
                                        s.primary(),
                                        s.secondary(),
                                        "both its servers are lost"))
                        .act(new VmAction.StopReplica(s.secondary(), true));
        if (VmLife.whenRunning((VmState.Running) steps.state(), now, input)
                instanceof Accepted<VmEvent, VmAction>(var events, var actions)) {
            events.forEach(steps::add);
            actions.forEach(steps::act);
        }
        return steps.accepted();
    }

    /** With a report, which says that the guest did not notice. */
    private static VmSteps failover(Lockstep s, Context now, RunRight winner, String why) {
        var steps = new VmSteps(now, s);
        VmRecovery.begin(steps, s.primary(), why, false);
        return solo(
                steps.step(why),
                winner,
                winner.equals(s.primary()) ? s.secondary() : s.primary(),
                why);
    }

    private static VmSteps solo(VmSteps steps, RunRight winner, RunRight loser, String why) {
        return choose(
                steps.step(
                                "chose %s on %s to go on alone; %s on %s is outdated"
                                        .formatted(
                                                winner.epoch(),
                                                winner.server(),
                                                loser.epoch(),
                                                loser.server()))
                        .act(new VmAction.GoSolo(winner, loser)),
                winner,
                loser,
                why);
    }

    private static VmSteps choose(VmSteps steps, RunRight winner, RunRight loser, String why) {
        return steps.add(new VmEvent.SoloGranted(steps.now().at(), winner, loser, why))
                .act(new VmAction.StopReplica(loser, true));
    }

    private static Decision<VmEvent, VmAction> empty(Lockstep s, Context now) {
        return Emptying.stays(s, now)
                .filter(stays -> canWin(now, stays))
                .map(stays ->
                        stays.equals(s.secondary())
                                ? handOver(s, now, false)
                                : failover(s, now, stays, Emptying.why(s.secondary())).accepted())
                .orElseGet(() -> VmLife.ignored("it runs on two servers"));
    }

    static Decision<VmEvent, VmAction> switchover(Present state, Context now) {
        return state instanceof Lockstep s && canWin(now, s.secondary())
                ? handOver(s, now, true)
                : VmLevels.notOnTwo(state);
    }

    /**
     * A connection that was opened since the last checkpoint may hang at the next failover after
     * this one. There is time to pass a checkpoint first; nothing is stored for it, and who fails
     * meanwhile fails as ever.
     */
    private static Decision<VmEvent, VmAction> handOver(Lockstep s, Context now, boolean asked) {
        return canWin(now, s.primary())
                ? new VmSteps(now, s)
                        .act(new VmAction.PassCheckpoint(s.primary(), s.secondary(), asked))
                        .act(
                                new VmAction.HandOverAfter(
                                        CHECKPOINT_LIMIT, s.primary(), s.secondary(), asked))
                        .accepted()
                : failover(s, now, s.secondary(), whyHandOver(s, asked)).accepted();
    }

    private static String whyHandOver(Lockstep s, boolean asked) {
        return asked ? "switchover, as asked" : Emptying.why(s.primary());
    }

    private static boolean isToBeEmptied(Lockstep s, Context now) {
        return Emptying.stays(s, now).filter(s.secondary()::equals).isPresent();
    }

    /** Two are not wanted any more: goes on on one, then does what else is wanted. */
    static VmSteps windDown(VmSteps steps, Lockstep s) {
        return winner(steps.now(), s)
                .map(winner -> solo(steps, winner, loser(s, winner), "one is enough from now on"))
                .orElse(steps);
    }

    /** Neither is wanted any more, at once. */
    static VmSteps kill(VmSteps steps, Lockstep s) {
        return winner(steps.now(), s)
                .map(winner -> {
                    choose(steps, winner, loser(s, winner), "both are to be killed");
                    return end(steps, winner, true);
                })
                .orElse(steps);
    }

    static VmSteps end(VmSteps steps, RunRight right, boolean kill) {
        return steps.add(
                        new VmEvent.StopBegan(
                                steps.now().at(), right, kill, false, "as the user desires"))
                .act(new VmAction.StopReplica(right, kill));
    }

    private static Optional<RunRight> winner(Context now, Lockstep s) {
        return canWin(now, s.primary())
                ? Optional.of(s.primary())
                : Optional.of(s.secondary()).filter(second -> canWin(now, second));
    }

    private static RunRight loser(Lockstep s, RunRight winner) {
        return winner.equals(s.primary()) ? s.secondary() : s.primary();
    }

    /** The journal will not refuse it, as far as is known here. */
    static boolean lives(Context now, RunRight right) {
        return now.view()
                .server(right.server())
                .filter(there -> there.live() && there.incarnation().equals(right.incarnation()))
                .isPresent();
    }

    /** It can be told so, too: choosing one that cannot outdates the other for nothing. */
    private static boolean canWin(Context now, RunRight right) {
        return lives(now, right)
                && now.view()
                        .server(right.server())
                        .filter(ClusterView.ServerView::reachable)
                        .isPresent();
    }

    // ---- going on alone

    static Decision<VmEvent, VmAction> whenGoingSolo(GoingSolo s, Context now, VmInput input) {
        var steps = new VmSteps(now, s);
        return switch (input) {
            case VmInput.SoloDone(var winner, var loser, var timings)
                    when winner.equals(s.winner()) && loser.equals(s.loser()) ->
                    done(VmRecovery.timed(steps, winner, timings), winner).accepted();
            case VmInput.ReplicaGone(var right, var cause, var detail)
                    when right.equals(s.winner()) ->
                    VmRecovery.died(steps, right, cause, detail).accepted();
            case VmInput.GuestPanicked(var right) when right.equals(s.winner()) ->
                    VmRecovery.stopToRestart(steps, right, "the guest's kernel panicked", false)
                            .accepted();
            case VmInput.DiskFailed(var right, var disk, var why) when right.equals(s.winner()) ->
                    VmRecovery.stopToRestart(
                                    steps, right, "disk %s failed: %s".formatted(disk, why), true)
                            .accepted();
            default -> VmLife.whileRightIsOut(s, s.winner(), now, input);
        };
    }

    private static VmSteps done(VmSteps steps, RunRight winner) {
        var now = steps.now();
        steps.step("goes on on %s with the same memory".formatted(winner.server()))
                .add(new VmEvent.SoloReached(now.at(), winner));
        steps.vm()
                .failover()
                .ifPresent(failover ->
                        steps.add(
                                new VmEvent.FailoverEnded(
                                        now.at(), failover.ended(winner.server(), now.at()))));
        return steps.vm().isWanted()
                ? VmPair.pursue(steps)
                : end(steps, winner, steps.vm().deleting());
    }

    // ---- what is left of the others

    /** The end of one that lost is noted whatever else the input means. */
    static Decision<VmEvent, VmAction> bury(
            Present before, Context now, VmInput input, Decision<VmEvent, VmAction> decision) {
        var events =
                decision instanceof Accepted<VmEvent, VmAction> accepted
                        ? accepted.events()
                        : List.<VmEvent>of();
        var steps = new VmSteps(now, before);
        events.forEach(steps::add);
        if (!(steps.state() instanceof Present after)) {
            return decision;
        }
        if (after instanceof VmState.FailingOver && decision instanceof Decision.Ignored) {
            var ended =
                    after.vm().ending().stream().filter(right -> isEnded(input, right)).findFirst();
            if (ended.isPresent()) {
                return new Accepted<>(List.of(), List.of(new VmAction.OutliveAfter(ended.get())));
            }
        }
        var over =
                after.vm().ending().stream().filter(right -> isOver(after, input, right)).toList();
        if (over.isEmpty() || decision instanceof Decision.Rejected) {
            return decision;
        }
        if (decision instanceof Accepted<VmEvent, VmAction> accepted) {
            accepted.actions().forEach(steps::act);
        }
        for (var right : over) {
            steps.add(new VmEvent.LoserEnded(now.at(), right, input.getClass().getSimpleName()))
                    .act(new VmAction.Release(right.server(), right.epoch()));
        }
        if (steps.state() instanceof Stopped stopped
                && stopped.vm().deleting()
                && stopped.vm().ending().isEmpty()) {
            steps.add(new VmEvent.VmDeleted(now.at(), stopped.vm().epoch()));
        }
        return steps.accepted();
    }

    /** To be sent again until their ends are known. */
    static List<VmAction> pending(VmState.Vm vm) {
        var actions = new ArrayList<VmAction>();
        for (var right : vm.ending()) {
            actions.add(new VmAction.StopReplica(right, true));
            actions.add(new VmAction.AskStanding(right.server(), right.incarnation()));
        }
        return actions;
    }

    /**
     * It was never to be heard again, so its server's loss is end enough; but not while the one
     * that won was not heard to be alone and may live by it.
     */
    private static boolean isOver(Present state, VmInput input, RunRight right) {
        return switch (state) {
            case VmState.FailingOver _ ->
                    input instanceof VmInput.Outlived(var partner) && partner.equals(right);
            case GoingSolo _, VmState.Stopping _ -> isEnded(input, right);
            default -> isEnded(input, right) || isLost(input, right);
        };
    }

    /** Nothing of it runs, whoever it lived by. */
    private static boolean isEnded(VmInput input, RunRight right) {
        return switch (input) {
            case VmInput.ReplicaGone(var gone, _, _) -> gone.equals(right);
            case VmInput.ReplicaStartFailed(var failed, _, _, _) -> failed.equals(right);
            case VmInput.FenceProved proved ->
                    VmLife.proves(proved, right) && proved.proof().kind() != Proof.Kind.LEASE;
            default -> false;
        };
    }

    /**
     * A lease that is over proves nothing about one of two in lockstep: it lives by the other one,
     * too, until it is alone or that one has ended (safety.md 14).
     */
    static boolean mayLiveOn(VmState.Vm vm, Proof proof) {
        return proof.kind() == Proof.Kind.LEASE && !vm.ending().isEmpty();
    }

    private static boolean isLost(VmInput input, RunRight right) {
        return switch (input) {
            case VmInput.ServerLost(var server, var incarnation, _) ->
                    isAt(right, server, incarnation);
            case VmInput.FenceProved proved -> VmLife.proves(proved, right);
            default -> false;
        };
    }

    private static boolean isAt(RunRight right, ServerName server, Incarnation incarnation) {
        return right.server().equals(server) && right.incarnation().equals(incarnation);
    }

    /** What this input says of a replica that makes it of no use in a pair, in words. */
    static Optional<String> trouble(VmInput input, RunRight right) {
        return switch (input) {
            case VmInput.ReplicaGone(var gone, var cause, var detail) when gone.equals(right) ->
                    Optional.of(VmRecovery.describe(cause, detail));
            case VmInput.ReplicaStartFailed(var failed, var why, _, _) when failed.equals(right) ->
                    Optional.of(why);
            case VmInput.GuestPanicked(var panicked) when panicked.equals(right) ->
                    Optional.of("the guest's kernel panicked");
            case VmInput.DiskFailed(var failed, var disk, var why) when failed.equals(right) ->
                    Optional.of("disk %s failed: %s".formatted(disk, why));
            case VmInput.ReplicaHung(var hung, var why) when hung.equals(right) ->
                    Optional.of("QEMU does not answer: " + why);
            default ->
                    isLost(input, right)
                            ? Optional.of("server " + right.server() + " is lost")
                            : Optional.empty();
        };
    }
}
