package dev.belay.replica;

import dev.belay.decision.Qemu;
import dev.belay.decision.RaiseStage;
import dev.belay.decision.VmInput.Timing;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.Level;
import dev.belay.model.PairAddress;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Runs replicas on this server. Every call is idempotent by (vm, epoch), never blocks its caller
 * and fails with {@link HypervisorException} when it could not be done. Replicas outlive this
 * process and are found again by {@link #adopt}.
 */
public interface Hypervisor {

    /**
     * What the server lacks to run anything at all (QEMU missing, say), in sentences for the
     * operator; empty when fit.
     */
    List<String> problems();

    /** What it runs VMs with, as far as it has looked by now; quick, any thread. */
    default Optional<Qemu> qemu() {
        return Optional.empty();
    }

    /**
     * What stops this spec from running on this server now (image missing or unreadable, no such
     * bridge), in sentences.
     */
    CompletionStage<List<String>> check(VmSpec spec);

    /**
     * Starts the replica: storage daemon, leash armed with the newest grant, QEMU; done when the
     * guest's CPUs run. A repeat for a running (vm, epoch) answers its status. An older epoch of
     * the VM that still runs here is killed and its exports closed first. Refused without a live
     * lease for the right's incarnation (safety.md 11).
     */
    CompletionStage<ReplicaStatus> start(RunRight right, VmSpec spec);

    /**
     * Ends every replica of the VM with an epoch up to {@code upTo}; done when their processes are
     * gone, their exports closed and their taps removed. Nothing there: done at once.
     */
    CompletionStage<Void> stop(VmName vm, Epoch upTo, StopMode mode);

    /**
     * Finds the replicas that an earlier process of this node left running, with those that ended
     * meanwhile.
     */
    CompletionStage<List<ReplicaStatus>> adopt();

    /**
     * Kills everything that Belay ever started here and closes all exports; done when it is all
     * gone.
     */
    CompletionStage<Void> clean();

    /** What runs now. */
    List<ReplicaStatus> replicas();

    /**
     * Starts the second of a pair, waiting for the first: storage daemon, leash armed with the
     * newest grant, QEMU that takes a migration; its output stays closed. Its own copy of each disk
     * is made anew and is worth nothing before lockstep. Older epochs of the VM here are ended
     * first, as by {@link #start}. A repeat answers the same address while it lives.
     */
    default CompletionStage<PairAddress> prepareSecondary(
            RunRight secondary, RunRight primary, VmSpec spec) {
        return noLockstep();
    }

    /**
     * Brings the running {@code primary} and the prepared {@code secondary} into lockstep, live;
     * done when both are and the guest's CPUs run. When it fails the primary has been made an
     * ordinary running replica again first, unless the failure is {@link
     * HypervisorException#notUndone}. A repeat while it goes on, or after it succeeded, answers the
     * same.
     *
     * @param progress told from any thread, at most once for each stage and percent
     * @return what it did and how long each took
     */
    default CompletionStage<List<Timing>> raise(
            RunRight primary,
            RunRight secondary,
            PairAddress at,
            BiConsumer<RaiseStage, Integer> progress) {
        return noLockstep();
    }

    /**
     * Done as soon as this server sees the {@code secondary} in lockstep with its primary and
     * counts its own copies of the disks as whole, in a way that outlives this process. Does not
     * end before that, and fails when it is nobody's second here any more.
     */
    default CompletionStage<Void> inLockstep(RunRight secondary, RunRight primary) {
        return noLockstep();
    }

    /**
     * The pair is over and {@code winner} goes on alone: as the primary that lets its secondary go,
     * or as the secondary that is promoted. Whether it was the one or the other, and whether the
     * raise was over, the hypervisor knows. Done when the guest runs, its output is open and {@code
     * winner} is an ordinary running replica again. Refused without a live lease. A repeat answers
     * the same.
     *
     * @return what it did and how long each took
     */
    default CompletionStage<List<Timing>> goSolo(RunRight winner, RunRight loser) {
        return noLockstep();
    }

    /**
     * Has the {@code primary} and its secondary pass a checkpoint now; done when they have, and
     * fails when it is not in lockstep with that one, or they do not within a second or so.
     */
    default CompletionStage<Void> passCheckpoint(RunRight primary, RunRight secondary) {
        return noLockstep();
    }

    /**
     * The other server of the pair is not heard any more: closes the output of {@code replica}
     * until {@link #goSolo} (safety.md 23). Quick; any thread.
     */
    default void partnerSilent(RunRight replica) {}

    /**
     * The journal says that {@code replica} is in lockstep with {@code partner}. Kept with the
     * replica, so that a later process of the node knows it. Returns at once; any thread.
     */
    default void lockstepStored(RunRight replica, RunRight partner) {}

    /**
     * The VM's level by now: at level SYSTEM, and in a pair whatever the level, nothing that
     * lockstep does not compare gets out of it (safety.md 23). Returns at once; any thread.
     */
    default void levelIs(RunRight replica, Level level) {}

    /**
     * Whether {@code replica} runs here in lockstep with {@code partner}, is connected to it, has
     * noticed no sign of its loss since, and knows that the journal says so (safety.md 14). Quick;
     * any thread.
     */
    default boolean vouchesFor(RunRight replica, RunRight partner) {
        return false;
    }

    /**
     * The partner vouched for {@code replica}: like {@link #extend}, for this one alone, and only
     * while it would vouch for its partner, too. It lets nothing start or go on alone: that needs
     * the quorum's lease. Quick; any thread.
     */
    default void extendByPartner(RunRight replica, RunRight partner, long deadline) {}

    /**
     * This process is about to end and to start anew, and the partner's may do the same at the same
     * time: those of this incarnation that vouch for their partners here live longer than their
     * leases by {@code longer}, mute when these are over, see {@link
     * dev.belay.model.LeaseTerms#KEPT}. Blocks for a second at most.
     */
    default void keepPairs(Incarnation incarnation, Duration longer) {}

    /** Whether an earlier process kept it so, and the time is not over. Quick; any thread. */
    default boolean isKept(RunRight replica) {
        return false;
    }

    /** What lockstep costs the VMs that run here first, as last measured; quick, any thread. */
    default List<LockstepFigures> lockstep() {
        return List.of();
    }

    private static <T> CompletionStage<T> noLockstep() {
        return CompletableFuture.failedFuture(
                new HypervisorException("This server cannot run a VM in lockstep", true));
    }

    /**
     * A lease was granted: extends the leashes and opens the output of that incarnation's replicas
     * until {@code deadline}, in nanoseconds of CLOCK_BOOTTIME. Called from the lease keeper's
     * thread; quick.
     */
    void extend(Incarnation incarnation, long deadline);

    /**
     * News of replicas go to {@code observer}, any thread. One observer; set before anything else.
     */
    void observe(Consumer<ReplicaEvent> observer);

    enum StopMode {
        /** Ask the guest to power off, kill it when it has not after 30 s. */
        SHUTDOWN,
        /** SIGKILL. */
        KILL
    }

    /**
     * @param detail for people: pid, exit status, signal
     */
    record ReplicaStatus(RunRight right, boolean running, String detail, Part part) {
        public ReplicaStatus(RunRight right, boolean running, String detail) {
            this(right, running, detail, new Part.Alone());
        }
    }

    /** What a replica is to its VM. */
    sealed interface Part {
        record Alone() implements Part {}

        /** Runs the guest; its secondary follows. Also while it is being raised. */
        record Primary(RunRight secondary) implements Part {}

        /** Prepared, or follows its primary; its output is closed. */
        record Secondary(RunRight primary) implements Part {}
    }

    sealed interface ReplicaEvent {
        RunRight right();

        /** The process is gone. {@code lease}: the leash killed it because the lease ran out. */
        record Exited(RunRight right, boolean lease, String detail) implements ReplicaEvent {}

        /** The guest's kernel panicked; QEMU holds it paused. */
        record Panicked(RunRight right) implements ReplicaEvent {}

        /** The guest powered itself off or was shut down; QEMU ended by itself, cleanly. */
        record PoweredOff(RunRight right) implements ReplicaEvent {}

        /** A disk failed and QEMU paused the guest before it noticed. */
        record DiskFailed(RunRight right, String disk, String reason) implements ReplicaEvent {}

        /** In lockstep: the other one is gone or does not answer. This one's output is closed. */
        record PartnerLost(RunRight right, RunRight partner, String reason)
                implements ReplicaEvent {}

        /** In lockstep: its QEMU lives and does not answer. */
        record Hung(RunRight right, String reason) implements ReplicaEvent {}
    }

    /** Could not be done; the message says what to do. */
    final class HypervisorException extends RuntimeException {
        private final boolean elsewhere;
        private final boolean neverRan;
        private final boolean undone;

        /**
         * @param elsewhere whether another server may well succeed where this one did not
         */
        public HypervisorException(String message, boolean elsewhere) {
            super(message);
            this.elsewhere = elsewhere;
            this.neverRan = false;
            this.undone = true;
        }

        private HypervisorException(HypervisorException why, boolean neverRan, boolean undone) {
            super(why.getMessage(), why);
            this.elsewhere = why.elsewhere;
            this.neverRan = neverRan;
            this.undone = undone;
        }

        /**
         * Of a failed start: the guest's CPUs were never continued, and never will be for this
         * right. The VM's disks hold what they held before, so it may start from other copies of
         * them: to be said only when it is sure.
         */
        public HypervisorException neverRan() {
            return new HypervisorException(this, true, undone);
        }

        /** False: it may have run, as far as is known. */
        public boolean guestNeverRan() {
            return neverRan;
        }

        /**
         * Of a failed raise: the primary could not be made an ordinary running replica again. Its
         * guest may stand still until {@link Hypervisor#goSolo}.
         */
        public HypervisorException notUndone() {
            return new HypervisorException(this, neverRan, false);
        }

        public boolean isUndone() {
            return undone;
        }

        public boolean worthTryingElsewhere() {
            return elsewhere;
        }
    }
}
