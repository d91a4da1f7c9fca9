package dev.belay.decision;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Instant;
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

        /** It is to be empty, and gets no new VMs. */
        Optional<Maintenance> maintenance();

        Known with(Losses losses);

        Known withMaintenance(Optional<Maintenance> maintenance);
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
            Optional<Maintenance> maintenance,
            Optional<Qemu> qemu)
            implements Known {
        public Live {
            reservations = Map.copyOf(reservations);
        }

        /** In use. */
        public Live(
                Server server,
                Map<VmName, Reservation> reservations,
                Losses losses,
                Optional<Freeze> freeze) {
            this(server, reservations, losses, freeze, Optional.empty(), Optional.empty());
        }

        @Override
        public Live with(Losses newLosses) {
            return new Live(server, reservations, newLosses, freeze, maintenance, qemu);
        }

        @Override
        public Live withMaintenance(Optional<Maintenance> changed) {
            return new Live(server, reservations, losses, freeze, changed, qemu);
        }

        Live with(Optional<Freeze> newFreeze) {
            return new Live(server, reservations, losses, newFreeze, maintenance, qemu);
        }

        Live with(Qemu told) {
            return new Live(server, reservations, losses, freeze, maintenance, Optional.of(told));
        }

        Live with(Server changed) {
            return new Live(changed, reservations, losses, freeze, maintenance, qemu);
        }

        Live with(Map<VmName, Reservation> kept) {
            return new Live(server, kept, losses, freeze, maintenance, qemu);
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
            Losses losses,
            Optional<Maintenance> maintenance)
            implements Known {
        public Fencing {
            vms = List.copyOf(vms);
            evidence = List.copyOf(evidence);
        }

        /** In use when it was lost. */
        public Fencing(
                Server server,
                List<VmName> vms,
                List<Evidence> evidence,
                Optional<String> agentFailure,
                Losses losses) {
            this(server, vms, evidence, agentFailure, losses, Optional.empty());
        }

        @Override
        public Fencing with(Losses newLosses) {
            return new Fencing(server, vms, evidence, agentFailure, newLosses, maintenance);
        }

        @Override
        public Fencing withMaintenance(Optional<Maintenance> changed) {
            return new Fencing(server, vms, evidence, agentFailure, losses, changed);
        }

        Fencing agentFailed(String detail) {
            return new Fencing(server, vms, evidence, Optional.of(detail), losses, maintenance);
        }
    }

    /** Nothing of this incarnation runs any more, and it is known why. */
    record Fenced(Server server, Proof proof, Losses losses, Optional<Maintenance> maintenance)
            implements Known {
        /** In use when it was lost. */
        public Fenced(Server server, Proof proof, Losses losses) {
            this(server, proof, losses, Optional.empty());
        }

        @Override
        public Fenced with(Losses newLosses) {
            return new Fenced(server, proof, newLosses, maintenance);
        }

        @Override
        public Fenced withMaintenance(Optional<Maintenance> changed) {
            return new Fenced(server, proof, losses, changed);
        }
    }

    /**
     * So many servers vanished at about the same time that none is fenced (safety.md 16).
     *
     * @param before how many there were before
     */
    record Freeze(int vanished, int before) {}

    /**
     * An operator wants the server empty, until they say otherwise.
     *
     * @param restartVms those that cannot move while they run are stopped and started elsewhere
     */
    record Maintenance(Instant since, boolean restartVms) {}

    /**
     * @param bootId of the one boot of one machine that lives as this incarnation
     * @param memoryMiB for guests
     * @param terms the longest that any of its leases may have been asked for with; empty: it was
     *     admitted by a version that did not say
     */
    record Server(
            ServerName name,
            Incarnation incarnation,
            String bootId,
            int memoryMiB,
            Optional<LeaseTerms> terms) {

        /** Whether a process of this boot, whose leases have these terms, may live as it. */
        public boolean admits(String boot, LeaseTerms own) {
            return bootId.equals(boot) && covers(own);
        }

        /** Whether it is waited for long enough when its leases have these terms. */
        boolean covers(LeaseTerms own) {
            return terms.filter(known -> known.proofWait().compareTo(own.proofWait()) >= 0)
                    .isPresent();
        }

        Server withMemory(int changedMiB) {
            return new Server(name, incarnation, bootId, changedMiB, terms);
        }

        Server with(LeaseTerms told) {
            return new Server(name, incarnation, bootId, memoryMiB, Optional.of(told));
        }
    }

    record Reservation(Epoch epoch, int memoryMiB) {}
}
