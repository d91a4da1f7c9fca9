package dev.belay.decision;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the journal knows of one server. */
public sealed interface ServerState {
    /** Never admitted. */
    record Unknown() implements ServerState {}

    /** Admitted: its lease is renewed, VMs may be placed on it. */
    record Live(Server server, Map<VmName, Reservation> reservations) implements ServerState {
        public Live {
            reservations = Map.copyOf(reservations);
        }

        public int reservedMiB() {
            return reservations.values().stream().mapToInt(Reservation::memoryMiB).sum();
        }

        public int freeMiB() {
            return server.memoryMiB() - reservedMiB();
        }
    }

    /** Renewals are refused from here on; whether it still runs anything is not known yet. */
    record Fencing(
            Server server, List<VmName> vms, List<Evidence> evidence, Optional<String> agentFailure)
            implements ServerState {
        public Fencing {
            vms = List.copyOf(vms);
            evidence = List.copyOf(evidence);
        }
    }

    /** Nothing of this incarnation runs any more, and it is known why. */
    record Fenced(Server server, Proof proof) implements ServerState {}

    /**
     * @param memoryMiB for guests
     */
    record Server(ServerName name, Incarnation incarnation, String bootId, int memoryMiB) {}

    record Reservation(Epoch epoch, int memoryMiB) {}
}
