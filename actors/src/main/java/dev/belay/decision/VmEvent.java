package dev.belay.decision;

import dev.belay.decision.Failover.Step;
import dev.belay.decision.VmState.Refusal;
import dev.belay.model.Desired;
import dev.belay.model.Epoch;
import dev.belay.model.GuardedEvent;
import dev.belay.model.JournalGuard;
import dev.belay.model.Level;
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

    record LevelChanged(Instant at, Level level) implements VmEvent {}

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

    /** A server is asked to keep memory for the second of a pair. */
    record PairingTried(Instant at, ServerName candidate, List<Refusal> refusals)
            implements VmEvent {
        public PairingTried {
            refusals = List.copyOf(refusals);
        }
    }

    /** It stays on one server for now. */
    record NoPartnerFound(Instant at, List<Refusal> refusals) implements VmEvent {
        public NoPartnerFound {
            refusals = List.copyOf(refusals);
        }
    }

    /** A second server may hold a copy of it; it is worth nothing before lockstep. */
    record PairGranted(Instant at, RunRight primary, RunRight secondary)
            implements VmEvent, GuardedEvent {
        @Override
        public List<JournalGuard> guards() {
            return List.of(grants(secondary));
        }
    }

    record RaiseProgressed(Instant at, RunRight secondary, RaiseStage stage, int percent)
            implements VmEvent {}

    /** From here on both servers have all that the outside world has seen. */
    record LockstepReached(Instant at, RunRight primary, RunRight secondary)
            implements VmEvent, GuardedEvent {
        @Override
        public List<JournalGuard> guards() {
            return List.of(grants(primary), grants(secondary));
        }
    }

    /**
     * A pair that did not come to be is given up; the secondary is to be ended.
     *
     * @param plain the primary need not be told: it is an ordinary replica already, or is to end
     *     too. Otherwise it is told to become one
     */
    record PairEnded(Instant at, RunRight primary, RunRight secondary, String why, boolean plain)
            implements VmEvent {}

    /**
     * Of two in lockstep one goes on and has the newest bytes from here on; the other one never
     * runs again (safety.md 5).
     */
    record SoloGranted(Instant at, RunRight winner, RunRight loser, String why)
            implements VmEvent, GuardedEvent {
        @Override
        public List<JournalGuard> guards() {
            return List.of(grants(winner));
        }
    }

    record SoloReached(Instant at, RunRight winner) implements VmEvent {}

    /**
     * Both servers of a pair are lost: the secondary is given up, and the VM starts anew from
     * either copy once it is proved that nothing of the primary runs.
     */
    record PairLost(Instant at, RunRight primary, RunRight secondary, String why)
            implements VmEvent {}

    /** Nothing of a replica that lost or was given up runs any more. */
    record LoserEnded(Instant at, RunRight right, String why) implements VmEvent {}

    record VmStarted(Instant at, RunRight right, String detail) implements VmEvent {}

    record StopBegan(Instant at, RunRight right, boolean kill, boolean elsewhere, String why)
            implements VmEvent {}

    /** Nothing of this right runs any more; {@code failed}: against the user's wish. */
    record ReplicaEnded(Instant at, RunRight right, String why, boolean failed)
            implements VmEvent {}

    /**
     * Nothing of this right runs any more, and its guest never did: the newest bytes are where they
     * were before. {@code failed}: against the user's wish.
     */
    record StartFailed(Instant at, RunRight right, String why, boolean failed) implements VmEvent {}

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

    private static JournalGuard grants(RunRight right) {
        return new JournalGuard.Grants(right.server(), right.incarnation());
    }
}
