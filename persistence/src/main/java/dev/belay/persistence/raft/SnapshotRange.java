package dev.belay.persistence.raft;

/** Which of an entity's snapshots are meant: bounds are inclusive, time in ms since 1970. */
record SnapshotRange(long minSequenceNr, long maxSequenceNr, long minTimestamp, long maxTimestamp) {
    boolean holds(long sequenceNr, long timestamp) {
        return sequenceNr >= minSequenceNr
                && sequenceNr <= maxSequenceNr
                && timestamp >= minTimestamp
                && timestamp <= maxTimestamp;
    }
}
