package dev.belay.decision;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.Decision.Reason;
import dev.belay.decision.Decision.Rejected;
import dev.belay.decision.VmInput.Cause;
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
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The life of one VM, as plain values; what a second server adds is told by {@link VmPair} and
 * {@link VmSolo}.
 *
 * <pre>
 *  Absent --Create--> Waiting --a server fits--> Placing --Reserved--> Starting --ReplicaStarted--> Running
 *     ^                ^  ^ ^                     |   (RightGranted, epoch + 1)                        |
 *     |                |  | +--ReservationRefused-+                                                    |
 *   Delete             |  |                                                                            |
 *     |                |  +------- FenceProved ------- FailingOver <----- ServerLost ------------------+
 *  Stopped <- Stopping-+                                                                               |
 *     |         ^                                    BackingOff <-- ReplicaGone (again and again) -----+
 *     +--Start  +------------------- Stop, GuestPanicked, DiskFailed ----------------------------------+
 * </pre>
 *
 * <p>Invariant: a right is granted only when nothing of an older one can run (architecture.md R1,
 * R4).
 */
public final class VmLife {
    /** How long a replica must run until earlier failures are forgotten. */
    static final Duration SETTLED = Duration.ofSeconds(60);

    private VmLife() {}

    public static Decision<VmEvent, VmAction> decide(VmState state, Context now, VmInput input) {
        return switch (state) {
            case Absent s -> whenAbsent(s, now, input);
            case Present s -> VmSolo.bury(s, now, input, whenPresent(s, now, input));
        };
    }

    private static Decision<VmEvent, VmAction> whenPresent(
            Present state, Context now, VmInput input) {
        return switch (state) {
            case Present s when input instanceof VmInput.Request request ->
                    VmRequests.decide(s, now, request);
            case Present s when input instanceof VmInput.ReplicaSeen(var right) -> seen(s, right);
            case Present s
                    when input instanceof VmInput.SecondaryReady(var right, _)
                            && !expected(s).contains(right) ->
                    seen(s, right);
            // A server that keeps memory in vain says so again and again until it is told.
            case Present s when input instanceof VmInput.Reserved reserved && !needs(s, reserved) ->
                    tell(new VmAction.Release(reserved.server(), reserved.epoch()));
            case Stopped _ -> ignored("stopped: nothing of this VM is expected to happen");
            case Waiting s -> whenWaiting(s, now, input);
            case Placing s -> whenPlacing(s, now, input);
            case Starting s -> whenStarting(s, now, input);
            case Running s -> whenRunning(s, now, input);
            case Stopping s -> whenStopping(s, now, input);
            case FailingOver s -> whenFailingOver(s, now, input);
            case BackingOff s -> whenBackingOff(s, now, input);
            case Pairing s -> VmPair.whenPairing(s, now, input);
            case Raising s -> VmPair.whenRaising(s, now, input);
            case Lockstep s -> VmSolo.whenLockstep(s, now, input);
            case GoingSolo s -> VmSolo.whenGoingSolo(s, now, input);
        };
    }

    private static Decision<VmEvent, VmAction> whenAbsent(Absent s, Context now, VmInput input) {
        return switch (input) {
            case VmInput.Create(var spec, _)
                    when VmLevels.refusal(spec, spec.level()).isPresent() ->
                    VmLevels.refusal(spec, spec.level()).get();
            case VmInput.Create(var spec, var start) -> {
                var desired = start ? Desired.RUNNING : Desired.STOPPED;
                var steps = new VmSteps(now, s).add(new VmEvent.VmCreated(now.at(), spec, desired));
                yield (start ? VmPlacement.pursue(steps, List.of()) : steps).accepted();
            }
            case VmInput.Request _ ->
                    new Rejected<>(Reason.NOT_FOUND, "There is no VM of this name");
            // It was deleted, so nothing of it may run: what turns up was left by a server that was
            // away then.
            case VmInput.ReplicaSeen(var right) when !right.epoch().isAfter(s.last()) ->
                    tell(new VmAction.StopReplica(right, true));
            case VmInput.SecondaryReady(var right, _) when !right.epoch().isAfter(s.last()) ->
                    tell(new VmAction.StopReplica(right, true));
            case VmInput.Reserved(var server, _, var epoch) ->
                    tell(new VmAction.Release(server, epoch));
            case VmInput.PairNews _,
                    VmInput.ReplicaSeen _,
                    VmInput.ReservationRefused _,
                    VmInput.ReplicaStarted _,
                    VmInput.ReplicaStartFailed _,
                    VmInput.ReplicaGone _,
                    VmInput.GuestPanicked _,
                    VmInput.DiskFailed _,
                    VmInput.ServerLost _,
                    VmInput.FenceProved _,
                    VmInput.BackOffOver _,
                    VmInput.Outlived _,
                    VmInput.Insist _,
                    VmInput.RaiseOverdue _,
                    VmInput.Settled _,
                    VmInput.Tick _ ->
                    ignored("there is no such VM");
        };
    }

