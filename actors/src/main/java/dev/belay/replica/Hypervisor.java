package dev.belay.replica;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.util.List;
import java.util.concurrent.CompletionStage;
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
    record ReplicaStatus(RunRight right, boolean running, String detail) {}

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
    }

    /** Could not be done; the message says what to do. */
    final class HypervisorException extends RuntimeException {
        private final boolean elsewhere;

        /**
         * @param elsewhere whether another server may well succeed where this one did not
         */
        public HypervisorException(String message, boolean elsewhere) {
            super(message);
            this.elsewhere = elsewhere;
        }

        public boolean worthTryingElsewhere() {
            return elsewhere;
        }
    }
}
