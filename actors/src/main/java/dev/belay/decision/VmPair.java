package dev.belay.decision;

import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.VmState.Pairing;
import dev.belay.decision.VmState.Raising;
import dev.belay.decision.VmState.Refusal;
import dev.belay.decision.VmState.Running;
import dev.belay.decision.VmState.Vm;
import dev.belay.model.RunRight;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How a VM that runs on one server comes to run on two.
 *
 * <pre>
 *  Running --a server fits--> Pairing --Reserved--> Raising --LockstepSeen--> Lockstep
 *   ^  ^                        |    (PairGranted)   | | (LockstepReached)
 *   |  +---ReservationRefused---+                    | |
 *   +---- RaiseFailed (PairEnded) -------------------+ +-- PairEnded --> GoingSolo
 * </pre>
 *
 * <p>Invariants: a secondary is worth nothing before lockstep is stored; whatever happens to one of
 * the two before that, the primary goes on or the VM starts anew from its disk. Lockstep is stored
 * at the word of both their servers: the secondary's is asked for when the primary's has come, so
 * its answer says both (safety.md 22).
 */
final class VmPair {
    /**
     * The secondary keeps the guest's memory twice: as it is, and as it was at the last checkpoint.
     */
    private static final int COPIES_OF_MEMORY = 2;

    private static final int STEP = 10;

    /** Its server looks many times a second. Meanwhile the primary runs in lockstep. */
    private static final Duration SEEN_WITHIN = Duration.ofSeconds(10);

    private VmPair() {}

    static int secondaryMiB(VmSpec spec) {
        return COPIES_OF_MEMORY * spec.memoryMiB();
    }

    // ---- looking for a second server

    /** The next step towards a second server of a VM that runs on one. */
    static VmSteps pursue(VmSteps steps) {
        if (!(steps.state() instanceof Running running) || !steps.vm().wantsPair()) {
            return steps;
        }
        return steps.vm().pursuit().failures() > 0
                ? steps.act(wake(steps.vm()))
                : look(steps, running.right(), VmPlacement.asked(steps.vm().pursuit().refusals()));
    }

    /** The pause is over: those that failed it come last. */
    static VmSteps again(VmSteps steps, RunRight right) {
        var vm = steps.vm();
        var asked = VmPlacement.asked(vm.pursuit().refusals());
        boolean other = !vm.wantsPair() || candidate(steps, right, asked).isPresent();
        return vm.wantsPair() ? look(steps, right, other ? asked : List.of()) : steps;
    }

    private static VmSteps look(VmSteps steps, RunRight right, List<Refusal> asked) {
        var vm = steps.vm();
        var candidate = candidate(steps, right, asked);
        if (candidate.isPresent()) {
            var server = candidate.get().name();
            return steps.add(new VmEvent.PairingTried(steps.now().at(), server, asked))
                    .act(new VmAction.Reserve(server, vm.epoch().next(), secondaryMiB(vm.spec())));
        }
        var refusals = refusals(steps, right, asked);
        if (!(steps.state() instanceof Running) || !vm.pursuit().refusals().equals(refusals)) {
            steps.add(new VmEvent.NoPartnerFound(steps.now().at(), refusals));
        }
        return asked.isEmpty() ? steps : steps.act(wake(steps.vm()));
    }

    private static List<Refusal> refusals(VmSteps steps, RunRight right, List<Refusal> asked) {
        var vm = steps.vm();
        var view = steps.now().view();
        var here = view.server(right.server());
        return PairFit.first(right.server(), here)
                .map(List::of)
                .orElseGet(() ->
                        view.servers().stream()
                                .filter(server -> !server.name().equals(right.server()))
                                .sorted(Comparator.comparing(server -> server.name().value()))
                                .flatMap(server ->
                                        refusal(vm, view, here.orElseThrow(), server, asked)
                                                .stream())
                                .toList());
    }

    private static Optional<ServerView> candidate(
            VmSteps steps, RunRight right, List<Refusal> asked) {
        return candidates(steps.vm(), steps.now().view(), right, asked).findFirst();
    }

    /** Servers that look as if they could take its second copy, the best first. */
    static Stream<ServerView> candidates(
            Vm vm, ClusterView view, RunRight right, List<Refusal> asked) {
        var here = view.server(right.server());
        return PairFit.first(right.server(), here).isPresent()
                ? Stream.empty()
                : VmPlacement.sorted(vm.spec().placement(), view)
                        .filter(server -> !server.name().equals(right.server()))
                        .filter(server ->
                                refusal(vm, view, here.orElseThrow(), server, asked).isEmpty());
    }