    /** A replica turned up: of the newest right it is expected, of an older one it must go. */
    private static Decision<VmEvent, VmAction> seen(Present state, RunRight right) {
        if (expected(state).contains(right)) {
            return ignored("it is the one that should run");
        }
        return right.epoch().isAfter(state.vm().epoch())
                ? ignored(
                        "an epoch that was never given: nothing is known about it, nothing is done")
                : tell(new VmAction.StopReplica(right, true));
    }

    /** Whether the memory that a server keeps is still wanted there. */
    private static boolean needs(Present state, VmInput.Reserved reserved) {
        boolean asked =
                switch (state) {
                    case Placing s -> reserved.server().equals(s.candidate());
                    case Pairing s -> reserved.server().equals(s.candidate());
                    case BackingOff s -> isAt(s.last(), reserved.server(), reserved.incarnation());
                    case Stopped _,
                            Waiting _,
                            Starting _,
                            Running _,
                            Raising _,
                            Lockstep _,
                            GoingSolo _,
                            Stopping _,
                            FailingOver _ ->
                            false;
                };
        return asked
                || Stream.concat(expected(state).stream(), state.vm().ending().stream())
                        .anyMatch(right -> isAt(right, reserved.server(), reserved.incarnation()));
    }

    static boolean isAt(RunRight right, ServerName server, Incarnation incarnation) {
        return right.server().equals(server) && right.incarnation().equals(incarnation);
    }

    /** The second of a pair: it follows the one that {@link #right} names. */
    public static Optional<RunRight> secondary(VmState state) {
        return switch (state) {
            case Raising s -> Optional.of(s.secondary());
            case Lockstep s -> Optional.of(s.secondary());
            case Absent _,
                    Stopped _,
                    Waiting _,
                    Placing _,
                    Starting _,
                    Running _,
                    Pairing _,
                    GoingSolo _,
                    Stopping _,
                    FailingOver _,
                    BackingOff _ ->
                    Optional.empty();
        };
    }

    private static List<RunRight> expected(VmState state) {
        return Stream.concat(right(state).stream(), secondary(state).stream()).toList();
    }

    /** The right that is out, if one is: something may run under it. */
    public static Optional<RunRight> right(VmState state) {
        return switch (state) {
            case Absent _, Stopped _, Waiting _, Placing _, BackingOff _ -> Optional.empty();
            case Starting s -> Optional.of(s.right());
            case Running s -> Optional.of(s.right());
            case Pairing s -> Optional.of(s.right());
            case Raising s -> Optional.of(s.primary());
            case Lockstep s -> Optional.of(s.primary());
            case GoingSolo s -> Optional.of(s.winner());
            case Stopping s -> Optional.of(s.right());
            case FailingOver s -> Optional.of(s.lost());
        };
    }

    private static Decision<VmEvent, VmAction> whenWaiting(Waiting s, Context now, VmInput input) {
        return switch (input) {
            case VmInput.Tick _ ->
                    VmPlacement.pursue(new VmSteps(now, s), VmPlacement.asked(s.refusals()))
                            .accepted();
            case VmInput.BackOffOver(var epoch) when epoch.equals(s.vm().epoch()) ->
                    VmPlacement.pursue(new VmSteps(now, s), List.of()).accepted();
            case VmInput.Insist(var epoch) when epoch.equals(s.vm().epoch()) ->
                    VmPlacement.pursue(new VmSteps(now, s), VmPlacement.asked(s.refusals()), true)
                            .accepted();
            default -> ignoredNews("waiting for a server", input);
        };
    }

