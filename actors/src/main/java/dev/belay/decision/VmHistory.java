package dev.belay.decision;

import dev.belay.decision.VmState.Absent;
import dev.belay.decision.VmState.BackingOff;
import dev.belay.decision.VmState.FailingOver;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Pairing;
import dev.belay.decision.VmState.Placing;
import dev.belay.decision.VmState.Present;
import dev.belay.decision.VmState.Raising;
import dev.belay.decision.VmState.Running;
import dev.belay.decision.VmState.Starting;
import dev.belay.decision.VmState.Stopped;
import dev.belay.decision.VmState.Stopping;
import dev.belay.decision.VmState.Vm;
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.Desired;
import dev.belay.model.Epoch;
import dev.belay.model.RunRight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How events make a VM's state: live and at replay the same, free of rules. */
public final class VmHistory {
    public static final VmState NEW = new Absent(Epoch.NONE);

    /** So many failures at most are held against a VM that reached lockstep. */
    private static final int BROKEN_OFF = 4;

    private VmHistory() {}

    /** Exhaustive over events. One that does not fit means that a stored history is damaged. */
    public static VmState apply(VmState state, VmEvent event) {
        if (event instanceof VmEvent.VmCreated(_, var spec, var desired)) {
            if (!(state instanceof Absent(var last))) {
                throw damaged(state, event);
            }
            var vm = new Vm(spec, desired, false, last, 0, 0, Optional.empty(), List.of());
            return desired == Desired.RUNNING ? new Waiting(vm, List.of()) : new Stopped(vm);
        }
        if (!(state instanceof Present present)) {
            throw damaged(state, event);
        }
        return applyTo(present, event);
    }

    private static VmState applyTo(Present state, VmEvent event) {
        var vm = state.vm();
        return switch (event) {
            case VmEvent.VmCreated _ -> throw damaged(state, event);
            case VmEvent.DesireChanged(_, var desired, var deleting) -> {
                var changed = vm.desiring(desired, deleting);
                yield state instanceof Stopped && desired == Desired.RUNNING
                        ? new Waiting(changed, List.of())
                        : with(state, changed);
            }
            // What it is on its way to does not matter any more.
            case VmEvent.LevelChanged(_, var level) ->
                    state instanceof Pairing pairing
                            ? new Running(vm.at(level), pairing.right())
                            : with(state, vm.at(level));
            case VmEvent.PlacementTried(_, var candidate, var refusals) ->
                    new Placing(vm, candidate, refusals);
            case VmEvent.NoServerFound(_, var refusals) -> new Waiting(vm, refusals);
            // Where the newest bytes are changes only once its guest may have run.
            case VmEvent.RightGranted(_, var right) -> new Starting(vm.at(right.epoch()), right);
            case VmEvent.VmStarted(_, var right, _) ->
                    new Running(vm.newestOn(right.server()), right);
            case VmEvent.StopBegan(_, var right, var kill, var elsewhere, _) ->
                    new Stopping(vm, right, kill, elsewhere);
            case VmEvent.ReplicaEnded(_, var right, _, var failed) ->
                    ended(vm.newestOn(right.server()), failed);
            case VmEvent.StartFailed(_, _, _, var failed) -> ended(vm, failed);
            case VmEvent.BackOffBegan(_, var last, var pause) -> new BackingOff(vm, last, pause);
            case VmEvent.VmSettled _ ->
                    with(
                            state,
                            state instanceof Lockstep
                                    ? vm.failed(0).pursuing(0, List.of())
                                    : vm.failed(0));
            case VmEvent.FailoverBegan(var at, var number, var cause, var lost, var fencing) -> {
                var open =
                        vm.failover()
                                .orElseGet(() ->
                                        new Failover(
                                                number,
                                                cause,
                                                lost.server(),
                                                Optional.empty(),
                                                at,
                                                Optional.empty(),
                                                List.of()));
                var changed = mayHaveRun(state, fencing, lost).failingOver(open);
                yield fencing ? new FailingOver(changed, lost) : with(state, changed);
            }
            case VmEvent.FailoverAdvanced(_, var steps) ->
                    with(
                            state,
                            vm.failover().map(open -> vm.failingOver(open.with(steps))).orElse(vm));
            case VmEvent.LossProved _ -> new Waiting(vm, List.of());
            case VmEvent.FailoverEnded(_, var report) -> with(state, vm.reported(report));
            case VmEvent.VmStopped _ -> new Stopped(vm.failed(0).pursuing(0, List.of()));
            case VmEvent.VmDeleted(_, var last) -> new Absent(last);
            case VmEvent.PairingTried _,
                    VmEvent.NoPartnerFound _,
                    VmEvent.PairGranted _,
                    VmEvent.RaiseProgressed _,
                    VmEvent.LockstepReached _,
                    VmEvent.PairEnded _,
                    VmEvent.SoloGranted _,
                    VmEvent.SoloReached _,
                    VmEvent.PairLost _,
                    VmEvent.LoserEnded _ ->
                    applyToPair(state, event);
        };
    }

