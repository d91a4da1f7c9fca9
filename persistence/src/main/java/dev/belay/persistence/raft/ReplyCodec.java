package dev.belay.persistence.raft;

import dev.belay.cluster.LeaseAuthority.Verdict;
import dev.belay.persistence.raft.WireReader.MalformedException;
import java.util.List;

/** Answers as bytes; those to commands are also kept in the store, for retries. */
final class ReplyCodec {
    private static final int DONE = 1;
    private static final int CONFLICT = 2;
    private static final int GUARD_REFUSED = 3;
    private static final int FOUND_GRANTED = 4;
    private static final int FOUND_REFUSED = 5;
    private static final int EVENTS = 6;
    private static final int HIGHEST = 7;
    private static final int SNAPSHOT = 8;
    private static final int NO_SNAPSHOT = 9;
    private static final int LEASE = 10;
    private static final int HISTORY = 11;
    private static final int STATUS = 12;
    private static final int MALFORMED = 13;
    private static final int STANDING = 14;

    /** By position, so that the order of the enum's constants can change. */
    private static final List<Verdict> VERDICTS =
            List.of(Verdict.GRANTED, Verdict.FENCED, Verdict.UNKNOWN);

    private ReplyCodec() {}

    static byte[] encode(Reply answer) {
        var out = new WireWriter();
        switch (answer) {
            case Reply.Done() -> out.u8(DONE);
            case Reply.Conflict(var highest) -> out.u8(CONFLICT).i64(highest);
            case Reply.GuardRefused(var why) -> out.u8(GUARD_REFUSED).text(why);
            case Reply.FoundGranted(var generation) -> out.u8(FOUND_GRANTED).i64(generation);
            case Reply.FoundRefused(var why) -> out.u8(FOUND_REFUSED).text(why);
            case Reply.Events(var events) -> {
                out.u8(EVENTS).i32(events.size());
                events.forEach(event -> write(out, event));
            }
            case Reply.Highest(var sequenceNr) -> out.u8(HIGHEST).i64(sequenceNr);
            case Reply.Snapshot(var sequenceNr, var timestamp, var bytes) ->
                    out.u8(SNAPSHOT).i64(sequenceNr).i64(timestamp).bytes(bytes);
            case Reply.NoSnapshot() -> out.u8(NO_SNAPSHOT);
            case Reply.Lease(var verdict) -> out.u8(LEASE).u8(VERDICTS.indexOf(verdict));
            case Reply.History(var entries) -> {
                out.u8(HISTORY).i32(entries.size());
                entries.forEach(entry ->
                        write(out.i64(entry.offset()).text(entry.persistenceId()), entry.event()));
            }
            case Reply.Status(var newestOffset, var generation) ->
                    out.u8(STATUS).i64(newestOffset).i64(generation);
            case Reply.Standing(var standing) -> standing.write(out.u8(STANDING));
            case Reply.Malformed(var why) -> out.u8(MALFORMED).text(why);
        }
        return out.toBytes();
    }

    private static void write(WireWriter out, StoredEvent event) {
        out.i64(event.sequenceNr()).bytes(event.bytes());
    }

    static Reply decode(byte[] bytes) {
        var in = new WireReader(bytes);
        int code = in.u8();
        Reply answer =
                switch (code) {
                    case DONE -> new Reply.Done();
                    case CONFLICT -> new Reply.Conflict(in.i64());
                    case GUARD_REFUSED -> new Reply.GuardRefused(in.text());
                    case FOUND_GRANTED -> new Reply.FoundGranted(in.i64());
                    case FOUND_REFUSED -> new Reply.FoundRefused(in.text());
                    case EVENTS -> new Reply.Events(in.list(12, () -> event(in)));
                    case HIGHEST -> new Reply.Highest(in.i64());
                    case SNAPSHOT -> new Reply.Snapshot(in.i64(), in.i64(), in.bytes());
                    case NO_SNAPSHOT -> new Reply.NoSnapshot();
                    case LEASE -> new Reply.Lease(verdict(in.u8()));
                    case HISTORY ->
                            new Reply.History(
                                    in.list(
                                            24,
                                            () ->
                                                    new HistoryEntry(
                                                            in.i64(), in.text(), event(in))));
                    case STATUS -> new Reply.Status(in.i64(), in.i64());
                    case STANDING -> new Reply.Standing(VoterRegister.Standing.read(in));
                    case MALFORMED -> new Reply.Malformed(in.text());
                    default -> throw new MalformedException("Unknown answer " + code);
                };
        in.end();
        return answer;
    }

    private static StoredEvent event(WireReader in) {
        return new StoredEvent(in.i64(), in.bytes());
    }

    private static Verdict verdict(int code) {
        if (code >= VERDICTS.size()) {
            throw new MalformedException("Unknown verdict " + code);
        }
        return VERDICTS.get(code);
    }
}