    private static Decision<VmEvent, VmAction> whenPlacing(Placing s, Context now, VmInput input) {
        var next = s.vm().epoch().next();
        return switch (input) {
            case VmInput.Reserved(var server, var incarnation, var epoch)
                    when server.equals(s.candidate()) && epoch.equals(next) ->
                    VmPlacement.grant(
                                    new VmSteps(now, s)
                                            .step(
                                                    server
                                                            + " keeps "
                                                            + s.vm().spec().memoryMiB()
                                                            + " MiB for it"),
                                    new RunRight(s.vm().spec().name(), epoch, server, incarnation))
                            .accepted();
            case VmInput.ReservationRefused(var server, var epoch, var why)
                    when server.equals(s.candidate()) && epoch.equals(next) ->
                    VmPlacement.pursue(
                                    new VmSteps(now, s),
                                    VmPlacement.plus(s.refusals(), server, why))
                            .accepted();
            // A candidate that does not answer is not waited for when another one fits.
            case VmInput.Tick _ ->
                    VmPlacement.gone(s.candidate(), now.view())
                            .map(why ->
                                    VmPlacement.pursue(
                                                    new VmSteps(now, s)
                                                            .act(
                                                                    new VmAction.Release(
                                                                            s.candidate(), next)),
                                                    VmPlacement.plus(
                                                            s.refusals(), s.candidate(), why))
                                            .accepted())
                            .orElseGet(() ->
                                    ignoredNews("waiting for " + s.candidate() + "'s word", input));
            default -> ignoredNews("waiting for " + s.candidate() + "'s word", input);
        };
    }

    private static Decision<VmEvent, VmAction> whenStarting(
            Starting s, Context now, VmInput input) {
        return switch (input) {
            case VmInput.ReplicaStarted(var right, var detail, var timings)
                    when right.equals(s.right()) ->
                    VmRecovery.started(new VmSteps(now, s), right, detail, timings).accepted();
            case VmInput.ReplicaStartFailed failed when failed.right().equals(s.right()) ->
                    VmRecovery.startFailed(new VmSteps(now, s), failed).accepted();
            case VmInput.ReplicaGone(var right, var cause, var detail)
                    when right.equals(s.right()) ->
                    VmRecovery.died(new VmSteps(now, s), right, cause, detail).accepted();
            default -> whileRightIsOut(s, s.right(), now, input);
        };
    }

    static Decision<VmEvent, VmAction> whenRunning(Running s, Context now, VmInput input) {
        return switch (input) {
            case VmInput.ReplicaGone(var right, var cause, var detail)
                    when right.equals(s.right()) ->
                    VmRecovery.died(new VmSteps(now, s), right, cause, detail).accepted();
            case VmInput.GuestPanicked(var right) when right.equals(s.right()) ->
                    VmRecovery.stopToRestart(
                                    new VmSteps(now, s),
                                    right,
                                    "the guest's kernel panicked",
                                    false)
                            .accepted();
            case VmInput.DiskFailed(var right, var disk, var why) when right.equals(s.right()) ->
                    VmRecovery.stopToRestart(
                                    new VmSteps(now, s),
                                    right,
                                    "disk %s failed: %s".formatted(disk, why),
                                    true)
                            .accepted();
            case VmInput.Settled(var epoch)
                    when epoch.equals(s.right().epoch()) && s.vm().failures() > 0 ->
                    new VmSteps(now, s).add(new VmEvent.VmSettled(now.at(), epoch)).accepted();
            case VmInput.Tick _ -> Emptying.whenRunning(s, now);
            case VmInput.BackOffOver(var epoch) when epoch.equals(s.vm().epoch()) ->
                    VmPair.again(new VmSteps(now, s), s.right()).accepted();
            // A pair that was given up, and that its server does not know to be over.
            case VmInput.PairRaised(var primary, var secondary, _) when primary.equals(s.right()) ->
                    tell(new VmAction.GoSolo(primary, secondary));
            case VmInput.PartnerLost(var claimant, var partner, _)
                    when claimant.equals(s.right()) ->
                    tell(new VmAction.GoSolo(claimant, partner));
            default -> whileRightIsOut(s, s.right(), now, input);
        };
    }