    private static Waiting ended(Vm vm, boolean failed) {
        return new Waiting(failed ? vm.failed(vm.failures() + 1) : vm, List.of());
    }

    /** A start that is not answered, and now never will be, may have written. */
    private static Vm mayHaveRun(Present state, boolean fencing, RunRight lost) {
        return fencing && (state instanceof Starting || state instanceof Stopping)
                ? state.vm().newestOn(lost.server())
                : state.vm();
    }

    private static VmState applyToPair(Present state, VmEvent event) {
        var vm = state.vm();
        return switch (event) {
            case VmEvent.PairingTried(_, var candidate, var refusals) ->
                    new Pairing(vm, runs(state, event), candidate, refusals);
            case VmEvent.NoPartnerFound(_, var refusals) ->
                    new Running(vm.pursuing(vm.pursuit().failures(), refusals), runs(state, event));
            case VmEvent.PairGranted(_, var primary, var secondary) ->
                    new Raising(
                            state instanceof Pairing s
                                    ? vm.at(secondary.epoch())
                                            .pursuing(vm.pursuit().failures(), s.refusals())
                                    : vm.at(secondary.epoch()),
                            primary,
                            secondary,
                            RaiseStage.DISKS,
                            0);
            case VmEvent.RaiseProgressed(_, var secondary, var stage, var percent) ->
                    state instanceof Raising s && s.secondary().equals(secondary)
                            ? new Raising(vm, s.primary(), secondary, stage, percent)
                            : state;
            // It counts as a failure until it has lasted a while; but what came so far may soon
            // come so far again.
            case VmEvent.LockstepReached(_, var primary, var secondary) ->
                    new Lockstep(
                            vm.newestOn(primary.server(), secondary.server())
                                    .pursuing(
                                            Math.min(vm.pursuit().failures() + 1, BROKEN_OFF),
                                            List.of()),
                            primary,
                            secondary);
            case VmEvent.PairEnded(_, var primary, var secondary, var why, var plain) -> {
                var refusals = new ArrayList<>(vm.pursuit().refusals());
                refusals.removeIf(refusal -> refusal.server().equals(secondary.server()));
                refusals.add(new VmState.Refusal(secondary.server(), why, true));
                var changed = vm.giveUp(secondary).pursuing(vm.pursuit().failures() + 1, refusals);
                yield plain
                        ? new Running(changed, primary)
                        : new GoingSolo(changed, primary, secondary);
            }
            case VmEvent.SoloGranted(_, var winner, var loser, _) ->
                    new GoingSolo(vm.newestOn(winner.server()).giveUp(loser), winner, loser);
            case VmEvent.SoloReached(_, var winner) -> new Running(vm, winner);
            case VmEvent.PairLost(_, var primary, var secondary, _) ->
                    new Running(vm.giveUp(secondary), primary);
            case VmEvent.LoserEnded(_, var right, _) -> with(state, vm.ended(right));
            default -> throw damaged(state, event);
        };
    }

    private static RunRight runs(Present state, VmEvent event) {
        return switch (state) {
            case Running s -> s.right();
            case Pairing s -> s.right();
            default -> throw damaged(state, event);
        };
    }

    static Present with(Present state, Vm vm) {
        return switch (state) {
            case Stopped _ -> new Stopped(vm);
            case Waiting s -> new Waiting(vm, s.refusals());
            case Placing s -> new Placing(vm, s.candidate(), s.refusals());
            case Starting s -> new Starting(vm, s.right());
            case Running s -> new Running(vm, s.right());
            case Pairing s -> new Pairing(vm, s.right(), s.candidate(), s.refusals());
            case Raising s -> new Raising(vm, s.primary(), s.secondary(), s.stage(), s.percent());
            case Lockstep s -> new Lockstep(vm, s.primary(), s.secondary());
            case GoingSolo s -> new GoingSolo(vm, s.winner(), s.loser());
            case Stopping s -> new Stopping(vm, s.right(), s.kill(), s.elsewhere());
            case FailingOver s -> new FailingOver(vm, s.lost());
            case BackingOff s -> new BackingOff(vm, s.last(), s.pause());
        };
    }

    private static IllegalStateException damaged(VmState state, VmEvent event) {
        return new IllegalStateException(
                "Expected a state that fits the stored event " + event + ", but found " + state);
    }
}
