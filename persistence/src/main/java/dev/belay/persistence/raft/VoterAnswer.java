package dev.belay.persistence.raft;

import dev.belay.persistence.raft.WireReader.MalformedException;

/** What one voter answers to a read or a write that was put to it. */
@SuppressWarnings("ArrayRecordComponent")
sealed interface VoterAnswer {
    /**
     * To a read.
     *
     * @param term the newest that it knows of
     * @param ledTerm the term in which it led, and had applied all that was committed before, when
     *     it looked into its copy; 0: it did not lead, and did not look
     * @param leader whom it takes for the leader; empty: nobody
     * @param answer out of its copy, when it led
     */
    record View(long term, long ledTerm, String leader, byte[] answer) implements VoterAnswer {}

    /** To a write: a majority has it, and this came of it. */
    record Applied(byte[] answer) implements VoterAnswer {}

    /** To a write: not from here. {@code leader}: try there; empty: nobody is known. */
    record Elsewhere(String leader, String why) implements VoterAnswer {}

    /** To a write: the voters' copies can not take it, now or later. */
    record Failed(String why) implements VoterAnswer {}

    /** To a look into its own copy, which may lag. */
    record Copy(byte[] answer) implements VoterAnswer {}

    /**
     * To the question of a voter that forgot what it stored.
     *
     * @param applied the newest Raft entry that is in this voter's copy
     * @param logEnd the newest one that it stored; -1: none ever
     * @param answer out of its copy
     */
    record Testimony(long applied, long logEnd, byte[] answer) implements VoterAnswer {}

    int VIEW = 1;
    int APPLIED = 2;
    int ELSEWHERE = 3;
    int FAILED = 4;
    int COPY = 5;
    int TESTIMONY = 6;

    default byte[] toBytes() {
        var out = new WireWriter();
        return switch (this) {
            case View(var term, var ledTerm, var leader, var answer) ->
                    out.u8(VIEW).i64(term).i64(ledTerm).text(leader).bytes(answer).toBytes();
            case Applied(var answer) -> out.u8(APPLIED).bytes(answer).toBytes();
            case Elsewhere(var leader, var why) ->
                    out.u8(ELSEWHERE).text(leader).text(why).toBytes();
            case Copy(var answer) -> out.u8(COPY).bytes(answer).toBytes();
            case Failed(var why) -> out.u8(FAILED).text(why).toBytes();
            case Testimony(var applied, var logEnd, var answer) ->
                    out.u8(TESTIMONY).i64(applied).i64(logEnd).bytes(answer).toBytes();
        };
    }

    static VoterAnswer of(byte[] bytes) {
        var in = new WireReader(bytes);
        int code = in.u8();
        VoterAnswer answer =
                switch (code) {
                    case VIEW -> new View(in.i64(), in.i64(), in.text(), in.bytes());
                    case APPLIED -> new Applied(in.bytes());
                    case ELSEWHERE -> new Elsewhere(in.text(), in.text());
                    case COPY -> new Copy(in.bytes());
                    case FAILED -> new Failed(in.text());
                    case TESTIMONY -> new Testimony(in.i64(), in.i64(), in.bytes());
                    default -> throw new MalformedException("Unknown answer of a voter " + code);
                };
        in.end();
        return answer;
    }
}
