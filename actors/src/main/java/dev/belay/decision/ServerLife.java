package dev.belay.decision;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.Decision.Reason;
import dev.belay.decision.Decision.Rejected;
import dev.belay.decision.ServerEvent.FenceAgentFailed;
import dev.belay.decision.ServerEvent.FencingProved;
import dev.belay.decision.ServerEvent.FreezeBegan;
import dev.belay.decision.ServerEvent.MemoryReleased;
import dev.belay.decision.ServerEvent.ServerFenced;
import dev.belay.decision.ServerState.Fenced;
import dev.belay.decision.ServerState.Fencing;
import dev.belay.decision.ServerState.Known;
import dev.belay.decision.ServerState.Live;
import dev.belay.decision.ServerState.Server;
import dev.belay.decision.ServerState.Unknown;
import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The life of one server, as plain values.
 *
 * <pre>
 *  Unknown --Join--> Live --Lost--> Fencing --LeaseWaited, AgentAnswered(off)--> Fenced
 *                     ^ ^              |                                           |
 *                     | +-- Join, cleaned -----------------------------------------+
 *                     +---- Join, cleaned (Live, Fencing too), one incarnation up
 *  Fenced --Join of the incarnation that an agent saw off--> Fencing
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
            case ServerInput.Join join -> ServerAdmission.first(at, name, join);
            case ServerInput.Lost _ -> ignored("never admitted");
            case ServerInput.LeaseWaited _ -> ignored("never admitted");
            case ServerInput.AgentAnswered _ -> ignored("never admitted");
            case ServerInput.Reserve reserve ->
                    ServerReservations.refuse(
                            reserve, name, "it was never admitted to the cluster");
            case ServerInput.Release _ -> ignored("never admitted");
            case ServerInput.AskStanding _ -> ignored("never admitted");
            case ServerInput.LossAged _ -> ignored("never admitted");
            case ServerInput.CooledDown _ -> ignored("never admitted");
            case ServerInput.Request _ ->
                    new Rejected<>(
                            Reason.NOT_FOUND,
                            "Server '%s' was never admitted to the cluster".formatted(name));
        };
    }

    private static Decision<ServerEvent, ServerAction> whenLive(
            Live s, Instant at, ServerInput input) {
        var server = s.server();
        return switch (input) {
            // A join of the boot before, held up on its way, may have got it this incarnation: it
            // lives in that boot alone, is welcome to nobody then, and is succeeded.
            case ServerInput.Join join
                    when join.holding().equals(server.incarnation())
                            && join.bootId().equals(server.bootId())
                            && !join.clean() ->
                    ServerAdmission.again(s, at, join);
            case ServerInput.Join join ->
                    ServerAdmission.next(at, s, join, ServerReservations.vms(s));
            case ServerInput.Lost lost when !lost.incarnation().equals(server.incarnation()) ->
                    ignored("news of another incarnation than " + server.incarnation());
            // It may be back before its lease runs out; whatever comes of it has to wait anyway.
            case ServerInput.Lost lost when !lost.armed() ->
                    ignored("automatic moves are disarmed, so it is not fenced");
            case ServerInput.Lost lost when ServerCalm.isMass(lost) ->
                    s.freeze().isPresent()
                            ? ignored("frozen already")
                            : accepted(new FreezeBegan(at, lost.vanished(), lost.before()));
            case ServerInput.Lost lost when lost.inVain() ->
                    ignored("all that runs there are halves of pairs out of reach");
            case ServerInput.Lost lost -> lose(s, at, lost.evidence());
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
            case ServerInput.LossAged(var number) -> ServerCalm.aged(s, at, number);
            case ServerInput.CooledDown(var incarnation) ->
                    ServerCalm.cooledDown(s, at, incarnation);
            case ServerInput.EndQuarantine _ -> ServerCalm.release(s, at);
            case ServerInput.Maintain wish -> ServerCalm.maintain(s, at, wish);
            case ServerInput.ConfirmOff confirm ->
                    ServerCalm.confirmed(
                            s, confirm, () -> lose(s, at, ServerCalm.word(at, server)));
        };
    }

    private static Decision<ServerEvent, ServerAction> lose(
            Live s, Instant at, List<Evidence> evidence) {
        var server = s.server();
        var events = new ArrayList<ServerEvent>();
        var actions = new ArrayList<ServerAction>();
        events.add(new ServerFenced(at, server.name(), server.incarnation(), evidence));
        actions.add(ServerAction.AwaitLease.of(server));
        callAgent(actions, s, ServerReservations.vms(s));
        tellLost(actions, server, ServerReservations.vms(s), evidence);
        // Somebody works on it: that it goes away says nothing about it.
        if (s.maintenance().isEmpty()) {
            ServerCalm.count(s.losses(), at, events, actions);
        }
        return new Accepted<>(events, actions);
    }

    /**
     * Nobody waits for the end of what an empty server runs, and whoever works on it does not want
     * it switched off meanwhile.
     */
    private static void callAgent(List<ServerAction> actions, Known s, List<VmName> vms) {
        if (s.maintenance().isEmpty() || !vms.isEmpty()) {
            actions.add(
                    new ServerAction.CallFenceAgent(s.server().name(), s.server().incarnation()));
        }
    }

    private static Decision<ServerEvent, ServerAction> whenFencing(
            Fencing s, Instant at, ServerInput input) {
        var server = s.server();
        return switch (input) {
            case ServerInput.Join join -> ServerAdmission.next(at, s, join, s.vms());
            case ServerInput.Lost _ -> ignored("being fenced already");
            case ServerInput.LeaseWaited(var incarnation, var detail)
                    when incarnation.equals(server.incarnation()) ->
                    prove(
                            server,
                            s.vms(),
                            at,
                            new Proof(
                                    Proof.Kind.LEASE,
                                    detail + s.agentFailure().map(": "::concat).orElse(""),
                                    at));
            case ServerInput.LeaseWaited _ -> ignored("of another fencing");
            case ServerInput.AgentAnswered answer
                    when !answer.incarnation().equals(server.incarnation()) ->
                    ignored("of another fencing");
            case ServerInput.AgentAnswered(_, var off, var detail)
                    when off && s.agentFailure().isEmpty() ->
                    prove(server, s.vms(), at, new Proof(Proof.Kind.AGENT, detail, at));
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
            case ServerInput.LossAged(var number) -> ServerCalm.aged(s, at, number);
            case ServerInput.CooledDown _ -> ignored("it is lost");
            case ServerInput.EndQuarantine _ -> ServerCalm.release(s, at);
            case ServerInput.Maintain wish -> ServerCalm.maintain(s, at, wish);
            case ServerInput.ConfirmOff confirm ->
                    ServerCalm.confirmed(s, confirm, () -> ignored("being fenced already"));
        };
    }

    private static Decision<ServerEvent, ServerAction> whenFenced(
            Fenced s, Instant at, ServerInput input) {
        var server = s.server();
        return switch (input) {
            case ServerInput.Join join when voids(s, join) -> distrust(s, at);
            case ServerInput.Join join -> ServerAdmission.next(at, s, join, List.of());
            case ServerInput.Lost _ -> ignored("fenced already");
            case ServerInput.LeaseWaited _ -> ignored("proved already");
            // It says more than the lease did: of one of two in lockstep that proves nothing.
            case ServerInput.AgentAnswered(var incarnation, var off, var detail)
                    when off
                            && incarnation.equals(server.incarnation())
                            && s.proof().kind() == Proof.Kind.LEASE ->
                    accepted(
                            new FencingProved(
                                    at, incarnation, new Proof(Proof.Kind.AGENT, detail, at)));
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
            case ServerInput.LossAged(var number) -> ServerCalm.aged(s, at, number);
            case ServerInput.CooledDown _ -> ignored("it is lost");
            case ServerInput.EndQuarantine _ -> ServerCalm.release(s, at);
            case ServerInput.Maintain wish -> ServerCalm.maintain(s, at, wish);
            case ServerInput.ConfirmOff confirm ->
                    ServerCalm.confirmed(
                            s,
                            confirm,
                            () ->
                                    s.proof().kind() == Proof.Kind.LEASE
                                            ? accepted(
                                                    new FencingProved(
                                                            at,
                                                            server.incarnation(),
                                                            ServerCalm.proof(at)))
                                            : ignored("proved already"));
        };
    }

    /**
     * A fence agent or a person saw it off, and yet it speaks (safety.md 15). What is on its way
     * for long looks the same; it costs the wait for the lease, and only those VMs that have not
     * started yet.
     */
    private static boolean voids(Fenced s, ServerInput.Join join) {
        boolean told =
                s.proof().kind() == Proof.Kind.AGENT || s.proof().kind() == Proof.Kind.PERSON;
        return told
                && join.holding().equals(s.server().incarnation())
                && join.bootId().equals(s.server().bootId())
                && !join.clean();
    }

    private static Decision<ServerEvent, ServerAction> distrust(Fenced s, Instant at) {
        var server = s.server();
        return accepted(
                new ServerEvent.ProofVoided(
                        at,
                        server.incarnation(),
                        s.proof().kind() == Proof.Kind.PERSON
                                ? "it spoke after a person had confirmed that it is off"
                                : "it spoke after its fence agent had seen it off, so the agent is not believed"),
                ServerAction.AwaitLease.of(server),
                new ServerAction.TellClean(server.name(), server.incarnation(), true));
    }

    private static Accepted<ServerEvent, ServerAction> prove(
            Server server, List<VmName> vms, Instant at, Proof proof) {
        var actions = new ArrayList<ServerAction>();
        ServerAdmission.tellProved(actions, server, vms, proof);
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

    private static void tellLost(
            List<ServerAction> actions, Server server, List<VmName> vms, List<Evidence> evidence) {
        for (var vm : vms) {
            actions.add(
                    new ServerAction.TellVm(
                            vm,
                            new VmInput.ServerLost(server.name(), server.incarnation(), evidence)));
        }
    }

    /** What to send again after a restart, from the state alone. */
    public static List<ServerAction> pending(ServerState state) {
        return switch (state) {
            case Unknown _ -> List.of();
            case Live s -> ServerCalm.pending(s);
            case Fenced s -> ServerCalm.pending(s);
            case Fencing s -> {
                var actions = new ArrayList<>(ServerCalm.pending(s));
                // The agent is not called again. It may have seen the server off already; without
                // this server there was no quorum to store that, and now it is back.
                actions.add(ServerAction.AwaitLease.of(s.server()));
                tellLost(actions, s.server(), s.vms(), s.evidence());
                yield actions;
            }
        };
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
