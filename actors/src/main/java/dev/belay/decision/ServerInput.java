package dev.belay.decision;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.model.VmName;
import java.util.List;
import java.util.Optional;

/** What a server's entity is told. */
public sealed interface ServerInput {
    /** An operator's wish. */
    sealed interface Request extends ServerInput {}

    /** Give it new VMs again although it was lost so often. */
    record EndQuarantine() implements Request {}

    /** What an operator wants of the VMs on it while they work on it. */
    sealed interface Maintain extends Request {}

    /**
     * Its VMs shall leave it, and no new ones come.
     *
     * @param restartVms also those that cannot do so while they run
     */
    record BeginMaintenance(boolean restartVms) implements Maintain {}

    /** It may have VMs again. */
    record EndMaintenance() implements Maintain {}

    /**
     * A person says that the server is off and runs nothing, and is trusted.
     *
     * @param incarnation the one that they looked at
     * @param answers whether it answers a node of the cluster, which would prove them wrong
     */
    record ConfirmOff(Incarnation incarnation, boolean answers) implements Request {}

    /**
     * The server's node asks to be admitted, and asks again now and then.
     *
     * @param holding the newest incarnation that it knows to have had, in this boot or an earlier
     *     one
     * @param clean it has just killed everything that older incarnations may have left and closed
     *     their exports
     * @param terms of the leases that this process of the node asks for
     * @param qemu empty: it has not looked yet
     */
    record Join(
            String bootId,
            int memoryMiB,
            Incarnation holding,
            boolean clean,
            LeaseTerms terms,
            Optional<Qemu> qemu)
            implements ServerInput {}

    /**
     * The server does not answer.
     *
     * @param vanished how many servers vanished at about the same time and are still away, this one
     *     among them
     * @param before how many there were before that
     * @param armed whether Belay may move VMs by itself now
     * @param inVain whether to fence it would help nobody: see {@link OutOfReach}
     */
    record Lost(
            Incarnation incarnation,
            List<Evidence> evidence,
            int vanished,
            int before,
            boolean armed,
            boolean inVain)
            implements ServerInput {
        public Lost {
            evidence = List.copyOf(evidence);
        }

        /** Somebody waits for what is there. */
        public Lost(
                Incarnation incarnation,
                List<Evidence> evidence,
                int vanished,
                int before,
                boolean armed) {
            this(incarnation, evidence, vanished, before, armed, false);
        }
    }

    /**
     * The longest lease that this incarnation can hold has run out, with margin, on the waiter's
     * own clock.
     */
    record LeaseWaited(Incarnation incarnation, String detail) implements ServerInput {}

    /** The fence agent ended. {@code off}: it switched the server off and then saw it off. */
    record AgentAnswered(Incarnation incarnation, boolean off, String detail)
            implements ServerInput {}

    /** The loss of this number was a window ago, on the waiter's own clock. */
    record LossAged(long number) implements ServerInput {}

    /** This incarnation has been up for the whole cool-down, on the waiter's own clock. */
    record CooledDown(Incarnation incarnation) implements ServerInput {}

    /** A VM wants memory here for its replica at {@code epoch}. */
    record Reserve(VmName vm, Epoch epoch, int memoryMiB) implements ServerInput {}

    /** The VM does not run here any more, at least not with an epoch up to this one. */
    record Release(VmName vm, Epoch upTo) implements ServerInput {}

    /** A VM that has its right here asks how that incarnation stands. */
    record AskStanding(VmName vm, Incarnation incarnation) implements ServerInput {}
}
