package dev.belay.persistence.raft;

import dev.belay.persistence.raft.WireReader.MalformedException;

/**
 * Which voters took part in the journal. One of them that comes with an empty folder has forgotten
 * what it acknowledged and whom it voted for: see {@link VoterGuard}.
 */
final class VoterRegister {
    /** What the journal knows of a voter. */
    enum Part {
        /** It never took part: nothing that it forgot counts. */
        NONE,
        TAKEN,
        /** It took part, and counts no longer; it may begin anew. */
        READMITTED
    }

    /**
     * How a voter stands.
     *
     * @param changes how often that changed: of two voters' copies the one with more is newer
     */
    record Standing(Part part, long changes) {
        static final Standing NEVER = new Standing(Part.NONE, 0);

        void write(WireWriter out) {
            out.u8(code(part)).i64(changes);
        }

        static Standing read(WireReader in) {
            return new Standing(partOf(in.u8()), in.i64());
        }
    }

    private final JournalStore store;

    VoterRegister(JournalStore store) {
        this.store = store;
    }

    Standing standing(String voter) {
        var row = store.map(Table.VOTERS).get(voter);
        return row == null ? Standing.NEVER : Standing.read(new WireReader(row));
    }

    void takesPart(String voter) {
        change(voter, Part.TAKEN);
    }

    /** Nothing for a voter that never took part: it needs no permission. */
    void readmits(String voter) {
        if (standing(voter).part() != Part.NONE) {
            change(voter, Part.READMITTED);
        }
    }

    private void change(String voter, Part part) {
        var known = standing(voter);
        if (known.part() != part) {
            var out = new WireWriter();
            new Standing(part, known.changes() + 1).write(out);
            store.map(Table.VOTERS).put(voter, out.toBytes());
        }
    }

    private static int code(Part part) {
        return switch (part) {
            case NONE -> 0;
            case TAKEN -> 1;
            case READMITTED -> 2;
        };
    }

    private static Part partOf(int code) {
        return switch (code) {
            case 0 -> Part.NONE;
            case 1 -> Part.TAKEN;
            case 2 -> Part.READMITTED;
            default -> throw new MalformedException("Unknown part of a voter " + code);
        };
    }
}
