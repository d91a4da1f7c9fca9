package dev.belay.persistence.kryo;

import dev.belay.decision.Evidence;
import dev.belay.decision.Losses;
import dev.belay.decision.Proof;
import dev.belay.decision.ServerState;
import dev.belay.model.VmName;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Snapshots of servers from before a server could be in maintenance, and told which QEMU it has;
 * such a one was in use.
 */
final class PastServerStates {
    private PastServerStates() {}

    record Live(
            ServerState.Server server,
            Map<VmName, ServerState.Reservation> reservations,
            Losses losses,
            Optional<ServerState.Freeze> freeze) {}

    record Fencing(
            ServerState.Server server,
            List<VmName> vms,
            List<Evidence> evidence,
            Optional<String> agentFailure,
            Losses losses) {}

    record Fenced(ServerState.Server server, Proof proof, Losses losses) {}

    static void register(KryoTypes.Registry registry) {
        registry.upcast(
                "server.state.Live/1",
                Live.class,
                s -> new ServerState.Live(s.server(), s.reservations(), s.losses(), s.freeze()));
        registry.upcast(
                "server.state.Fencing/1",
                Fencing.class,
                s ->
                        new ServerState.Fencing(
                                s.server(), s.vms(), s.evidence(), s.agentFailure(), s.losses()));
        registry.upcast(
                "server.state.Fenced/1",
                Fenced.class,
                s -> new ServerState.Fenced(s.server(), s.proof(), s.losses()));
    }
}
