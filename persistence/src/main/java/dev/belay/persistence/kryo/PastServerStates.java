package dev.belay.persistence.kryo;

import dev.belay.decision.Losses;
import dev.belay.decision.ServerState;
import dev.belay.decision.ServerState.Freeze;
import dev.belay.decision.ServerState.Reservation;
import dev.belay.decision.ServerState.Server;
import dev.belay.model.VmName;
import java.util.Map;
import java.util.Optional;

/** Snapshots of servers from before they told which QEMU they have. */
final class PastServerStates {
    private PastServerStates() {}

    record Live(
            Server server,
            Map<VmName, Reservation> reservations,
            Losses losses,
            Optional<Freeze> freeze) {}

    static void register(KryoTypes.Registry registry) {
        registry.upcast(
                "server.state.Live/1",
                Live.class,
                s ->
                        new ServerState.Live(
                                s.server(),
                                s.reservations(),
                                s.losses(),
                                s.freeze(),
                                Optional.empty()));
    }
}
