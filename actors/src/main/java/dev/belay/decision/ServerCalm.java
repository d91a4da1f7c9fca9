package dev.belay.decision;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.Decision.Reason;
import dev.belay.decision.Decision.Rejected;
import dev.belay.decision.ServerEvent.LossCounted;
import dev.belay.decision.ServerEvent.LossForgotten;
import dev.belay.decision.ServerEvent.MaintenanceBegan;
import dev.belay.decision.ServerEvent.MaintenanceEnded;
import dev.belay.decision.ServerEvent.QuarantineBegan;
import dev.belay.decision.ServerEvent.QuarantineEnded;
import dev.belay.decision.ServerState.Known;
import dev.belay.decision.ServerState.Live;
import dev.belay.model.Incarnation;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * What keeps a cluster calm: a server that flaps, or that somebody works on, gets no new VMs, and
 * nobody fences them all.
 */
final class ServerCalm {
    private ServerCalm() {}

    /** safety.md 16: when most vanished it is more likely us, or what they all depend on. */
    static boolean isMass(ServerInput.Lost lost) {
        return lost.vanished() >= 2 && lost.vanished() * 2 > lost.before();
    }

    /** One more loss; the last that it takes puts the server into quarantine. */
    static void count(
            Losses losses, Instant at, List<ServerEvent> events, List<ServerAction> actions) {
        long number = losses.count() + 1;
        events.add(new LossCounted(at, number));
        var more = losses.plus(number);
        if (more.quarantined()) {
            return;
        }
        if (more.recent().size() >= Losses.LIMIT) {
            events.add(new QuarantineBegan(at, more.recent().size()));
        } else {
            actions.add(new ServerAction.AgeLoss(number));
        }
    }

    /**
     * In quarantine no loss ages: it ends by being up for long enough, or by an operator's word.
     */
    static Decision<ServerEvent, ServerAction> aged(Known s, Instant at, long number) {
        return s.losses().quarantined() || !s.losses().recent().contains(number)
                ? new Ignored<>("it does not count any more")
                : new Accepted<>(List.of(new LossForgotten(at, number)), List.of());
    }

    static Decision<ServerEvent, ServerAction> cooledDown(
            Live s, Instant at, Incarnation incarnation) {
        return !s.losses().quarantined() || !incarnation.equals(s.server().incarnation())
                ? new Ignored<>("not the one that is in quarantine now")
                : ended(at, "it was up for the whole cool-down");
    }

    static Decision<ServerEvent, ServerAction> release(Known s, Instant at) {
        return s.losses().quarantined()
                ? ended(at, "an operator said so")
                : new Ignored<>("it is not in quarantine");
    }

    static Decision<ServerEvent, ServerAction> maintain(
            Known s, Instant at, ServerInput.Maintain wish) {
        var now = s.maintenance();
        return switch (wish) {
            // Whoever asks again to see how far it is does not take back what they asked for.
            case ServerInput.BeginMaintenance(var restartVms)
                    when now.isPresent() && (now.get().restartVms() || !restartVms) ->
                    new Ignored<>("it is in maintenance already");
            case ServerInput.BeginMaintenance(var restartVms) ->
                    new Accepted<>(List.of(new MaintenanceBegan(at, restartVms)), List.of());
            case ServerInput.EndMaintenance _ ->
                    now.isPresent()
                            ? new Accepted<>(List.of(new MaintenanceEnded(at)), List.of())
                            : new Ignored<>("it is not in maintenance");
        };
    }

    /**
     * A person's word counts for the life that they looked at, and not against what is seen. It is
     * evidence and no proof: a wrong word costs that server its VMs, and never runs one twice. Said
     * once more of a server whose lease was waited out, it is the proof that the lease is not: for
     * halves of pairs, whose disks nobody else has, so that none starts before its server is back.
     */
    static Decision<ServerEvent, ServerAction> confirmed(
            Known s,
            ServerInput.ConfirmOff confirm,
            Supplier<Decision<ServerEvent, ServerAction>> off) {
        var server = s.server();
        if (!confirm.incarnation().equals(server.incarnation())) {
            return new Rejected<>(
                    Reason.CONFLICT,
                    "Server '%s' has been back since, as %s: nothing was done"
                            .formatted(server.name(), server.incarnation()));
        }
        return confirm.answers()
                ? new Rejected<>(
                        Reason.CONFLICT,
                        "Server '%s' answers, so it is not off: nothing was done"
                                .formatted(server.name()))
                : off.get();
    }

    static List<Evidence> word(Instant at, ServerState.Server server) {
        return List.of(
                new Evidence(
                        at, "operator", "a person confirmed that " + server.name() + " is off"));
    }

    static Proof proof(Instant at) {
        return new Proof(Proof.Kind.PERSON, "a person confirmed that it is off", at);
    }

    private static Decision<ServerEvent, ServerAction> ended(Instant at, String why) {
        return new Accepted<>(List.of(new QuarantineEnded(at, why)), List.of());
    }

    /** Timers that a new process starts afresh, so that a quarantine lasts rather longer. */
    static List<ServerAction> pending(Known s) {
        if (!s.losses().quarantined()) {
            return s.losses().recent().stream()
                    .<ServerAction>map(ServerAction.AgeLoss::new)
                    .toList();
        }
        var actions = new ArrayList<ServerAction>();
        if (s instanceof Live live) {
            actions.add(new ServerAction.CoolDown(live.server().incarnation()));
        }
        return actions;
    }
}