    private static Decision<VmEvent, VmAction> whenStopping(
            Stopping s, Context now, VmInput input) {
        return switch (input) {
            case VmInput.ReplicaGone(var right, _, var detail) when right.equals(s.right()) ->
                    VmRecovery.stopped(new VmSteps(now, s), s, detail, false).accepted();
            case VmInput.ReplicaStartFailed(var right, var why, _, var neverRan)
                    when right.equals(s.right()) ->
                    VmRecovery.stopped(new VmSteps(now, s), s, why, neverRan).accepted();
            default -> whileRightIsOut(s, s.right(), now, input);
        };
    }

    /** What is the same in every state in which something may run. */
    static Decision<VmEvent, VmAction> whileRightIsOut(
            Present s, RunRight right, Context now, VmInput input) {
        return switch (input) {
            case VmInput.ServerLost(var server, var incarnation, var evidence)
                    when isAt(right, server, incarnation) ->
                    VmRecovery.lost(new VmSteps(now, s), right, evidence).accepted();
            case VmInput.FenceProved proved when proves(proved, right) -> {
                var lost = VmRecovery.lost(new VmSteps(now, s), right, List.of());
                yield (VmSolo.mayLiveOn(s.vm(), proved.proof())
                                ? lost
                                : VmRecovery.proved(lost, right, proved.proof()))
                        .accepted();
            }
            default -> ignoredNews("of " + right, input);
        };
    }

    private static Decision<VmEvent, VmAction> whenFailingOver(
            FailingOver s, Context now, VmInput input) {
        return switch (input) {
            case VmInput.FenceProved proved
                    when proves(proved, s.lost()) && VmSolo.mayLiveOn(s.vm(), proved.proof()) ->
                    ignored("its lease is over, but it may live by the other one of its pair");
            case VmInput.FenceProved proved when proves(proved, s.lost()) ->
                    VmRecovery.proved(new VmSteps(now, s), s.lost(), proved.proof()).accepted();
            default ->
                    ignoredNews(
                            "waiting for the proof that nothing of " + s.lost() + " runs", input);
        };
    }

    private static Decision<VmEvent, VmAction> whenBackingOff(
            BackingOff s, Context now, VmInput input) {
        return switch (input) {
            case VmInput.BackOffOver(var epoch) when epoch.equals(s.last().epoch()) ->
                    VmRecovery.again(new VmSteps(now, s), s).accepted();
            // Nothing runs, so nothing has to be proved: it need not wait for this server any
            // longer.
            case VmInput.ServerLost(var server, var incarnation, _)
                    when isAt(s.last(), server, incarnation) ->
                    VmPlacement.pursue(new VmSteps(now, s), List.of()).accepted();
            case VmInput.FenceProved proved when proves(proved, s.last()) ->
                    VmPlacement.pursue(new VmSteps(now, s), List.of()).accepted();
            default -> ignoredNews("pausing before the next try", input);
        };
    }

    /** A proof covers the incarnation that it names and every older one of that server. */
    static boolean proves(VmInput.FenceProved proved, RunRight right) {
        return proved.server().equals(right.server())
                && !right.incarnation().isAfter(proved.incarnation());
    }

    /** What to send again after a restart and now and then, from the state alone. */
    public static List<VmAction> pending(VmState state) {
        if (!(state instanceof Present present) || present.vm().ending().isEmpty()) {
            return awaited(state);
        }
        return Stream.concat(awaited(state).stream(), VmSolo.pending(present.vm()).stream())
                .distinct()
                .toList();
    }

