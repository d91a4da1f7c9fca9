package dev.belay.decision;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.Level;
import dev.belay.model.PairAddress;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmSpec;
import java.time.Duration;

/**
 * Work that a VM's entity hands out. Every action is idempotent: it is sent again until its answer
 * came.
 */
public sealed interface VmAction {
    /** To the server's entity. */
    record Reserve(ServerName server, Epoch epoch, int memoryMiB) implements VmAction {}

    /** To the server's entity: nothing of the VM runs there with an epoch up to this one. */
    record Release(ServerName server, Epoch upTo) implements VmAction {}

    /** To the server's entity: does this incarnation still hold? */
    record AskStanding(ServerName server, Incarnation incarnation) implements VmAction {}

    /** To the server that the right names. */
    sealed interface Order extends VmAction {
        RunRight right();
    }

    record StartReplica(RunRight right, VmSpec spec) implements Order {}

    /** End this right and every older one. */
    record StopReplica(RunRight right, boolean kill) implements Order {}

    /**
     * Does this replica still run?
     *
     * @param level the VM's by now, which a running replica was not started with if it changed
     */
    record Confirm(RunRight right, Level level) implements Order {}

    /**
     * Does this replica still run? As the journal says, it is in lockstep with its partner: from
     * here on it may live by that one's word, too (safety.md 14).
     */
    record ConfirmLockstep(RunRight right, RunRight partner) implements Order {}

    /** To the secondary's server: start it, waiting for the primary. SecondaryReady answers. */
    record PrepareSecondary(RunRight secondary, RunRight primary, VmSpec spec) implements Order {
        @Override
        public RunRight right() {
            return secondary;
        }
    }

    /**
     * To the secondary's server, when the primary's says that both run in lockstep: does it see
     * that, too? LockstepSeen answers, as soon as it does.
     */
    record AwaitLockstep(RunRight secondary, RunRight primary) implements Order {
        @Override
        public RunRight right() {
            return secondary;
        }
    }

    /** To the primary's server: into lockstep with it. PairRaised or RaiseFailed answer. */
    record RaisePair(RunRight primary, RunRight secondary, PairAddress at) implements Order {
        @Override
        public RunRight right() {
            return primary;
        }
    }

    /** To the winner's server: the pair is over, and it goes on alone. SoloDone answers. */
    record GoSolo(RunRight winner, RunRight loser) implements Order {
        @Override
        public RunRight right() {
            return winner;
        }
    }

    /**
     * To the primary's server, before the secondary goes on as it was planned to: pass a checkpoint
     * now, so that the two do not differ in what came last. HandOver answers, also if it cannot.
     *
     * @param asked as of {@link VmInput.HandOver}
     */
    record PassCheckpoint(RunRight primary, RunRight secondary, boolean asked) implements Order {
        @Override
        public RunRight right() {
            return primary;
        }
    }

    /** Say HandOver after {@code limit}, if nobody did. */
    record HandOverAfter(Duration limit, RunRight primary, RunRight secondary, boolean asked)
            implements VmAction {}

    /** Say BackOffOver for this epoch after {@code pause}. */
    record WakeAfter(Duration pause, Epoch epoch) implements VmAction {}

    /**
     * Say Outlived when whoever lived by the word of {@code partner}, which has ended by now, lives
     * no more: after the longest lease, and the time that one is kept whose node starts anew,
     * counted from now.
     */
    record OutliveAfter(RunRight partner) implements VmAction {}

    /** Say Insist for this epoch after {@code patience}. */
    record InsistAfter(Duration patience, Epoch epoch) implements VmAction {}

    /** Say RaiseOverdue for this epoch after {@code limit}. */
    record OverdueAfter(Duration limit, Epoch secondary) implements VmAction {}

    /** Say Settled for this epoch after {@code run}. */
    record SettleAfter(Duration run, Epoch epoch) implements VmAction {}
}
