package dev.belay.decision;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.ServerEvent.FenceAgentFailed;
import dev.belay.decision.ServerEvent.FencingProved;
import dev.belay.decision.ServerEvent.MemoryChanged;
import dev.belay.decision.ServerEvent.MemoryReleased;
import dev.belay.decision.ServerEvent.MemoryReserved;
import dev.belay.decision.ServerEvent.ServerAdmitted;
import dev.belay.decision.ServerEvent.ServerFenced;
import dev.belay.decision.ServerState.Fenced;
import dev.belay.decision.ServerState.Fencing;
import dev.belay.decision.ServerState.Live;
import dev.belay.decision.ServerState.Reservation;
import dev.belay.decision.ServerState.Server;
import dev.belay.decision.ServerState.Unknown;
import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The life of one server, as plain values.
 *
 * <pre>
 *  Unknown --Join--> Live --Lost--> Fencing --LeaseWaited, AgentAnswered(off)--> Fenced
 *                     ^ ^              |                                           |
 *                     | +-- Join, cleaned -----------------------------------------+
 *                     +---- Join, cleaned (Live, Fencing too), one incarnation up
 * </pre>
 *
 * <p>Invariant: an incarnation is succeeded only when it is known that nothing of it runs any more.
 */
public final class ServerLife {
    private ServerLife() {}

    /**
     * @param at wall time, stored with the events and never computed with
     */
    public static Decision<ServerEvent, ServerAction> decide(
            ServerName name, ServerState state, Instant at, ServerInput input) {
        return switch (state) {
            case Unknown _ -> whenUnknown(name, at, input);
            case Live s -> whenLive(s, at, input);
            case Fencing s -> whenFencing(s, at, input);
            case Fenced s -> whenFenced(s, at, input);
        };
    }

    private static Decision<ServerEvent, ServerAction> whenUnknown(
            ServerName name, Instant at, ServerInput input) {
        return switch (input) {
            // A node that knows of no journal may still run what an earlier life left: it cleans
            // first.
            case ServerInput.Join join
                    when !join.clean() || !join.holding().equals(Incarnation.NONE) ->
                    tell(new ServerAction.TellClean(name, Incarnation.NONE, true));
            case ServerInput.Join join ->
                    admit(at, new Server(name, Incarnation.NONE, "", 0), join, List.of());
            case ServerInput.Lost _ -> ignored("never admitted");
            case ServerInput.LeaseWaited _ -> ignored("never admitted");
            case ServerInput.AgentAnswered _ -> ignored("never admitted");
            case ServerInput.Reserve reserve ->
                    ServerReservations.refuse(
                            reserve, name, "it was never admitted to the cluster");
            case ServerInput.Release _ -> ignored("never admitted");
            case ServerInput.AskStanding _ -> ignored("never admitted");
        };
    }

    private static Decision<ServerEvent, ServerAction> whenLive(
            Live s, Instant at, ServerInput input) {
        var server = s.server();
        return switch (input) {
            case ServerInput.Join join
                    when join.bootId().equals(server.bootId())
                            && join.holding().equals(server.incarnation())
                            && !join.clean() ->
                    new Accepted<>(
                            join.memoryMiB() == server.memoryMiB()
                                    ? List.of()
                                    : List.of(new MemoryChanged(at, join.memoryMiB())),
                            ServerReservations.welcome(s));
            case ServerInput.Join join -> succeed(at, server, join, vms(s), false);
            case ServerInput.Lost lost when !lost.incarnation().equals(server.incarnation()) ->
                    ignored("news of another incarnation than " + server.incarnation());
            // safety.md 16: when everyone vanished it is more likely us, or what we all depend on.
            case ServerInput.Lost lost when lost.lost() >= 2 && lost.lost() * 2 > lost.known() ->
                    ignored(
                            "frozen: %d of %d servers do not answer, so none is fenced"
                                    .formatted(lost.lost(), lost.known()));
            case ServerInput.Lost lost -> {
                var actions = new ArrayList<ServerAction>();
                actions.add(new ServerAction.AwaitLease(server.incarnation()));
                actions.add(new ServerAction.CallFenceAgent(server.name(), server.incarnation()));
                tellLost(actions, server, vms(s), lost.evidence());
                yield new Accepted<>(
                        List.of(
                                new ServerFenced(
                                        at, server.name(), server.incarnation(), lost.evidence())),
                        actions);
            }
            case ServerInput.LeaseWaited _ -> ignored("not being fenced");
            case ServerInput.AgentAnswered _ -> ignored("not being fenced");
            case ServerInput.Reserve reserve -> ServerReservations.reserve(s, at, reserve);
            case ServerInput.Release(var vm, var upTo) -> {
                var held = s.reservations().get(vm);
                yield held == null || held.epoch().isAfter(upTo)
                        ? ignored("nothing reserved up to " + upTo)
                        : accepted(new MemoryReleased(at, vm));
            }
            case ServerInput.AskStanding ask -> standing(server, ask, Optional.empty());
        };
    }

