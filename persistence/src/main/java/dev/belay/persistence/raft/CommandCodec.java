package dev.belay.persistence.raft;

import dev.belay.model.Incarnation;
import dev.belay.model.JournalGuard;
import dev.belay.model.JournalGuard.Admits;
import dev.belay.model.JournalGuard.Fences;
import dev.belay.model.JournalGuard.Grants;
import dev.belay.model.ServerName;
import dev.belay.persistence.raft.WireReader.MalformedException;
import java.util.UUID;

/**
 * Commands as bytes in the Raft log: a version, the request's id, the command. A command once
 * written may be replayed by any later build, so a changed form gets a new number here and the old
 * one stays readable.
 */
final class CommandCodec {
    private static final int VERSION = 1;

    private static final int APPEND = 1;
    private static final int DELETE_TO = 2;
    private static final int SAVE_SNAPSHOT = 3;
    private static final int DELETE_SNAPSHOTS = 4;
    private static final int BOOTED = 5;
    private static final int FOUND = 6;
    private static final int JOINED = 7;
    private static final int TAKES_PART = 8;
    private static final int READMITS = 9;

    private static final int GRANTS = 1;
    private static final int ADMITS = 2;
    private static final int FENCES = 3;

    /** A command and the id that its retries share. */
    record Request(UUID id, Command command) {}

    private CommandCodec() {}

    static byte[] encode(Request request) {
        var out = new WireWriter().u8(VERSION).uuid(request.id());
        switch (request.command()) {
            case Command.Append append -> write(out.u8(APPEND), append);
            case Command.DeleteTo(var id, var sequenceNr) ->
                    out.u8(DELETE_TO).text(id).i64(sequenceNr);
            case Command.SaveSnapshot(var id, var sequenceNr, var timestamp, var bytes) ->
                    out.u8(SAVE_SNAPSHOT).text(id).i64(sequenceNr).i64(timestamp).bytes(bytes);
            case Command.DeleteSnapshots(var id, var range) ->
                    write(out.u8(DELETE_SNAPSHOTS).text(id), range);
            case Command.Booted(var node, var run) -> out.u8(BOOTED).text(node).uuid(run);
            case Command.Found(var node, var run, var all) ->
                    out.u8(FOUND).text(node).uuid(run).bool(all);
            case Command.Joined(var node, var run) -> out.u8(JOINED).text(node).uuid(run);
            case Command.TakesPart(var voter) -> out.u8(TAKES_PART).text(voter);
            case Command.Readmits(var voter) -> out.u8(READMITS).text(voter);
        }
        return out.toBytes();
    }

    private static void write(WireWriter out, Command.Append append) {
        out.text(append.persistenceId()).text(append.writer()).bool(append.listed());
        out.i32(append.events().size());
        append.events().forEach(event -> out.i64(event.sequenceNr()).bytes(event.bytes()));
        out.i32(append.guards().size());
        append.guards().forEach(guard -> write(out, guard));
    }

    private static void write(WireWriter out, JournalGuard guard) {
        switch (guard) {
            case Grants(var server, var incarnation) ->
                    out.u8(GRANTS).text(server.value()).i64(incarnation.value());
            case Admits(var server, var incarnation) ->
                    out.u8(ADMITS).text(server.value()).i64(incarnation.value());
            case Fences(var server, var incarnation) ->
                    out.u8(FENCES).text(server.value()).i64(incarnation.value());
        }
    }

    static void write(WireWriter out, SnapshotRange range) {
        out.i64(range.minSequenceNr()).i64(range.maxSequenceNr());
        out.i64(range.minTimestamp()).i64(range.maxTimestamp());
    }

    static Request decode(byte[] bytes) {
        var in = new WireReader(bytes);
        int version = in.u8();
        if (version != VERSION) {
            throw new MalformedException("Expected version " + VERSION + ", but got " + version);
        }
        var request = new Request(in.uuid(), command(in));
        in.end();
        return request;
    }

    private static Command command(WireReader in) {
        int code = in.u8();
        return switch (code) {
            case APPEND ->
                    new Command.Append(
                            in.text(),
                            in.text(),
                            in.bool(),
                            in.list(12, () -> new StoredEvent(in.i64(), in.bytes())),
                            in.list(13, () -> guard(in)));
            case DELETE_TO -> new Command.DeleteTo(in.text(), in.i64());
            case SAVE_SNAPSHOT ->
                    new Command.SaveSnapshot(in.text(), in.i64(), in.i64(), in.bytes());
            case DELETE_SNAPSHOTS -> new Command.DeleteSnapshots(in.text(), range(in));
            case BOOTED -> new Command.Booted(in.text(), in.uuid());
            case FOUND -> new Command.Found(in.text(), in.uuid(), in.bool());
            case JOINED -> new Command.Joined(in.text(), in.uuid());
            case TAKES_PART -> new Command.TakesPart(in.text());
            case READMITS -> new Command.Readmits(in.text());
            default -> throw new MalformedException("Unknown command " + code);
        };
    }

    static SnapshotRange range(WireReader in) {
        return new SnapshotRange(in.i64(), in.i64(), in.i64(), in.i64());
    }

    private static JournalGuard guard(WireReader in) {
        int code = in.u8();
        var server = server(in.text());
        var incarnation = new Incarnation(in.i64());
        return switch (code) {
            case GRANTS -> new Grants(server, incarnation);
            case ADMITS -> new Admits(server, incarnation);
            case FENCES -> new Fences(server, incarnation);
            default -> throw new MalformedException("Unknown guard " + code);
        };
    }

    private static ServerName server(String name) {
        try {
            return new ServerName(name);
        } catch (IllegalArgumentException e) {
            throw new MalformedException(String.valueOf(e.getMessage()));
        }
    }
}
