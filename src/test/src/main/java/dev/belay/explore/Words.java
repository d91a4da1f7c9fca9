package dev.belay.explore;

import dev.belay.decision.ReplicaInput;
import dev.belay.decision.ReplicaState;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerState;
import dev.belay.decision.TenureInput;
import dev.belay.decision.TenureState;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmLife;
import dev.belay.decision.VmState;
import dev.belay.model.RunRight;
import java.util.Optional;

/** What happens, in a few words each: for traces and expected logs. */
final class Words {
    private Words() {}

    static String of(Object value) {
        var name = value.getClass().getSimpleName();
        return switch (value) {
            case TenureInput.Ordered(var order) -> "order " + order.getClass().getSimpleName();
            case TenureInput.Welcome(var incarnation) -> name + " " + incarnation;
            case TenureInput.MustClean(var upTo, _) -> name + " " + upTo;
            case TenureInput.LeaseRefused(var incarnation) -> name + " " + incarnation;
            case ReplicaInput input -> name + " " + input.right().epoch();
            case VmInput.ReplicaGone(var right, var cause, _) ->
                    name + " " + right.epoch() + " " + cause;
            case VmInput.ReplicaStarted(var right, _, _) -> name + " " + right.epoch();
            case VmInput.ReplicaStartFailed(var right, var why, _, _) ->
                    name + " " + right.epoch() + " (" + why + ")";
            case VmInput.ReplicaSeen(var right) -> name + " " + right;
            case VmInput.GuestPanicked(var right) -> name + " " + right.epoch();
            case VmInput.DiskFailed(var right, var disk, _) ->
                    name + " " + right.epoch() + " " + disk;
            case VmInput.SecondaryReady(var right, _) -> name + " " + right.epoch();
            case VmInput.PairRaised(_, var second, _) -> name + " " + second.epoch();
            case VmInput.LockstepSeen(_, var second) -> name + " " + second.epoch();
            case VmInput.RaiseFailed(_, var second, var why) ->
                    name + " " + second.epoch() + " (" + why + ")";
            case VmInput.PartnerLost(var right, var partner, _) ->
                    name + " " + right.epoch() + " of " + partner.epoch();
            case VmInput.ReplicaHung(var right, _) -> name + " " + right.epoch();
            case VmInput.SoloDone(var winner, var loser, _) ->
                    name + " " + winner.epoch() + " without " + loser.epoch();
            case VmInput.Reserved(var server, _, var epoch) -> name + " " + epoch + " on " + server;
            case VmInput.ReservationRefused(var server, var epoch, var why) ->
                    name + " " + epoch + " by " + server + " (" + why + ")";
            case VmInput.Outlived(var partner) -> name + " " + partner.epoch();
            case VmInput.ServerLost(var server, var incarnation, _) ->
                    name + " " + server + incarnation;
            case VmInput.FenceProved(var server, var incarnation, var proof) ->
                    name + " " + server + incarnation + " by " + proof.kind();
            case ServerInput.Join(_, _, var holding, var clean, _, _) ->
                    name + " " + holding + (clean ? " clean" : "");
            case ServerInput.Lost(_, _, var lost, var known, _, _) ->
                    name + " " + lost + " of " + known;
            case ServerInput.AgentAnswered(_, var off, _) -> name + (off ? " off" : " failed");
            default -> name;
        };
    }

    static String change(Object before, Object after) {
        return state(before) + " -> " + state(after);
    }

    static String state(Object state) {
        var name = state.getClass().getSimpleName();
        return switch (state) {
            case VmState vm ->
                    name + at(VmLife.right(vm)) + at(VmLife.secondary(vm)) + candidate(vm);
            case ServerState.Live live -> name + " " + live.server().incarnation();
            case ServerState.Fencing fencing -> name + " " + fencing.server().incarnation();
            case ServerState.Fenced(var server, var proof, _, _) ->
                    name + " " + server.incarnation() + " by " + proof.kind();
            case TenureState.Asking(var held, var clean) ->
                    name + " " + held + (clean ? " clean" : "");
            case TenureState tenure -> name + " " + tenure.held();
            case ReplicaState.InStart(var right, _) ->
                    name + " " + right.vm() + " " + right.epoch();
            case ReplicaState.Runs(var right, _, var trouble, var bond) ->
                    name
                            + " "
                            + right.vm()
                            + " "
                            + right.epoch()
                            + bond(bond)
                            + (trouble.isPresent() ? " in trouble" : "");
            case ReplicaState.InStop(var right, _, _) ->
                    name + " " + right.vm() + " " + right.epoch();
            case ReplicaState.ClearingUp(var right, _, _) ->
                    name + " " + right.vm() + " " + right.epoch();
            case ReplicaState.Ended(var right, _) -> name + " " + right.vm() + " " + right.epoch();
            default -> name;
        };
    }

    private static String at(Optional<RunRight> right) {
        return right.map(r -> " " + r.epoch() + " on " + r.server() + r.incarnation()).orElse("");
    }

    private static String candidate(VmState state) {
        return switch (state) {
            case VmState.Placing placing -> " on " + placing.candidate();
            case VmState.Pairing pairing -> " with " + pairing.candidate();
            default -> "";
        };
    }

    private static String bond(ReplicaState.Bond bond) {
        return switch (bond) {
            case ReplicaState.Alone _ -> "";
            case ReplicaState.Raising(var second, _) -> " raises " + second.epoch();
            case ReplicaState.Leads(var second) -> " leads " + second.epoch();
            case ReplicaState.Follows(var first, _) -> " follows " + first.epoch();
            case ReplicaState.Parting(var loser, _, _) -> " leaves " + loser.epoch();
        };
    }
}