    private static Decision<ServerEvent, ServerAction> whenFencing(
            Fencing s, Instant at, ServerInput input) {
        var server = s.server();
        return switch (input) {
            case ServerInput.Join join -> succeed(at, server, join, s.vms(), true);
            case ServerInput.Lost _ -> ignored("being fenced already");
            case ServerInput.LeaseWaited(var incarnation, var detail)
                    when incarnation.equals(server.incarnation()) ->
                    prove(
                            s,
                            at,
                            new Proof(
                                    Proof.Kind.LEASE,
                                    detail + s.agentFailure().map(": "::concat).orElse(""),
                                    at));
            case ServerInput.LeaseWaited _ -> ignored("of another fencing");
            case ServerInput.AgentAnswered answer
                    when !answer.incarnation().equals(server.incarnation()) ->
                    ignored("of another fencing");
            case ServerInput.AgentAnswered(_, var off, var detail) when off ->
                    prove(s, at, new Proof(Proof.Kind.AGENT, detail, at));
            case ServerInput.AgentAnswered(_, _, var detail) ->
                    s.agentFailure().isPresent()
                            ? ignored("the agent's failure is known")
                            : accepted(new FenceAgentFailed(at, detail));
            case ServerInput.Reserve reserve ->
                    ServerReservations.refuse(reserve, server.name(), "it is being fenced");
            case ServerInput.Release _ -> ignored("reservations end with the incarnation");
            case ServerInput.AskStanding ask ->
                    standing(
                            server,
                            ask,
                            Optional.of(
                                    new VmInput.ServerLost(
                                            server.name(), server.incarnation(), s.evidence())));
        };
    }

    private static Decision<ServerEvent, ServerAction> whenFenced(
            Fenced s, Instant at, ServerInput input) {
        var server = s.server();
        return switch (input) {
            case ServerInput.Join join -> succeed(at, server, join, List.of(), true);
            case ServerInput.Lost _ -> ignored("fenced already");
            case ServerInput.LeaseWaited _ -> ignored("proved already");
            case ServerInput.AgentAnswered _ -> ignored("proved already");
            case ServerInput.Reserve reserve ->
                    ServerReservations.refuse(
                            reserve, server.name(), "it is fenced and has not come back");
            case ServerInput.Release _ -> ignored("reservations ended with the incarnation");
            case ServerInput.AskStanding ask ->
                    standing(
                            server,
                            ask,
                            Optional.of(
                                    new VmInput.FenceProved(
                                            server.name(), server.incarnation(), s.proof())));
        };
    }

    /**
     * The node asks for an incarnation after {@code old}: only once nothing of the old one can run
     * (safety.md 1). It has to name the one that it succeeds and to have cleaned up after it, after
     * a reboot too: a join that comes a life late names an older one, or another boot, and proves
     * nothing. A node that said it was clean is never welcomed to that incarnation again: whoever
     * hears of it late would take the new life for ended.
     */
    private static Decision<ServerEvent, ServerAction> succeed(
            Instant at, Server old, ServerInput.Join join, List<VmName> vms, boolean fenced) {
        boolean rebooted = !join.bootId().equals(old.bootId());
        if (!join.holding().equals(old.incarnation()) || !join.clean()) {
            return tell(new ServerAction.TellClean(old.name(), old.incarnation(), fenced));
        }
        var proof =
                rebooted
                        ? new Proof(Proof.Kind.REBOOTED, "it came back with another boot", at)
                        : new Proof(
                                Proof.Kind.CLEANED, "it killed everything it ran and said so", at);
        var before = new ArrayList<ServerEvent>();
        if (!fenced) {
            before.add(new ServerFenced(at, old.name(), old.incarnation(), List.of()));
        }
        before.add(new FencingProved(at, old.incarnation(), proof));
        var admitted = admit(at, old, join, before);
        var actions = new ArrayList<>(admitted.actions());
        for (var vm : vms) {
            actions.add(
                    new ServerAction.TellVm(
                            vm, new VmInput.FenceProved(old.name(), old.incarnation(), proof)));
        }
        return new Accepted<>(admitted.events(), actions);
    }

    private static Accepted<ServerEvent, ServerAction> admit(
            Instant at, Server old, ServerInput.Join join, List<ServerEvent> before) {
        var next =
                new Server(old.name(), old.incarnation().next(), join.bootId(), join.memoryMiB());
        var events = new ArrayList<>(before);
        events.add(new ServerAdmitted(at, next));
        return new Accepted<>(
                events, List.of(new ServerAction.Welcome(next.name(), next.incarnation())));
    }

