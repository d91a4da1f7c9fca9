package dev.belay.decision;

import dev.belay.decision.ServerEvent.FenceAgentFailed;
import dev.belay.decision.ServerEvent.FencingProved;
import dev.belay.decision.ServerEvent.FreezeBegan;
import dev.belay.decision.ServerEvent.FreezeEnded;
import dev.belay.decision.ServerEvent.LossCounted;
import dev.belay.decision.ServerEvent.LossForgotten;
import dev.belay.decision.ServerEvent.MaintenanceBegan;
import dev.belay.decision.ServerEvent.MaintenanceEnded;
import dev.belay.decision.ServerEvent.MemoryChanged;
import dev.belay.decision.ServerEvent.MemoryReleased;
import dev.belay.decision.ServerEvent.MemoryReserved;
import dev.belay.decision.ServerEvent.ProofVoided;
import dev.belay.decision.ServerEvent.QemuTold;
import dev.belay.decision.ServerEvent.QuarantineBegan;
import dev.belay.decision.ServerEvent.QuarantineEnded;
import dev.belay.decision.ServerEvent.ServerAdmitted;
import dev.belay.decision.ServerEvent.ServerFenced;
import dev.belay.decision.ServerEvent.TermsTold;
import dev.belay.decision.ServerState.Fenced;
import dev.belay.decision.ServerState.Fencing;
import dev.belay.decision.ServerState.Known;
import dev.belay.decision.ServerState.Live;
import dev.belay.decision.ServerState.Maintenance;
import dev.belay.decision.ServerState.Reservation;
import dev.belay.decision.ServerState.Unknown;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How events make a server's state: live and at replay the same, free of rules. */
public final class ServerHistory {
    public static final ServerState NEW = new Unknown();

    private ServerHistory() {}

    /**
     * Exhaustive over events and free of rules. An event that does not fit means that a stored
     * history is damaged.
     */
    public static ServerState apply(ServerState state, ServerEvent event) {
        return switch (event) {
            case ServerAdmitted admitted ->
                    new Live(
                            admitted.server(),
                            Map.of(),
                            state instanceof Known known ? known.losses() : Losses.NONE,
                            Optional.empty(),
                            state instanceof Known known ? known.maintenance() : Optional.empty(),
                            Optional.empty());
            case MemoryChanged(_, var memoryMiB) -> {
                var live = in(Live.class, state, event);
                yield live.with(live.server().withMemory(memoryMiB));
            }
            case TermsTold(_, var terms) -> {
                var live = in(Live.class, state, event);
                yield live.with(live.server().with(terms));
            }
            case QemuTold(_, var qemu) -> in(Live.class, state, event).with(qemu);
            case MemoryReserved(_, var vm, var epoch, var memoryMiB) -> {
                var live = in(Live.class, state, event);
                var reservations = new HashMap<>(live.reservations());
                reservations.put(vm, new Reservation(epoch, memoryMiB));
                yield live.with(reservations);
            }
            case MemoryReleased(_, var vm) -> {
                var live = in(Live.class, state, event);
                var reservations = new HashMap<>(live.reservations());
                reservations.remove(vm);
                yield live.with(reservations);
            }
            case ServerFenced fenced -> {
                var live = in(Live.class, state, event);
                yield new Fencing(
                        live.server(),
                        ServerReservations.vms(live),
                        fenced.evidence(),
                        Optional.empty(),
                        live.losses(),
                        live.maintenance());
            }
            case FenceAgentFailed(_, var detail) ->
                    in(Fencing.class, state, event).agentFailed(detail);
            case FencingProved(_, _, var proof) ->
                    switch (state) {
                        case Fencing fencing -> fenced(fencing, proof);
                        // A later, better proof than the one that was enough.
                        case Fenced fenced -> fenced(fenced, proof);
                        case Live _, Unknown _ -> throw damaged(state, event);
                    };
            case ProofVoided(var at, _, var why) -> {
                var fenced = in(Fenced.class, state, event);
                yield new Fencing(
                        fenced.server(),
                        List.of(),
                        List.of(new Evidence(at, fenced.server().name().value(), why)),
                        Optional.of(why),
                        fenced.losses(),
                        fenced.maintenance());
            }
            case LossCounted(_, var number) -> {
                var known = in(Known.class, state, event);
                yield known.with(known.losses().plus(number));
            }
            case LossForgotten(_, var number) -> {
                var known = in(Known.class, state, event);
                yield known.with(known.losses().without(number));
            }
            case QuarantineBegan _ -> {
                var known = in(Known.class, state, event);
                yield known.with(known.losses().inQuarantine());
            }
            case QuarantineEnded _ -> {
                var known = in(Known.class, state, event);
                yield known.with(known.losses().forgiven());
            }
            case FreezeBegan(_, var vanished, var before) ->
                    in(Live.class, state, event)
                            .with(Optional.of(new ServerState.Freeze(vanished, before)));
            case FreezeEnded _ -> in(Live.class, state, event).with(Optional.empty());
            case MaintenanceBegan(var at, var restartVms) ->
                    in(Known.class, state, event)
                            .withMaintenance(Optional.of(new Maintenance(at, restartVms)));
            case MaintenanceEnded _ ->
                    in(Known.class, state, event).withMaintenance(Optional.empty());
        };
    }

    private static Fenced fenced(Known known, Proof proof) {
        return new Fenced(known.server(), proof, known.losses(), known.maintenance());
    }

    private static <S extends ServerState> S in(
            Class<S> expected, ServerState state, ServerEvent event) {
        if (!expected.isInstance(state)) {
            throw damaged(state, event);
        }
        return expected.cast(state);
    }

    private static IllegalStateException damaged(ServerState state, ServerEvent event) {
        return new IllegalStateException(
                "Expected a state that fits the stored event " + event + ", but found " + state);
    }
}
