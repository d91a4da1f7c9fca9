package dev.belay.decision;

import dev.belay.model.Desired;
import dev.belay.model.Epoch;
import dev.belay.model.Level;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

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

    /** Runs, and a second server is asked to keep memory for a copy of it. */
    record Pairing(Vm vm, RunRight right, ServerName candidate, List<Refusal> refusals)
            implements Present {
        public Pairing {
            refusals = List.copyOf(refusals);
        }
    }

    /**
     * Runs on the primary, and the secondary gets its disks and memory. The secondary is worth
     * nothing yet (safety.md 22).
     */
    record Raising(Vm vm, RunRight primary, RunRight secondary, RaiseStage stage, int percent)
            implements Present {}

    /** Runs on two servers, either of which can go on alone. */
    record Lockstep(Vm vm, RunRight primary, RunRight secondary) implements Present {}

    /** Was on two servers; the winner is told to go on alone. */
    record GoingSolo(Vm vm, RunRight winner, RunRight loser) implements Present {}

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
     * @param legs servers whose copies of the mirrored disks have the newest bytes; empty: it has
     *     none, or its guest never ran. A start changes them only once the guest may have run
     * @param ending rights that lost or were given up, and of which something may still run: never
     *     heard, never to be promoted
     * @param pursuit of a second server
     */
    record Vm(
            VmSpec spec,
            Desired desired,
            boolean deleting,
            Epoch epoch,
            int failures,
            int failoverCount,
            Optional<Failover> failover,
            List<Failover> reports,
            Set<ServerName> legs,
            List<RunRight> ending,
            Pursuit pursuit) {
        static final int KEPT_REPORTS = 20;

        public Vm {
            reports = List.copyOf(reports);
            legs = inOrder(legs);
            ending = List.copyOf(ending);
        }

        /** So that the same history always gives the same words. */
        private static Set<ServerName> inOrder(Set<ServerName> servers) {
            var sorted = new TreeSet<>(Comparator.comparing(ServerName::value));
            sorted.addAll(servers);
            return Collections.unmodifiableSet(new LinkedHashSet<>(sorted));
        }

        /** That never ran on two servers. */
        public Vm(
                VmSpec spec,
                Desired desired,
                boolean deleting,
                Epoch epoch,
                int failures,
                int failoverCount,
                Optional<Failover> failover,
                List<Failover> reports) {
            this(
                    spec,
                    desired,
                    deleting,
                    epoch,
                    failures,
                    failoverCount,
                    failover,
                    reports,
                    Set.of(),
                    List.of(),
                    Pursuit.NONE);
        }

        boolean isWanted() {
            return desired == Desired.RUNNING && !deleting;
        }

        /** Whether it should run on two servers. */
        boolean wantsPair() {
            return isWanted() && spec.level() == Level.SYSTEM;
        }

        Vm at(Level level) {
            return with(spec.at(level), Pursuit.NONE);
        }

        Vm desiring(Desired wish, boolean delete) {
            return new Vm(
                    spec,
                    wish,
                    delete,
                    epoch,
                    failures,
                    failoverCount,
                    failover,
                    reports,
                    legs,
                    ending,
                    pursuit);
        }

        Vm at(Epoch granted) {
            return new Vm(
                    spec,
                    desired,
                    deleting,
                    granted,
                    failures,
                    failoverCount,
                    failover,
                    reports,
                    legs,
                    ending,
                    pursuit);
        }

        Vm failed(int inARow) {
            return new Vm(
                    spec,
                    desired,
                    deleting,
                    epoch,
                    inARow,
                    failoverCount,
                    failover,
                    reports,
                    legs,
                    ending,
                    pursuit);
        }

        Vm failingOver(Failover now) {
            return reporting(Math.max(failoverCount, now.number()), Optional.of(now), reports);
        }

        Vm reported(Failover done) {
            var kept = new ArrayList<>(reports);
            kept.add(done);
            return reporting(
                    failoverCount,
                    Optional.empty(),
                    kept.subList(Math.max(0, kept.size() - KEPT_REPORTS), kept.size()));
        }

        private Vm reporting(int count, Optional<Failover> now, List<Failover> done) {
            return new Vm(
                    spec, desired, deleting, epoch, failures, count, now, done, legs, ending,
                    pursuit);
        }

        /** The newest bytes of its mirrored disks are only there from here on. */
        Vm newestOn(ServerName... servers) {
            return spec.isMirrored() ? with(Set.of(servers), ending) : this;
        }

        Vm giveUp(RunRight right) {
            if (ending.contains(right)) {
                return this;
            }
            var more = new ArrayList<>(ending);
            more.add(right);
            return with(legs, more);
        }

        Vm ended(RunRight right) {
            return with(legs, ending.stream().filter(r -> !r.equals(right)).toList());
        }

        Vm pursuing(int inARow, List<Refusal> refusals) {
            return with(spec, new Pursuit(inARow, refusals));
        }

        private Vm with(Set<ServerName> newest, List<RunRight> losers) {
            return new Vm(
                    spec,
                    desired,
                    deleting,
                    epoch,
                    failures,
                    failoverCount,
                    failover,
                    reports,
                    newest,
                    losers,
                    pursuit);
        }

        private Vm with(VmSpec changed, Pursuit next) {
            return new Vm(
                    changed,
                    desired,
                    deleting,
                    epoch,
                    failures,
                    failoverCount,
                    failover,
                    reports,
                    legs,
                    ending,
                    next);
        }
    }

    /**
     * How a VM that should run on two servers and does not looks for the second one.
     *
     * @param failures pairs in a row that came to nothing; one in lockstep counts until it has
     *     lasted a while
     * @param refusals why no other server takes its copy, or did not the last time
     */
    record Pursuit(int failures, List<Refusal> refusals) {
        public static final Pursuit NONE = new Pursuit(0, List.of());

        public Pursuit {
            refusals = List.copyOf(refusals);
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