    private static Decision<ServerEvent, ServerAction> prove(Fencing s, Instant at, Proof proof) {
        var server = s.server();
        var actions = new ArrayList<ServerAction>();
        for (var vm : s.vms()) {
            actions.add(
                    new ServerAction.TellVm(
                            vm,
                            new VmInput.FenceProved(server.name(), server.incarnation(), proof)));
        }
        return new Accepted<>(List.of(new FencingProved(at, server.incarnation(), proof)), actions);
    }

    /**
     * @param news what to tell about the newest incarnation; empty while it is live
     */
    private static Decision<ServerEvent, ServerAction> standing(
            Server server, ServerInput.AskStanding ask, Optional<VmInput> news) {
        if (server.incarnation().isAfter(ask.incarnation())) {
            // Succession needed a proof, whatever it was.
            var proof = new Proof(Proof.Kind.CLEANED, "it has a newer incarnation", Instant.EPOCH);
            return tell(
                    new ServerAction.TellVm(
                            ask.vm(),
                            new VmInput.FenceProved(server.name(), ask.incarnation(), proof)));
        }
        return news.isEmpty()
                ? ignored("live")
                : tell(new ServerAction.TellVm(ask.vm(), news.get()));
    }

    /** In a fixed order, so that the same input always gives the same decision. */
    private static List<VmName> vms(Live s) {
        return s.reservations().keySet().stream()
                .sorted(Comparator.comparing(VmName::value))
                .toList();
    }

    private static void tellLost(
            List<ServerAction> actions, Server server, List<VmName> vms, List<Evidence> evidence) {
        for (var vm : vms) {
            actions.add(
                    new ServerAction.TellVm(
                            vm,
                            new VmInput.ServerLost(server.name(), server.incarnation(), evidence)));
        }
    }

    /**
     * Exhaustive over events and free of rules. An event that does not fit means that a stored
     * history is damaged.
     */
    public static ServerState apply(ServerState state, ServerEvent event) {
        return switch (event) {
            case ServerAdmitted admitted -> new Live(admitted.server(), Map.of());
            case MemoryChanged(_, var memoryMiB) -> {
                var live = in(Live.class, state, event);
                var old = live.server();
                yield new Live(
                        new Server(old.name(), old.incarnation(), old.bootId(), memoryMiB),
                        live.reservations());
            }
            case MemoryReserved(_, var vm, var epoch, var memoryMiB) -> {
                var live = in(Live.class, state, event);
                var reservations = new HashMap<>(live.reservations());
                reservations.put(vm, new Reservation(epoch, memoryMiB));
                yield new Live(live.server(), reservations);
            }
            case MemoryReleased(_, var vm) -> {
                var live = in(Live.class, state, event);
                var reservations = new HashMap<>(live.reservations());
                reservations.remove(vm);
                yield new Live(live.server(), reservations);
            }
            case ServerFenced fenced -> {
                var live = in(Live.class, state, event);
                yield new Fencing(live.server(), vms(live), fenced.evidence(), Optional.empty());
            }
            case FenceAgentFailed(_, var detail) -> {
                var fencing = in(Fencing.class, state, event);
                yield new Fencing(
                        fencing.server(), fencing.vms(), fencing.evidence(), Optional.of(detail));
            }
            case FencingProved(_, _, var proof) ->
                    switch (state) {
                        case Fencing fencing -> new Fenced(fencing.server(), proof);
                        // A later, better proof than the one that was enough.
                        case Fenced fenced -> new Fenced(fenced.server(), proof);
                        case Live _, Unknown _ -> throw damaged(state, event);
                    };
        };
    }

    /** What to send again after a restart, from the state alone. */
    public static List<ServerAction> pending(ServerState state) {
        return switch (state) {
            case Unknown _, Live _, Fenced _ -> List.of();
            case Fencing s -> {
                var actions = new ArrayList<ServerAction>();
                actions.add(new ServerAction.AwaitLease(s.server().incarnation()));
                if (s.agentFailure().isEmpty()) {
                    actions.add(
                            new ServerAction.CallFenceAgent(
                                    s.server().name(), s.server().incarnation()));
                }
                tellLost(actions, s.server(), s.vms(), s.evidence());
                yield actions;
            }
        };
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

    private static Decision<ServerEvent, ServerAction> accepted(
            ServerEvent event, ServerAction... actions) {
        return new Accepted<>(List.of(event), List.of(actions));
    }

    private static Decision<ServerEvent, ServerAction> tell(ServerAction action) {
        return new Accepted<>(List.of(), List.of(action));
    }

    private static Decision<ServerEvent, ServerAction> ignored(String why) {
        return new Ignored<>(why);
    }
}
