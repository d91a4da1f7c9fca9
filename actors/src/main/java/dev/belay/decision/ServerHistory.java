package dev.belay.decision;

import dev.belay.decision.ServerEvent.FenceAgentFailed;
import dev.belay.decision.ServerEvent.FencingProved;
import dev.belay.decision.ServerEvent.FreezeBegan;
import dev.belay.decision.ServerEvent.FreezeEnded;
import dev.belay.decision.ServerEvent.LossCounted;
import dev.belay.decision.ServerEvent.LossForgotten;
import dev.belay.decision.ServerEvent.MemoryChanged;
import dev.belay.decision.ServerEvent.MemoryReleased;
import dev.belay.decision.ServerEvent.MemoryReserved;
import dev.belay.decision.ServerEvent.QemuTold;
import dev.belay.decision.ServerEvent.QuarantineBegan;
import dev.belay.decision.ServerEvent.QuarantineEnded;
import dev.belay.decision.ServerEvent.ServerAdmitted;
import dev.belay.decision.ServerEvent.ServerFenced;
import dev.belay.decision.ServerState.Fenced;
import dev.belay.decision.ServerState.Fencing;
import dev.belay.decision.ServerState.Known;
import dev.belay.decision.ServerState.Live;
import dev.belay.decision.ServerState.Reservation;
import dev.belay.decision.ServerState.Server;
import dev.belay.decision.ServerState.Unknown;
import dev.belay.model.VmName;
import java.util.HashMap;
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
                            Optional.empty());
            case MemoryChanged(_, var memoryMiB) -> {
                var live = in(Live.class, state, event);
                var old = live.server();
                yield new Live(
                        new Server(old.name(), old.incarnation(), old.bootId(), memoryMiB),
                        live.reservations(),
                        live.losses(),
                        live.freeze(),
                        live.qemu());
            }
            case QemuTold(_, var qemu) -> {
                var live = in(Live.class, state, event);
                yield new Live(
                        live.server(),
                        live.reservations(),
                        live.losses(),
                        live.freeze(),
                        Optional.of(qemu));
            }
            case MemoryReserved(_, var vm, var epoch, var memoryMiB) -> {
                var live = in(Live.class, state, event);
                var reservations = new HashMap<>(live.reservations());
                reservations.put(vm, new Reservation(epoch, memoryMiB));
                yield with(live, reservations);
            }
            case MemoryReleased(_, var vm) -> {
                var live = in(Live.class, state, event);
                var reservations = new HashMap<>(live.reservations());
                reservations.remove(vm);
                yield with(live, reservations);
            }
            case ServerFenced fenced -> {
                var live = in(Live.class, state, event);
                yield new Fencing(
                        live.server(),
                        ServerReservations.vms(live),
                        fenced.evidence(),
                        Optional.empty(),
                        live.losses());
            }
            case FenceAgentFailed(_, var detail) -> {
                var fencing = in(Fencing.class, state, event);
                yield new Fencing(
                        fencing.server(),
                        fencing.vms(),
                        fencing.evidence(),
                        Optional.of(detail),
                        fencing.losses());
            }
            case FencingProved(_, _, var proof) ->
                    switch (state) {
                        case Fencing fencing ->
                                new Fenced(fencing.server(), proof, fencing.losses());
                        // A later, better proof than the one that was enough.
                        case Fenced fenced -> new Fenced(fenced.server(), proof, fenced.losses());
                        case Live _, Unknown _ -> throw damaged(state, event);
                    };
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
        };
    }

    private static Live with(Live live, Map<VmName, Reservation> reservations) {
        return new Live(live.server(), reservations, live.losses(), live.freeze(), live.qemu());
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
