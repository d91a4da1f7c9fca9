package dev.belay.decision;

import dev.belay.decision.Failover.Step;
import dev.belay.decision.VmState.Refusal;
import dev.belay.model.Desired;
import dev.belay.model.Epoch;
import dev.belay.model.GuardedEvent;
import dev.belay.model.JournalGuard;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** What happened to one VM, as stored for ever. */
public sealed interface VmEvent {
    Instant at();

    record VmCreated(Instant at, VmSpec spec, Desired desired) implements VmEvent {}

    record DesireChanged(Instant at, Desired desired, boolean deleting) implements VmEvent {}

    /** A server is asked to take it; {@code refusals}: what others, or it, said before. */
    record PlacementTried(Instant at, ServerName candidate, List<Refusal> refusals)
            implements VmEvent {
        public PlacementTried {
            refusals = List.copyOf(refusals);
        }
    }

    record NoServerFound(Instant at, List<Refusal> refusals) implements VmEvent {
        public NoServerFound {
            refusals = List.copyOf(refusals);
        }
    }

    /** Who may run it from here on: the one test-and-set on which everything rests. */
    record RightGranted(Instant at, RunRight right) implements VmEvent, GuardedEvent {
        @Override
        public List<JournalGuard> guards() {
            return List.of(new JournalGuard.Grants(right.server(), right.incarnation()));
        }
    }

    record VmStarted(Instant at, RunRight right, String detail) implements VmEvent {}

    record StopBegan(Instant at, RunRight right, boolean kill, boolean elsewhere, String why)
            implements VmEvent {}

    /** Nothing of this right runs any more; {@code failed}: against the user's wish. */
    record ReplicaEnded(Instant at, RunRight right, String why, boolean failed)
            implements VmEvent {}

    record BackOffBegan(Instant at, RunRight last, Duration pause) implements VmEvent {}

    record VmSettled(Instant at, Epoch epoch) implements VmEvent {}

    record FailoverBegan(Instant at, int number, String cause, RunRight lost, boolean fencing)
            implements VmEvent {}

    record FailoverAdvanced(Instant at, List<Step> steps) implements VmEvent {
        public FailoverAdvanced {
            steps = List.copyOf(steps);
        }
    }

    /** The proof came: nothing of the lost right runs. */
    record LossProved(Instant at, RunRight lost, Proof proof) implements VmEvent {}

    record FailoverEnded(Instant at, Failover report) implements VmEvent {}

    record VmStopped(Instant at) implements VmEvent {}

    record VmDeleted(Instant at, Epoch last) implements VmEvent {}
}
