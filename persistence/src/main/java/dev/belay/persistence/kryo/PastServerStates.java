package dev.belay.persistence.kryo;

import dev.belay.decision.Evidence;
import dev.belay.decision.Losses;
import dev.belay.decision.Proof;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.ServerState;
import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What was stored of servers before a server could be in maintenance (such a one was in use), and
 * told which QEMU it has and which terms its leases have.
 */
final class PastServerStates {
    private PastServerStates() {}

    record Server(ServerName name, Incarnation incarnation, String bootId, int memoryMiB) {
        static final PastPart<ServerState.Server, Server> PART =
                new PastPart<>(ServerState.Server.class, Server.class, Server::present);

        private ServerState.Server present() {
            return new ServerState.Server(name, incarnation, bootId, memoryMiB, Optional.empty());
        }
    }

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
        withoutTerms(registry, "server.ServerAdmitted/1", ServerEvent.ServerAdmitted.class);
        registry.upcast(
                "server.state.Live/1",
                Live.class,
                s -> new ServerState.Live(s.server(), s.reservations(), s.losses(), s.freeze()),
                Server.PART);
        registry.upcast(
                "server.state.Fencing/1",
                Fencing.class,
                s ->
                        new ServerState.Fencing(
                                s.server(), s.vms(), s.evidence(), s.agentFailure(), s.losses()),
                Server.PART);
        registry.upcast(
                "server.state.Fenced/1",
                Fenced.class,
                s -> new ServerState.Fenced(s.server(), s.proof(), s.losses()),
                Server.PART);
        withoutTerms(registry, "server.state.Live/2", ServerState.Live.class);
        withoutTerms(registry, "server.state.Fencing/2", ServerState.Fencing.class);
        withoutTerms(registry, "server.state.Fenced/2", ServerState.Fenced.class);
    }

    /** As now, but for what was said of the server itself. */
    private static void withoutTerms(
            KryoTypes.Registry registry, String manifest, Class<?> present) {
        registry.upcast(manifest, present, Function.identity(), Server.PART);
    }
}
