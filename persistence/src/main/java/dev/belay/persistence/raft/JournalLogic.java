package dev.belay.persistence.raft;

import dev.belay.persistence.raft.WireReader.MalformedException;
import java.util.Collection;

/**
 * What each command does and each query answers, on one store. No clock, no chance, nothing but the
 * store and the command: all voters come to the same state.
 */
final class JournalLogic {
    private final EventTable events;
    private final SnapshotTable snapshots;
    private final ServerTable servers;
    private final FormationTable formation;
    private final VoterRegister register;
    private final RequestTable requests;

    JournalLogic(JournalStore store, Collection<String> voters) {
        events = new EventTable(store);
        snapshots = new SnapshotTable(store);
        servers = new ServerTable(store);
        formation = new FormationTable(store, voters);
        register = new VoterRegister(store);
        requests = new RequestTable(store);
    }

    /**
     * Applies the entry at this Raft index; the answer, encoded. Bytes that are no command: none.
     */
    byte[] apply(long index, byte[] command) {
        CommandCodec.Request request;
        try {
            request = CommandCodec.decode(command);
        } catch (MalformedException e) {
            return ReplyCodec.encode(new Reply.Malformed(String.valueOf(e.getMessage())));
        }
        var earlier = requests.answer(request.id());
        if (earlier.isPresent()) {
            return earlier.get();
        }
        var answer = ReplyCodec.encode(apply(request.command()));
        requests.remember(index, request.id(), answer);
        return answer;
    }

    private Reply apply(Command command) {
        return switch (command) {
            case Command.Append append -> append(append);
            case Command.DeleteTo(var id, var sequenceNr) -> {
                events.deleteTo(id, sequenceNr);
                yield new Reply.Done();
            }
            case Command.SaveSnapshot save -> snapshots.save(save);
            case Command.DeleteSnapshots delete -> {
                snapshots.delete(delete);
                yield new Reply.Done();
            }
            case Command.Booted(var node, var run) -> {
                formation.booted(node, run);
                yield new Reply.Done();
            }
            case Command.Found(var node, var run, var all) -> formation.found(node, run, all);
            case Command.Joined(var node, var run) -> {
                formation.joined(node, run);
                yield new Reply.Done();
            }
            case Command.TakesPart(var voter) -> {
                register.takesPart(voter);
                yield new Reply.Done();
            }
            case Command.Readmits(var voter) -> {
                register.readmits(voter);
                yield new Reply.Done();
            }
        };
    }

    private Reply append(Command.Append append) {
        var refusal = events.check(append);
        if (refusal.isPresent()) {
            return refusal.get();
        }
        return switch (servers.check(append.guards())) {
            case ServerTable.Outcome.Refuse(var why) -> new Reply.GuardRefused(why);
            case ServerTable.Outcome.Hold hold -> {
                servers.put(hold);
                events.append(append);
                yield new Reply.Done();
            }
        };
    }

    byte[] query(byte[] bytes) {
        Reply answer;
        try {
            answer = query(QueryCodec.decode(bytes));
        } catch (MalformedException e) {
            answer = new Reply.Malformed(String.valueOf(e.getMessage()));
        }
        return ReplyCodec.encode(answer);
    }

    Reply query(Query query) {
        return switch (query) {
            case Query.Events read -> new Reply.Events(events.read(read));
            case Query.Highest(var id) -> new Reply.Highest(events.highest(id));
            case Query.LoadSnapshot load -> snapshots.load(load);
            case Query.Renew(var server, var incarnation) ->
                    new Reply.Lease(servers.renew(server, incarnation));
            case Query.History history -> new Reply.History(events.history(history));
            case Query.Standing(var voter) -> new Reply.Standing(register.standing(voter));
            case Query.Status() -> new Reply.Status(events.newestOffset(), formation.generation());
        };
    }

    long newestOffset() {
        return events.newestOffset();
    }

    long generation() {
        return formation.generation();
    }
}
