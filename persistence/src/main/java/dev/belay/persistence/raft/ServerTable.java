package dev.belay.persistence.raft;

import dev.belay.cluster.LeaseAuthority.Verdict;
import dev.belay.model.JournalGuard;
import dev.belay.model.JournalGuard.Admits;
import dev.belay.model.JournalGuard.Fences;
import dev.belay.model.JournalGuard.Grants;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Which incarnation of each server is admitted, and which are fenced (safety.md 3 and 8). */
final class ServerTable {
    private final JournalStore store;

    ServerTable(JournalStore store) {
        this.store = store;
    }

    private record Server(long admitted, long fencedUpTo) {
        boolean isFenced(long incarnation) {
            return incarnation <= fencedUpTo;
        }
    }

    /** What guards that hold would change, or why one of them does not hold. */
    sealed interface Outcome {
        record Hold(Map<String, byte[]> changes) implements Outcome {}

        record Refuse(String why) implements Outcome {}
    }

    private static Server server(Optional<byte[]> row) {
        if (row.isEmpty()) {
            return new Server(0, 0);
        }
        var in = new WireReader(row.get());
        return new Server(in.i64(), in.i64());
    }

    /** Checks the guards in their order, each on what those before it changed; stores nothing. */
    Outcome check(List<JournalGuard> guards) {
        var changes = new HashMap<String, byte[]>();
        for (var guard : guards) {
            var name =
                    switch (guard) {
                        case Grants(var server, var _) -> server.value();
                        case Admits(var server, var _) -> server.value();
                        case Fences(var server, var _) -> server.value();
                    };
            var row = Optional.ofNullable(changes.get(name)).or(() -> row(name));
            var server = server(row);
            var refusal = refusal(guard, server);
            if (refusal.isPresent()) {
                return new Outcome.Refuse(guard + " does not hold: " + name + refusal.get());
            }
            changes.put(name, toBytes(after(guard, server)));
        }
        return new Outcome.Hold(changes);
    }

    private Optional<byte[]> row(String name) {
        return Optional.ofNullable(store.map(Table.SERVERS).get(name));
    }

    void put(Outcome.Hold outcome) {
        outcome.changes().forEach(store.map(Table.SERVERS)::put);
    }

    private static Optional<String> refusal(JournalGuard guard, Server server) {
        return switch (guard) {
            case Grants(var _, var incarnation) when server.isFenced(incarnation.value()) ->
                    Optional.of(" is fenced up to #" + server.fencedUpTo());
            case Grants(var _, var incarnation) when incarnation.value() != server.admitted() ->
                    Optional.of(newest(server));
            case Grants _ -> Optional.empty();
            case Admits(var _, var incarnation) when server.isFenced(incarnation.value()) ->
                    Optional.of(" is fenced up to #" + server.fencedUpTo());
            case Admits(var _, var incarnation) when incarnation.value() <= server.admitted() ->
                    Optional.of(newest(server));
            case Admits _ -> Optional.empty();
            case Fences _ -> Optional.empty();
        };
    }

    private static String newest(Server server) {
        return server.admitted() == 0
                ? " was never admitted"
                : "'s newest admitted incarnation is #" + server.admitted();
    }

    private static Server after(JournalGuard guard, Server server) {
        return switch (guard) {
            case Grants _ -> server;
            case Admits(var _, var incarnation) ->
                    new Server(incarnation.value(), server.fencedUpTo());
            case Fences(var _, var incarnation) ->
                    new Server(
                            server.admitted(), Math.max(server.fencedUpTo(), incarnation.value()));
        };
    }

    private static byte[] toBytes(Server server) {
        return new WireWriter().i64(server.admitted()).i64(server.fencedUpTo()).toBytes();
    }

    Verdict renew(String name, long incarnation) {
        var server = server(row(name));
        if (server.isFenced(incarnation) || incarnation < server.admitted()) {
            return incarnation <= 0 ? Verdict.UNKNOWN : Verdict.FENCED;
        }
        return incarnation == server.admitted() && incarnation > 0
                ? Verdict.GRANTED
                : Verdict.UNKNOWN;
    }
}
