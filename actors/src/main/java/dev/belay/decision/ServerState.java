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

    /** Admitted at least once. */
    sealed interface Known extends ServerState {
        Server server();

        Losses losses();

        Known with(Losses losses);
    }

    /**
     * Admitted: its lease is renewed, VMs may be placed on it.
     *
     * @param freeze it does not answer, and is not fenced because most servers do not
     * @param qemu what it runs VMs with; empty: its node has not told yet
     */
    record Live(
            Server server,
            Map<VmName, Reservation> reservations,
            Losses losses,
            Optional<Freeze> freeze,
            Optional<Qemu> qemu)
            implements Known {
        public Live {
            reservations = Map.copyOf(reservations);
        }

        @Override
        public Live with(Losses newLosses) {
            return new Live(server, reservations, newLosses, freeze, qemu);
        }

        Live with(Optional<Freeze> newFreeze) {
            return new Live(server, reservations, losses, newFreeze, qemu);
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
            Server server,
            List<VmName> vms,
            List<Evidence> evidence,
            Optional<String> agentFailure,
            Losses losses)
            implements Known {
        public Fencing {
            vms = List.copyOf(vms);
            evidence = List.copyOf(evidence);
        }

        @Override
        public Fencing with(Losses newLosses) {
            return new Fencing(server, vms, evidence, agentFailure, newLosses);
        }
    }

    /** Nothing of this incarnation runs any more, and it is known why. */
    record Fenced(Server server, Proof proof, Losses losses) implements Known {
        @Override
        public Fenced with(Losses newLosses) {
            return new Fenced(server, proof, newLosses);
        }
    }

    /**
     * So many servers vanished at about the same time that none is fenced (safety.md 16).
     *
     * @param before how many there were before
     */
    record Freeze(int vanished, int before) {}

    /**
     * @param memoryMiB for guests
     */
    record Server(ServerName name, Incarnation incarnation, String bootId, int memoryMiB) {}

    record Reservation(Epoch epoch, int memoryMiB) {}
}
