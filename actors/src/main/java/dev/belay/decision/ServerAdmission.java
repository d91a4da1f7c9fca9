package dev.belay.decision;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.ServerEvent.FencingProved;
import dev.belay.decision.ServerEvent.FreezeEnded;
import dev.belay.decision.ServerEvent.MemoryChanged;
import dev.belay.decision.ServerEvent.QemuTold;
import dev.belay.decision.ServerEvent.ServerAdmitted;
import dev.belay.decision.ServerEvent.ServerFenced;
import dev.belay.decision.ServerEvent.TermsTold;
import dev.belay.decision.ServerState.Known;
import dev.belay.decision.ServerState.Live;
import dev.belay.decision.ServerState.Server;
import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How a server gets its incarnation, and keeps it over a restart of its node's process. */
final class ServerAdmission {
    private ServerAdmission() {}

    static Decision<ServerEvent, ServerAction> first(
            Instant at, ServerName name, ServerInput.Join join) {
        return admit(at, name, Incarnation.NONE.next(), join, List.of());
    }

    /**
     * It answers, in the same life as before. What it says of its leases is in the journal before
     * it is welcome: it asks for none before that.
     */
    static Decision<ServerEvent, ServerAction> again(Live s, Instant at, ServerInput.Join join) {
        var news = news(s, at, join);
        ServerState now = s;
        for (var event : news) {
            now = ServerHistory.apply(now, event);
        }
        return new Accepted<>(news, ServerReservations.welcome((Live) now));
    }

    private static List<ServerEvent> news(Live s, Instant at, ServerInput.Join join) {
        var events = new ArrayList<ServerEvent>();
        if (!s.server().covers(join.terms())) {
            events.add(new TermsTold(at, join.terms()));
        }
        if (join.memoryMiB() != s.server().memoryMiB()) {
            events.add(new MemoryChanged(at, join.memoryMiB()));
        }
        join.qemu()
                .filter(told -> !s.qemu().equals(Optional.of(told)))
                .ifPresent(told -> events.add(new QemuTold(at, told)));
        if (s.freeze().isPresent()) {
            events.add(new FreezeEnded(at));
        }
        return events;
    }

    /**
     * The node asks for an incarnation after {@code old}: only once nothing of the old one can run
     * (safety.md 1). It has to name the one that it succeeds and to have cleaned up after it, after
     * a reboot too: a join that comes a life late names an older one, or another boot, and proves
     * nothing. A node that said it was clean is never welcomed to that incarnation again: whoever
     * hears of it late would take the new life for ended.
     */
    static Decision<ServerEvent, ServerAction> next(
            Instant at, Known s, ServerInput.Join join, List<VmName> vms) {
        var old = s.server();
        boolean fenced = !(s instanceof Live);
        boolean rebooted = !join.bootId().equals(old.bootId());
        boolean named = join.holding().equals(old.incarnation());
        if (!named || !join.clean()) {
            // One that names it and is live in the journal has another boot: it may not go on.
            return new Accepted<>(
                    List.of(),
                    List.of(
                            new ServerAction.TellClean(
                                    old.name(), old.incarnation(), fenced || named)));
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
        var admitted = admit(at, old.name(), old.incarnation().next(), join, before);
        var actions = new ArrayList<>(admitted.actions());
        if (fenced) {
            actions.add(new ServerAction.CallOffFenceAgent(old.name()));
        }
        if (s.losses().quarantined()) {
            actions.add(new ServerAction.CoolDown(old.incarnation().next()));
        }
        tellProved(actions, old, vms, proof);
        return new Accepted<>(admitted.events(), actions);
    }

    private static Accepted<ServerEvent, ServerAction> admit(
            Instant at,
            ServerName name,
            Incarnation incarnation,
            ServerInput.Join join,
            List<ServerEvent> before) {
        var next =
                new Server(
                        name,
                        incarnation,
                        join.bootId(),
                        join.memoryMiB(),
                        Optional.of(join.terms()));
        var events = new ArrayList<>(before);
        events.add(new ServerAdmitted(at, next));
        join.qemu().ifPresent(told -> events.add(new QemuTold(at, told)));
        return new Accepted<>(events, List.of(new ServerAction.Welcome(next)));
    }

    static void tellProved(
            List<ServerAction> actions, Server server, List<VmName> vms, Proof proof) {
        for (var vm : vms) {
            actions.add(
                    new ServerAction.TellVm(
                            vm,
                            new VmInput.FenceProved(server.name(), server.incarnation(), proof)));
        }
    }
}
