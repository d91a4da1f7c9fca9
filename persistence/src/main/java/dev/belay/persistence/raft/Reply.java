package dev.belay.persistence.raft;

import dev.belay.cluster.LeaseAuthority.Verdict;
import java.util.List;

/** What the state machine says to a command or a query. */
sealed interface Reply {
    record Done() implements Reply {}

    /** The sequence number is taken: somebody else wrote. Nothing was stored. */
    record Conflict(long highest) implements Reply {}

    /** A guard does not hold. Nothing was stored. */
    record GuardRefused(String why) implements Reply {}

    record FoundGranted(long generation) implements Reply {}

    record FoundRefused(String why) implements Reply {}

    record Events(List<StoredEvent> events) implements Reply {}

    record Highest(long sequenceNr) implements Reply {}

    @SuppressWarnings("ArrayRecordComponent")
    record Snapshot(long sequenceNr, long timestamp, byte[] bytes) implements Reply {}

    record NoSnapshot() implements Reply {}

    record Lease(Verdict verdict) implements Reply {}

    record History(List<HistoryEntry> entries) implements Reply {}

    record Status(long newestOffset, long generation) implements Reply {}

    record Standing(VoterRegister.Standing standing) implements Reply {}

    /** The request is not one of this version's. Nothing was stored. */
    record Malformed(String why) implements Reply {}
}
