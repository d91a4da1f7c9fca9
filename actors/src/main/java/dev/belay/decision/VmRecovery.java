package dev.belay.decision;

import dev.belay.decision.Failover.Step;
import dev.belay.decision.VmInput.Cause;
import dev.belay.decision.VmInput.Timing;
import dev.belay.decision.VmState.BackingOff;
import dev.belay.decision.VmState.Refusal;
import dev.belay.decision.VmState.Stopping;
import dev.belay.model.Desired;
import dev.belay.model.RunRight;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What follows when a replica starts, fails or is lost. */
final class VmRecovery {
    /**
     * So many failures in a row are answered on the same server; after that another one is tried.
     */
    static final int TRIES_HERE = 3;

    private VmRecovery() {}

    static VmSteps started(VmSteps steps, RunRight right, String detail, List<Timing> timings) {
        var now = steps.now();
        timed(steps, right, timings);
        steps.step("runs on " + right.server() + ": " + detail)
                .add(new VmEvent.VmStarted(now.at(), right, detail));
        steps.vm()
                .failover()
                .ifPresent(failover ->
                        steps.add(
                                new VmEvent.FailoverEnded(
                                        now.at(), failover.ended(right.server(), now.at()))));
        if (steps.vm().failures() > 0) {
            steps.act(new VmAction.SettleAfter(VmLife.SETTLED, right.epoch()));
        }
        return VmPair.pursue(steps);
    }

    /**
     * What was measured, for the report: how long the decision took, and what the server did. That
     * was one thing after the other, and the last had ended when this was heard at the latest.
     */
    static VmSteps timed(VmSteps steps, RunRight right, List<Timing> timings) {
        var at = steps.now().at().minusMillis(timings.stream().mapToLong(Timing::tookMs).sum());
        var done = new ArrayList<>(steps.now().measured());
        for (var timing : timings) {
            at = at.plusMillis(timing.tookMs());
            done.add(new Step(at, right.server().value(), timing.what(), timing.tookMs()));
        }
        return steps.steps(done);
    }

    static VmSteps startFailed(VmSteps steps, VmInput.ReplicaStartFailed failure) {
        var right = failure.right();
        var why = failure.why();
        steps.step("could not start on " + right.server() + ": " + why)
                .add(end(steps, right, why, true, failure.neverRan()));
        // What fails on every server fails again at once, over and over: then it pauses, too.
        return failure.elsewhere() && steps.vm().failures() <= TRIES_HERE
                ? leave(steps, right, why)
                : pause(steps, right);
    }

    private static VmEvent end(
            VmSteps steps, RunRight right, String why, boolean failed, boolean neverRan) {
        var at = steps.now().at();
        return neverRan
                ? new VmEvent.StartFailed(at, right, why, failed)
                : new VmEvent.ReplicaEnded(at, right, why, failed);
    }

    /** A replica ended, and the server that ran it says so: nothing has to be proved. */
    static VmSteps died(VmSteps steps, RunRight right, Cause cause, String detail) {
        var now = steps.now();
        if (steps.vm().desired() == Desired.RUNNING && !steps.vm().deleting()) {
            begin(steps, right, describe(cause, detail), false);
            steps.steps(
                    List.of(
                            new Step(
                                    now.at(),
                                    right.server().value(),
                                    describe(cause, detail),
                                    -1)));
        }
        steps.add(
                new VmEvent.ReplicaEnded(
                        now.at(), right, describe(cause, detail), VmLife.isFailure(cause)));
        if (steps.vm().desired() == Desired.STOPPED || steps.vm().deleting()) {
            return VmPlacement.rest(steps.act(new VmAction.Release(right.server(), right.epoch())));
        }
        return steps.vm().failures() <= 1 ? here(steps, right) : pause(steps, right);
    }

    /**
     * The replica is of no use any more although its process lives: end it first, then start again.
     */
    static VmSteps stopToRestart(VmSteps steps, RunRight right, String why, boolean elsewhere) {
        var now = steps.now();
        begin(steps, right, why, false);
        return steps.steps(List.of(new Step(now.at(), right.server().value(), why, -1)))
                .add(new VmEvent.StopBegan(now.at(), right, true, elsewhere, why))
                .act(new VmAction.StopReplica(right, true));
    }

    /** The replica is to end as its guest likes, and the VM to start on another server. */
    static VmSteps restartElsewhere(VmSteps steps, RunRight right, String why) {
        begin(steps, right, why, false);
        return steps.add(new VmEvent.StopBegan(steps.now().at(), right, false, true, why))
                .act(new VmAction.StopReplica(right, false));
    }

