package dev.belay.persistence.raft;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Snapshots of entities, by sequence number. */
final class SnapshotTable {
    private final JournalStore store;

    SnapshotTable(JournalStore store) {
        this.store = store;
    }

    Reply save(Command.SaveSnapshot save) {
        if (save.sequenceNr() < 0 || save.persistenceId().indexOf('\0') >= 0) {
            return new Reply.Malformed("Expected a sequence number from 0, and an id without NUL");
        }
        store.map(Table.SNAPSHOTS)
                .put(
                        Table.key(save.persistenceId(), save.sequenceNr()),
                        new WireWriter().i64(save.timestamp()).rest(save.bytes()).toBytes());
        return new Reply.Done();
    }

    void delete(Command.DeleteSnapshots delete) {
        var map = store.map(Table.SNAPSHOTS);
        var key = floor(delete.persistenceId(), delete.range());
        while (key != null && isIn(key, delete.persistenceId(), delete.range())) {
            if (matches(key, delete.range())) {
                map.remove(key);
            }
            key = map.lowerKey(key);
        }
    }

    /** The newest one in range. */
    Reply load(Query.LoadSnapshot load) {
        var map = store.map(Table.SNAPSHOTS);
        var key = floor(load.persistenceId(), load.range());
        while (key != null && isIn(key, load.persistenceId(), load.range())) {
            if (matches(key, load.range())) {
                var in = row(key);
                return new Reply.Snapshot(Table.sequenceNr(key), in.i64(), in.rest());
            }
            key = map.lowerKey(key);
        }
        return new Reply.NoSnapshot();
    }

    private @Nullable String floor(String persistenceId, SnapshotRange range) {
        return store.map(Table.SNAPSHOTS)
                .floorKey(Table.key(persistenceId, Math.max(0, range.maxSequenceNr())));
    }

    private static boolean isIn(String key, String persistenceId, SnapshotRange range) {
        return key.compareTo(Table.key(persistenceId, Math.max(0, range.minSequenceNr()))) >= 0;
    }

    private boolean matches(String key, SnapshotRange range) {
        var timestamp = row(key).i64();
        return range.holds(Table.sequenceNr(key), timestamp);
    }

    private WireReader row(String key) {
        return new WireReader(Objects.requireNonNull(store.map(Table.SNAPSHOTS).get(key)));
    }
}
