package dev.belay.persistence.raft;

import dev.belay.persistence.raft.WireReader.MalformedException;

/** Queries as bytes between nodes. Never stored: all nodes of a cluster run one or two versions. */
final class QueryCodec {
    private static final int VERSION = 1;

    private static final int EVENTS = 1;
    private static final int HIGHEST = 2;
    private static final int LOAD_SNAPSHOT = 3;
    private static final int RENEW = 4;
    private static final int HISTORY = 5;
    private static final int STATUS = 6;
    private static final int STANDING = 7;

    private QueryCodec() {}

    static byte[] encode(Query query) {
        var out = new WireWriter().u8(VERSION);
        switch (query) {
            case Query.Events(var id, var from, var to, var max, var maxBytes) ->
                    out.u8(EVENTS).text(id).i64(from).i64(to).i32(max).i32(maxBytes);
            case Query.Highest(var id) -> out.u8(HIGHEST).text(id);
            case Query.LoadSnapshot(var id, var range) ->
                    CommandCodec.write(out.u8(LOAD_SNAPSHOT).text(id), range);
            case Query.Renew(var server, var incarnation) ->
                    out.u8(RENEW).text(server).i64(incarnation);
            case Query.History(var from, var max, var maxBytes) ->
                    out.u8(HISTORY).i64(from).i32(max).i32(maxBytes);
            case Query.Status() -> out.u8(STATUS);
            case Query.Standing(var voter) -> out.u8(STANDING).text(voter);
        }
        return out.toBytes();
    }

    static Query decode(byte[] bytes) {
        var in = new WireReader(bytes);
        int version = in.u8();
        if (version != VERSION) {
            throw new MalformedException("Expected version " + VERSION + ", but got " + version);
        }
        int code = in.u8();
        Query query =
                switch (code) {
                    case EVENTS ->
                            new Query.Events(in.text(), in.i64(), in.i64(), in.i32(), in.i32());
                    case HIGHEST -> new Query.Highest(in.text());
                    case LOAD_SNAPSHOT -> new Query.LoadSnapshot(in.text(), CommandCodec.range(in));
                    case RENEW -> new Query.Renew(in.text(), in.i64());
                    case HISTORY -> new Query.History(in.i64(), in.i32(), in.i32());
                    case STATUS -> new Query.Status();
                    case STANDING -> new Query.Standing(in.text());
                    default -> throw new MalformedException("Unknown query " + code);
                };
        in.end();
        return query;
    }
}