    static VmSteps stopped(VmSteps steps, Stopping was, String detail, boolean neverRan) {
        var right = was.right();
        boolean unwanted = was.vm().desired() == Desired.STOPPED || was.vm().deleting();
        boolean asked = was.elsewhere() && !was.kill();
        steps.step("ended on " + right.server())
                .add(end(steps, right, detail, !unwanted && !asked, neverRan));
        if (unwanted) {
            return VmPlacement.rest(steps.act(new VmAction.Release(right.server(), right.epoch())));
        }
        if (asked) {
            return here(steps, right);
        }
        if (was.elsewhere()) {
            return leave(steps, right, "its disk failed there");
        }
        return steps.vm().failures() <= 1 ? here(steps, right) : pause(steps, right);
    }

    /** The journal refuses the server's incarnation; what runs there is unknown until proved. */
    static VmSteps lost(VmSteps steps, RunRight right, List<Evidence> evidence) {
        begin(steps, right, "server " + right.server() + " is lost", true);
        steps.steps(
                evidence.stream()
                        .map(seen -> new Step(seen.at(), seen.where(), seen.what(), -1))
                        .toList());
        return steps.step(
                        "fenced %s%s in the journal: no right and no lease for it any more"
                                .formatted(right.server(), right.incarnation()))
                .act(new VmAction.AskStanding(right.server(), right.incarnation()));
    }

    static VmSteps proved(VmSteps steps, RunRight right, Proof proof) {
        steps.step(
                        "nothing runs on %s%s any more: %s"
                                .formatted(right.server(), right.incarnation(), proof.detail()))
                .add(new VmEvent.LossProved(steps.now().at(), right, proof));
        return VmPlacement.pursue(steps, List.of());
    }

    /** The pause is over: here again, or elsewhere when here failed too often. */
    static VmSteps again(VmSteps steps, BackingOff state) {
        var last = state.last();
        var refusal =
                new Refusal(
                        last.server(),
                        "it failed there %d times in a row".formatted(steps.vm().failures()),
                        true);
        var view = steps.now().view();
        boolean elsewhere =
                steps.vm().failures() > TRIES_HERE
                        && VmPlacement.best(steps.vm(), view, List.of(refusal))
                                .filter(to -> VmPlacement.hasNewest(steps.vm(), to))
                                .filter(to -> VmPlacement.held(steps.vm(), view, to).isEmpty())
                                .isPresent();
        return elsewhere ? leave(steps, last, refusal.why()) : here(steps, last);
    }

    /**
     * On the same server again, unless it is known that the journal would refuse the right, or it
     * is to be empty and another one has room.
     */
    private static VmSteps here(VmSteps steps, RunRight last) {
        boolean over =
                steps.now()
                        .view()
                        .server(last.server())
                        .filter(v -> !v.live() || !v.incarnation().equals(last.incarnation()))
                        .isPresent();
        if (over) {
            return VmPlacement.pursue(steps, List.of());
        }
        if (Emptying.shunned(steps.vm(), last, steps.now().view())) {
            return leave(steps, last, Explanation.maintained(last.server()));
        }
        return VmPlacement.grant(
                steps,
                new RunRight(
                        last.vm(), steps.vm().epoch().next(), last.server(), last.incarnation()));
    }

    private static VmSteps leave(VmSteps steps, RunRight last, String why) {
        return VmPlacement.pursue(
                steps.act(new VmAction.Release(last.server(), last.epoch())),
                VmPlacement.plus(List.of(), last.server(), why));
    }

    private static VmSteps pause(VmSteps steps, RunRight last) {
        var pause =
                Duration.ofSeconds(
                        Math.min(30, 1L << Math.min(5, Math.max(0, steps.vm().failures() - 2))));
        return steps.step("pauses %d s before the next try".formatted(pause.toSeconds()))
                .add(new VmEvent.BackOffBegan(steps.now().at(), last, pause))
                .act(new VmAction.WakeAfter(pause, last.epoch()));
    }

    /** Opens a report, or goes on with the one that is open. */
    static void begin(VmSteps steps, RunRight right, String cause, boolean fencing) {
        var open = steps.vm().failover();
        if (open.isPresent() && !fencing) {
            steps.step(cause);
            return;
        }
        int number = open.map(Failover::number).orElse(steps.vm().failoverCount() + 1);
        steps.add(new VmEvent.FailoverBegan(steps.now().at(), number, cause, right, fencing));
    }

    static String describe(Cause cause, String detail) {
        return switch (cause) {
            case DIED -> "QEMU ended: " + detail;
            case LEASE -> "the leash killed it because the lease ran out: " + detail;
            case POWERED_OFF -> "the guest switched itself off";
            case STOPPED -> "stopped: " + detail;
        };
    }
}