    /**
     * @param here the server on which it runs
     */
    private static Optional<Refusal> refusal(
            Vm vm, ClusterView view, ServerView here, ServerView server, List<Refusal> asked) {
        int needed = secondaryMiB(vm.spec());
        return VmPlacement.refusal(vm, needed, server, asked)
                .or(() -> PairFit.second(here, server))
                .or(() ->
                        view.disarming()
                                .map(off -> new Refusal(server.name(), off.inWords(), false)))
                .or(() -> VmPriority.leftTo(vm.spec(), needed, server, view));
    }

    private static VmAction wake(Vm vm) {
        return new VmAction.WakeAfter(pause(vm), vm.epoch());
    }

    /** Short at first: without a second copy the next failure is noticed. */
    private static Duration pause(Vm vm) {
        return Duration.ofSeconds(1L << Math.clamp(vm.pursuit().failures() - 2, 0, 4));
    }

    /** What a VM that runs on one server and should run on two waits for. */
    static List<VmAction> pending(Vm vm) {
        boolean waits =
                vm.pursuit().failures() > 0
                        || !VmPlacement.asked(vm.pursuit().refusals()).isEmpty();
        return vm.wantsPair() && waits ? List.of(wake(vm)) : List.of();
    }

    static Decision<VmEvent, VmAction> whenPairing(Pairing s, Context now, VmInput input) {
        var next = s.vm().epoch().next();
        return switch (input) {
            case VmInput.Reserved(var server, var incarnation, var epoch)
                    when server.equals(s.candidate()) && epoch.equals(next) -> {
                var secondary = new RunRight(s.vm().spec().name(), epoch, server, incarnation);
                yield new VmSteps(now, s)
                        .add(new VmEvent.PairGranted(now.at(), s.right(), secondary))
                        .act(new VmAction.PrepareSecondary(secondary, s.right(), s.vm().spec()))
                        .accepted();
            }
            case VmInput.ReservationRefused(var server, var epoch, var why)
                    when server.equals(s.candidate()) && epoch.equals(next) ->
                    look(
                                    new VmSteps(now, s),
                                    s.right(),
                                    VmPlacement.plus(s.refusals(), server, why))
                            .accepted();
            case VmInput.Tick _ ->
                    VmPlacement.gone(s.candidate(), now.view())
                            .map(why -> lookElsewhere(s, now, why))
                            .orElseGet(() ->
                                    VmLife.ignored("waiting for " + s.candidate() + "'s word"));
            case VmInput.BackOffOver _ ->
                    VmLife.ignored("it is looking for a second server already");
            default -> asRunning(s, now, input);
        };
    }

    private static Decision<VmEvent, VmAction> lookElsewhere(Pairing s, Context now, String why) {
        var steps =
                new VmSteps(now, s).act(new VmAction.Release(s.candidate(), s.vm().epoch().next()));
        return look(steps, s.right(), VmPlacement.plus(s.refusals(), s.candidate(), why))
                .accepted();
    }

    /**
     * What the VM itself goes through comes first; the memory for its second half is given back.
     */
    private static Decision<VmEvent, VmAction> asRunning(Pairing s, Context now, VmInput input) {
        var decision = VmLife.whenRunning(new Running(s.vm(), s.right()), now, input);
        if (!(decision instanceof Accepted<VmEvent, VmAction>(var events, var actions))) {
            return decision;
        }
        var steps = new VmSteps(now, s);
        events.forEach(steps::add);
        actions.forEach(steps::act);
        if (!(steps.state() instanceof Pairing)) {
            steps.act(new VmAction.Release(s.candidate(), s.vm().epoch().next()));
        }
        return steps.accepted();
    }

    // ---- on the way into lockstep

