package dev.belay.decision;

import dev.belay.decision.Decision.Reason;
import dev.belay.decision.Decision.Rejected;
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
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.Desired;
import dev.belay.model.RunRight;
import java.util.List;

/** What a user's request does to a VM that exists. */
final class VmRequests {
    private VmRequests() {}

    static Decision<VmEvent, VmAction> decide(Present state, Context now, VmInput.Request request) {
        var name = state.vm().spec().name();
        return switch (request) {
            case VmInput.Create _ ->
                    new Rejected<>(
                            Reason.EXISTS,
                            "There is a VM named '%s' already; delete it first or choose another name"
                                    .formatted(name));
            case VmInput.Start _ when state.vm().deleting() ->
                    new Rejected<>(Reason.CONFLICT, "VM '%s' is being deleted".formatted(name));
            case VmInput.Start _ when state.vm().desired() == Desired.RUNNING ->
                    VmLife.ignored("it is desired to run already");
            case VmInput.Start _ -> start(new VmSteps(now, state));
            case VmInput.Stop(var kill) -> stop(state, new VmSteps(now, state), kill);
            case VmInput.Protect(var level) ->
                    VmLevels.protect(state, new VmSteps(now, state), level);
            case VmInput.Switchover() -> VmSolo.switchover(state, now);
            case VmInput.Delete(var force) when !force && !(state instanceof Stopped) ->
                    new Rejected<>(
                            Reason.CONFLICT,
                            "VM '%s' is not stopped; stop it first, or delete it with force"
                                    .formatted(name));
            case VmInput.Delete _ -> end(state, wish(new VmSteps(now, state), true), true);
        };
    }

    private static Decision<VmEvent, VmAction> start(VmSteps steps) {
        boolean stopped = steps.state() instanceof Stopped;
        steps.add(new VmEvent.DesireChanged(steps.now().at(), Desired.RUNNING, false));
        return (stopped ? VmPlacement.pursue(steps, List.of()) : steps).accepted();
    }

    private static Decision<VmEvent, VmAction> stop(Present state, VmSteps steps, boolean kill) {
        boolean already = state.vm().desired() == Desired.STOPPED;
        if (already && !(kill && canHurry(state))) {
            return VmLife.ignored("it is desired to be stopped already");
        }
        return end(state, wish(steps, state.vm().deleting()), kill);
    }

    private static boolean canHurry(Present state) {
        return (state instanceof Stopping stopping && !stopping.kill())
                || state instanceof GoingSolo
                || state instanceof Lockstep;
    }

    private static VmSteps wish(VmSteps steps, boolean delete) {
        var vm = steps.vm();
        return vm.desired() == Desired.STOPPED && vm.deleting() == delete
                ? steps
                : steps.add(new VmEvent.DesireChanged(steps.now().at(), Desired.STOPPED, delete));
    }

    private static Decision<VmEvent, VmAction> end(Present state, VmSteps steps, boolean kill) {
        return switch (state) {
            case Stopped _, Waiting _ -> VmPlacement.rest(steps).accepted();
            case Placing s ->
                    VmPlacement.rest(
                                    steps.act(
                                            new VmAction.Release(
                                                    s.candidate(), s.vm().epoch().next())))
                            .accepted();
            case BackingOff s ->
                    VmPlacement.rest(
                                    steps.act(
                                            new VmAction.Release(
                                                    s.last().server(), s.last().epoch())))
                            .accepted();
            case Starting s -> stopReplica(steps, s.right(), kill);
            case Running s -> stopReplica(steps, s.right(), kill);
            case Pairing s ->
                    stopReplica(
                            steps.act(new VmAction.Release(s.candidate(), s.vm().epoch().next())),
                            s.right(),
                            kill);
            case Raising s when kill ->
                    stopReplica(
                            VmPair.giveUp(steps, s, "as the user desires", true),
                            s.primary(),
                            true);
            // The guest is asked when nothing but itself holds it up any more.
            case Raising s -> VmPair.giveUp(steps, s, "as the user desires", false).accepted();
            case Lockstep s ->
                    (kill ? VmSolo.kill(steps, s) : VmSolo.windDown(steps, s)).accepted();
            case GoingSolo s when kill -> stopReplica(steps, s.winner(), true);
            case GoingSolo _ -> steps.accepted();
            case Stopping s when kill && !s.kill() -> stopReplica(steps, s.right(), true);
            case Stopping _ -> steps.accepted();
            // What runs there is unknown: it is stopped when the proof has come.
            case FailingOver _ -> steps.accepted();
        };
    }

    private static Decision<VmEvent, VmAction> stopReplica(
            VmSteps steps, RunRight right, boolean kill) {
        return VmSolo.end(steps, right, kill).accepted();
    }
}