    private static List<VmAction> awaited(VmState state) {
        return switch (state) {
            case Absent _, Stopped _ -> List.of();
            case Waiting s ->
                    List.of(
                            new VmAction.WakeAfter(VmPlacement.retryPause(s.vm()), s.vm().epoch()),
                            new VmAction.InsistAfter(VmPriority.PATIENCE, s.vm().epoch()));
            case Placing s ->
                    List.of(
                            new VmAction.Reserve(
                                    s.candidate(),
                                    s.vm().epoch().next(),
                                    s.vm().spec().memoryMiB()));
            case Starting s ->
                    List.of(
                            new VmAction.StartReplica(s.right(), s.vm().spec()),
                            standing(s.right()),
                            keep(s.vm(), s.right()));
            case Running s -> {
                var actions = running(s.vm(), s.right());
                actions.addAll(VmPair.pending(s.vm()));
                yield actions;
            }
            case Pairing s -> {
                var actions = running(s.vm(), s.right());
                actions.add(
                        new VmAction.Reserve(
                                s.candidate(),
                                s.vm().epoch().next(),
                                VmPair.secondaryMiB(s.vm().spec())));
                yield actions;
            }
            case Raising s ->
                    List.of(
                            new VmAction.PrepareSecondary(
                                    s.secondary(), s.primary(), s.vm().spec()),
                            confirm(s.vm(), s.primary()),
                            standing(s.primary()),
                            standing(s.secondary()),
                            keep(s.vm(), s.primary()),
                            keepSecondary(s.vm(), s.secondary()));
            case Lockstep s -> {
                var actions = new ArrayList<VmAction>();
                if (s.vm().spec().isMirrored()) {
                    actions.addAll(VmPair.confirmLockstep(s.primary(), s.secondary()));
                } else {
                    // Without disks nothing but its lease holds it back from a third server, so
                    // its halves do not live by each other.
                    actions.add(confirm(s.vm(), s.primary()));
                    actions.add(confirm(s.vm(), s.secondary()));
                }
                actions.add(standing(s.primary()));
                actions.add(standing(s.secondary()));
                actions.add(keep(s.vm(), s.primary()));
                actions.add(keepSecondary(s.vm(), s.secondary()));
                if (s.vm().pursuit().failures() > 0) {
                    actions.add(new VmAction.SettleAfter(SETTLED, s.secondary().epoch()));
                }
                yield actions;
            }
            case GoingSolo s ->
                    List.of(
                            new VmAction.GoSolo(s.winner(), s.loser()),
                            confirm(s.vm(), s.winner()),
                            standing(s.winner()));
            case Stopping s ->
                    List.of(new VmAction.StopReplica(s.right(), s.kill()), standing(s.right()));
            case FailingOver s -> List.of(standing(s.lost()));
            case BackingOff s ->
                    List.of(
                            new VmAction.WakeAfter(s.pause(), s.last().epoch()),
                            standing(s.last()));
        };
    }

    private static List<VmAction> running(Vm vm, RunRight right) {
        var actions = new ArrayList<VmAction>();
        actions.add(confirm(vm, right));
        actions.add(standing(right));
        actions.add(keep(vm, right));
        if (vm.failures() > 0) {
            actions.add(new VmAction.SettleAfter(SETTLED, right.epoch()));
        }
        return actions;
    }

    private static VmAction confirm(Vm vm, RunRight right) {
        return new VmAction.Confirm(right, vm.spec().level());
    }

    private static VmAction standing(RunRight right) {
        return new VmAction.AskStanding(right.server(), right.incarnation());
    }

    /** Its memory, should a release that was held up on its way have given it away. */
    private static VmAction keep(Vm vm, RunRight right) {
        return new VmAction.Reserve(right.server(), right.epoch(), vm.spec().memoryMiB());
    }

    private static VmAction keepSecondary(Vm vm, RunRight right) {
        return new VmAction.Reserve(right.server(), right.epoch(), VmPair.secondaryMiB(vm.spec()));
    }

    static Decision<VmEvent, VmAction> tell(VmAction action) {
        return new Accepted<>(List.of(), List.of(action));
    }

    static <E, A> Decision<E, A> ignored(String why) {
        return new Ignored<>(why);
    }

    /** Late or repeated news: the state says what is waited for, and this is not it. */
    static Decision<VmEvent, VmAction> ignoredNews(String waitingFor, VmInput input) {
        return new Ignored<>(
                input.getClass().getSimpleName() + " changes nothing while " + waitingFor);
    }

    static boolean isFailure(Cause cause) {
        return switch (cause) {
            case DIED, POWERED_OFF -> true;
            case LEASE, STOPPED -> false;
        };
    }

    static Epoch last(VmState state) {
        return switch (state) {
            case Absent s -> s.last();
            case Present s -> s.vm().epoch();
        };
    }

    static Vm vm(VmState state) {
        return ((Present) state).vm();
    }
}