    static Decision<VmEvent, VmAction> whenRaising(Raising s, Context now, VmInput input) {
        return switch (input) {
            case VmInput.SecondaryReady(var secondary, var at)
                    when secondary.equals(s.secondary()) ->
                    VmLife.tell(new VmAction.RaisePair(s.primary(), secondary, at));
            case VmInput.RaiseAdvanced(var primary, var secondary, var stage, var percent)
                    when isOf(s, primary, secondary) && advances(s, stage, percent) ->
                    new VmSteps(now, s)
                            .add(new VmEvent.RaiseProgressed(now.at(), secondary, stage, percent))
                            .accepted();
            case VmInput.PairRaised(var primary, var secondary, _)
                    when isOf(s, primary, secondary) ->
                    new VmSteps(now, s)
                            .act(new VmAction.AwaitLockstep(secondary, primary))
                            .act(new VmAction.OverdueAfter(SEEN_WITHIN, secondary.epoch()))
                            .accepted();
            // The journal would refuse it; the loss is told by the server's entity.
            case VmInput.LockstepSeen(var primary, var secondary)
                    when isOf(s, primary, secondary)
                            && !(VmSolo.lives(now, primary) && VmSolo.lives(now, secondary)) ->
                    VmLife.ignored("one of the two servers is lost");
            case VmInput.LockstepSeen(var primary, var secondary)
                    when isOf(s, primary, secondary) ->
                    lockstep(new VmSteps(now, s), s);
            case VmInput.RaiseOverdue(var epoch) when epoch.equals(s.secondary().epoch()) ->
                    giveUp(
                                    new VmSteps(now, s),
                                    s,
                                    "its server has not said for %d s that it sees it in lockstep and that both servers hear each other"
                                            .formatted(SEEN_WITHIN.toSeconds()),
                                    false)
                            .accepted();
            case VmInput.RaiseFailed(var primary, var secondary, var why)
                    when isOf(s, primary, secondary) ->
                    pursue(giveUp(new VmSteps(now, s), s, why, true)).accepted();
            case VmInput.PartnerLost(var claimant, var partner, var why)
                    when isOf(s, claimant, partner) || isOf(s, partner, claimant) ->
                    giveUp(
                                    new VmSteps(now, s),
                                    s,
                                    "they lost each other before lockstep: " + why,
                                    false)
                            .accepted();
            case VmInput.Tick _ when Emptying.isInVain(s, now) ->
                    giveUp(new VmSteps(now, s), s, Emptying.why(s.secondary()), false).accepted();
            default -> {
                var trouble = VmSolo.trouble(input, s.primary());
                if (trouble.isPresent()) {
                    yield primaryFails(s, now, input);
                }
                yield VmSolo.trouble(input, s.secondary())
                        .map(why -> giveUp(new VmSteps(now, s), s, why, false).accepted())
                        .orElseGet(() ->
                                VmLife.ignoredNews(
                                        "%s follows %s".formatted(s.secondary(), s.primary()),
                                        input));
            }
        };
    }

    private static boolean isOf(Raising s, RunRight primary, RunRight secondary) {
        return primary.equals(s.primary()) && secondary.equals(s.secondary());
    }

    /** In steps that are worth a place in the journal. */
    private static boolean advances(Raising s, RaiseStage stage, int percent) {
        return stage.compareTo(s.stage()) > 0
                || (stage == s.stage() && percent >= s.percent() + STEP);
    }

    private static Decision<VmEvent, VmAction> lockstep(VmSteps steps, Raising s) {
        steps.add(new VmEvent.LockstepReached(steps.now().at(), s.primary(), s.secondary()))
                .act(new VmAction.SettleAfter(VmLife.SETTLED, s.secondary().epoch()));
        if (s.vm().spec().isMirrored()) {
            confirmLockstep(s.primary(), s.secondary()).forEach(steps::act);
        }
        return steps.accepted();
    }

    /** Each half may live by the other one from the moment that it hears so. */
    static List<VmAction> confirmLockstep(RunRight primary, RunRight secondary) {
        return List.of(
                new VmAction.ConfirmLockstep(primary, secondary),
                new VmAction.ConfirmLockstep(secondary, primary));
    }

    /**
     * The secondary is ended.
     *
     * @param plain the primary need not be told
     */
    static VmSteps giveUp(VmSteps steps, Raising s, String why, boolean plain) {
        steps.add(new VmEvent.PairEnded(steps.now().at(), s.primary(), s.secondary(), why, plain));
        if (!plain) {
            steps.act(new VmAction.GoSolo(s.primary(), s.secondary()));
        }
        return steps.act(new VmAction.StopReplica(s.secondary(), true));
    }

    /** The secondary is no help; it goes on as for a VM on one server. */
    private static Decision<VmEvent, VmAction> primaryFails(Raising s, Context now, VmInput input) {
        var why = "the primary failed before lockstep";
        var decision = VmLife.whenRunning(new Running(s.vm(), s.primary()), now, input);
        if (!(decision instanceof Accepted<VmEvent, VmAction>(var events, var actions))) {
            return giveUp(new VmSteps(now, s), s, why, false).accepted();
        }
        var steps = giveUp(new VmSteps(now, s), s, why, true);
        events.forEach(steps::add);
        actions.forEach(steps::act);
        return steps.accepted();
    }
}
