package dev.belay.decision;

import dev.belay.model.Desired;
import dev.belay.model.Epoch;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Where a VM stands. One sentence per state, in the words that operators see. */
public sealed interface VmState {
    /** There is no VM of this name; epochs of an earlier one are never used again. */
    record Absent(Epoch last) implements VmState {}

    /** States in which the VM exists. */
    sealed interface Present extends VmState {
        Vm vm();
    }

    /** Not running, as desired. */
    record Stopped(Vm vm) implements Present {}

    /** Should run, but no server can take it now. */
    record Waiting(Vm vm, List<Refusal> refusals) implements Present {
        public Waiting {
            refusals = List.copyOf(refusals);
        }
    }

    /** A server is asked to keep memory for it. */
    record Placing(Vm vm, ServerName candidate, List<Refusal> refusals) implements Present {
        public Placing {
            refusals = List.copyOf(refusals);
        }
    }

    /** A server has the right to run it and was told to start it. */
    record Starting(Vm vm, RunRight right) implements Present {}

    /** Runs. */
    record Running(Vm vm, RunRight right) implements Present {}

    /** Is being stopped; what follows depends on what the user desires by then. */
    record Stopping(Vm vm, RunRight right, boolean kill, boolean elsewhere) implements Present {}

    /** Its server is lost: it waits for the proof that nothing runs there any more. */
    record FailingOver(Vm vm, RunRight lost) implements Present {}

    /**
     * Failed to run and starts again on the same server after a pause. {@code last}: what ran, and
     * runs no more.
     */
    record BackingOff(Vm vm, RunRight last, Duration pause) implements Present {}

    /**
     * What holds in every state.
     *
     * @param epoch the newest that was given; the next right is one more
     * @param failures in a row, without a settled run between them
     * @param failover the one that goes on now
     * @param reports finished failovers, newest last, the last twenty
     */
    record Vm(
            VmSpec spec,
            Desired desired,
            boolean deleting,
            Epoch epoch,
            int failures,
            int failoverCount,
            Optional<Failover> failover,
            List<Failover> reports) {
        static final int KEPT_REPORTS = 20;

        public Vm {
            reports = List.copyOf(reports);
        }

        Vm desiring(Desired wish, boolean delete) {
            return new Vm(spec, wish, delete, epoch, failures, failoverCount, failover, reports);
        }

        Vm at(Epoch granted) {
            return new Vm(
                    spec, desired, deleting, granted, failures, failoverCount, failover, reports);
        }

        Vm failed(int inARow) {
            return new Vm(spec, desired, deleting, epoch, inARow, failoverCount, failover, reports);
        }

        Vm failingOver(Failover now) {
            return new Vm(
                    spec,
                    desired,
                    deleting,
                    epoch,
                    failures,
                    Math.max(failoverCount, now.number()),
                    Optional.of(now),
                    reports);
        }

        Vm reported(Failover done) {
            var kept = new java.util.ArrayList<>(reports);
            kept.add(done);
            return new Vm(
                    spec,
                    desired,
                    deleting,
                    epoch,
                    failures,
                    failoverCount,
                    Optional.empty(),
                    kept.subList(Math.max(0, kept.size() - KEPT_REPORTS), kept.size()));
        }
    }

    /**
     * Why a server did not take the VM.
     *
     * @param asked the server said so itself, and is not asked again for a while; otherwise it only
     *     looks so from here
     */
    record Refusal(ServerName server, String why, boolean asked) {}
}
