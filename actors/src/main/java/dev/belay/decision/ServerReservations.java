package dev.belay.decision;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.ServerEvent.MemoryReserved;
import dev.belay.decision.ServerState.Live;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Memory that a live server keeps for VMs. */
final class ServerReservations {
    private ServerReservations() {}

    static Decision<ServerEvent, ServerAction> reserve(
            Live s, Instant at, ServerInput.Reserve reserve) {
        var server = s.server();
        var held = s.reservations().get(reserve.vm());
        if (held != null && held.epoch().isAfter(reserve.epoch())) {
            return new Ignored<>("it keeps memory for " + held.epoch() + ", which is newer");
        }
        var reserved =
                new ServerAction.TellVm(
                        reserve.vm(),
                        new VmInput.Reserved(server.name(), server.incarnation(), reserve.epoch()));
        if (held != null
                && held.memoryMiB() == reserve.memoryMiB()
                && held.epoch().equals(reserve.epoch())) {
            return new Accepted<>(List.of(), List.of(reserved));
        }
        if (held == null && s.losses().quarantined()) {
            return refuse(reserve, server.name(), Explanation.quarantined(server.name()));
        }
        if (held == null && s.maintenance().isPresent()) {
            return refuse(reserve, server.name(), Explanation.maintained(server.name()));
        }
        int free = s.freeMiB() + (held == null ? 0 : held.memoryMiB());
        if (reserve.memoryMiB() > free) {
            return refuse(
                    reserve,
                    server.name(),
                    "it has %d MiB free of %d, and %d are needed"
                            .formatted(free, server.memoryMiB(), reserve.memoryMiB()));
        }
        return new Accepted<>(
                List.of(new MemoryReserved(at, reserve.vm(), reserve.epoch(), reserve.memoryMiB())),
                List.of(reserved));
    }

    static Decision<ServerEvent, ServerAction> refuse(
            ServerInput.Reserve reserve, ServerName server, String why) {
        return new Accepted<>(
                List.of(),
                List.of(
                        new ServerAction.TellVm(
                                reserve.vm(),
                                new VmInput.ReservationRefused(server, reserve.epoch(), why))));
    }

    /**
     * You are in. With it each VM hears again what is kept for it here: a release that was lost
     * would otherwise keep the memory for ever.
     */
    static List<ServerAction> welcome(Live s) {
        var server = s.server();
        var actions = new ArrayList<ServerAction>();
        actions.add(new ServerAction.Welcome(server));
        s.reservations().entrySet().stream()
                .sorted(Map.Entry.comparingByKey(Comparator.comparing(vm -> vm.value())))
                .forEach(entry ->
                        actions.add(
                                new ServerAction.TellVm(
                                        entry.getKey(),
                                        new VmInput.Reserved(
                                                server.name(),
                                                server.incarnation(),
                                                entry.getValue().epoch()))));
        return actions;
    }

    /** In a fixed order, so that the same input always gives the same decision. */
    static List<VmName> vms(Live s) {
        return s.reservations().keySet().stream()
                .sorted(Comparator.comparing(VmName::value))
                .toList();
    }
}
