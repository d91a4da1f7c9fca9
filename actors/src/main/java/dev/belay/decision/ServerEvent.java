package dev.belay.decision;

import dev.belay.decision.ServerState.Server;
import dev.belay.model.Epoch;
import dev.belay.model.GuardedEvent;
import dev.belay.model.Incarnation;
import dev.belay.model.JournalGuard;
import dev.belay.model.LeaseTerms;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Instant;
import java.util.List;

/** What happened to one server, as stored for ever. */
public sealed interface ServerEvent {
    Instant at();

    record ServerAdmitted(Instant at, Server server) implements ServerEvent, GuardedEvent {
        @Override
        public List<JournalGuard> guards() {
            return List.of(new JournalGuard.Admits(server.name(), server.incarnation()));
        }
    }

    /** It asks for leases of these terms from here on, longer ones than were known of. */
    record TermsTold(Instant at, LeaseTerms terms) implements ServerEvent {}

    record MemoryChanged(Instant at, int memoryMiB) implements ServerEvent {}

    /** What it runs VMs with, told by its node: for the first time in this life, or anew. */
    record QemuTold(Instant at, Qemu qemu) implements ServerEvent {}

    record MemoryReserved(Instant at, VmName vm, Epoch epoch, int memoryMiB)
            implements ServerEvent {}

    record MemoryReleased(Instant at, VmName vm) implements ServerEvent {}

    record ServerFenced(
            Instant at, ServerName name, Incarnation incarnation, List<Evidence> evidence)
            implements ServerEvent, GuardedEvent {
        public ServerFenced {
            evidence = List.copyOf(evidence);
        }

        @Override
        public List<JournalGuard> guards() {
            return List.of(new JournalGuard.Fences(name, incarnation));
        }
    }

    record FenceAgentFailed(Instant at, String detail) implements ServerEvent {}

    /** It was lost, the {@code number}th time in its life. */
    record LossCounted(Instant at, long number) implements ServerEvent {}

    /** That loss is so long ago that it does not count any more. */
    record LossForgotten(Instant at, long number) implements ServerEvent {}

    /** It gets no new VMs from here on. */
    record QuarantineBegan(Instant at, int losses) implements ServerEvent {}

    record QuarantineEnded(Instant at, String why) implements ServerEvent {}

    /** It does not answer, and is not fenced because {@code vanished} of {@code before} do not. */
    record FreezeBegan(Instant at, int vanished, int before) implements ServerEvent {}

    /** It answers again. */
    record FreezeEnded(Instant at) implements ServerEvent {}

    /** It is to be empty, and gets no new VMs from here on. */
    record MaintenanceBegan(Instant at, boolean restartVms) implements ServerEvent {}

    record MaintenanceEnded(Instant at) implements ServerEvent {}

    /**
     * It was heard in the same life after its fence agent had seen it off: the agent's word is
     * worth nothing, and its lease is waited out.
     */
    record ProofVoided(Instant at, Incarnation incarnation, String why) implements ServerEvent {}

    record FencingProved(Instant at, Incarnation incarnation, Proof proof) implements ServerEvent {}
}
