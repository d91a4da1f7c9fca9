package dev.belay.persistence.raft;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Events by entity and in the global order. */
final class EventTable {
    private static final String NEWEST_OFFSET = "newest-offset";

    private static final int LONGEST_ID = 1000;

    private final JournalStore store;

    EventTable(JournalStore store) {
        this.store = store;
    }

    private record Entity(long highest, long deletedTo) {
        static Entity of(byte @Nullable [] bytes) {
            if (bytes == null) {
                return new Entity(0, 0);
            }
            var in = new WireReader(bytes);
            return new Entity(in.i64(), in.i64());
        }

        byte[] toBytes() {
            return new WireWriter().i64(highest).i64(deletedTo).toBytes();
        }
    }

    private Entity entity(String persistenceId) {
        return Entity.of(store.map(Table.ENTITIES).get(persistenceId));
    }

    long highest(String persistenceId) {
        return entity(persistenceId).highest();
    }

    long newestOffset() {
        return store.number(NEWEST_OFFSET);
    }

    /** Why the events can not be stored, or empty. */
    Optional<Reply> check(Command.Append append) {
        var id = append.persistenceId();
        if (append.events().isEmpty() || id.indexOf('\0') >= 0 || id.length() > LONGEST_ID) {
            return Optional.of(
                    new Reply.Malformed(
                            "Expected events, and an id without NUL of up to "
                                    + LONGEST_ID
                                    + " characters"));
        }
        long last = 0;
        for (var event : append.events()) {
            if (event.sequenceNr() <= last) {
                return Optional.of(new Reply.Malformed("Expected rising sequence numbers from 1"));
            }
            last = event.sequenceNr();
        }
        // Not "== highest + 1": Pekko skips the number of a rejected event. A second writer starts
        // from what it once replayed, so it always comes too low.
        long highest = highest(append.persistenceId());
        return append.events().getFirst().sequenceNr() <= highest
                ? Optional.of(new Reply.Conflict(highest))
                : Optional.empty();
    }

    void append(Command.Append append) {
        var events = store.map(Table.EVENTS);
        var order = store.map(Table.ORDER);
        long offset = newestOffset();
        for (var event : append.events()) {
            var key = Table.key(append.persistenceId(), event.sequenceNr());
            if (append.listed()) {
                offset++;
                order.put(
                        Table.key(offset),
                        new WireWriter()
                                .text(append.persistenceId())
                                .i64(event.sequenceNr())
                                .toBytes());
            }
            events.put(
                    key,
                    new WireWriter()
                            .i64(append.listed() ? offset : 0)
                            .rest(event.bytes())
                            .toBytes());
        }
        store.setNumber(NEWEST_OFFSET, offset);
        var deletedTo = entity(append.persistenceId()).deletedTo();
        var entity = new Entity(append.events().getLast().sequenceNr(), deletedTo);
        store.map(Table.ENTITIES).put(append.persistenceId(), entity.toBytes());
    }

    void deleteTo(String persistenceId, long sequenceNr) {
        var entity = entity(persistenceId);
        long to = Math.min(sequenceNr, entity.highest());
        if (to <= entity.deletedTo()) {
            return;
        }
        var events = store.map(Table.EVENTS);
        var end = Table.key(persistenceId, to);
        var key = events.ceilingKey(Table.key(persistenceId, 0));
        while (key != null && key.compareTo(end) <= 0) {
            var removed = events.remove(key);
            long offset = removed == null ? 0 : new WireReader(removed).i64();
            if (offset > 0) {
                store.map(Table.ORDER).remove(Table.key(offset));
            }
            key = events.higherKey(key);
        }
        store.map(Table.ENTITIES).put(persistenceId, new Entity(entity.highest(), to).toBytes());
    }

    List<StoredEvent> read(Query.Events query) {
        var found = new ArrayList<StoredEvent>();
        if (query.from() > query.to() || query.to() < 0 || query.max() <= 0) {
            return found;
        }
        var events = store.map(Table.EVENTS);
        var end = Table.key(query.persistenceId(), query.to());
        var cursor = events.cursor(Table.key(query.persistenceId(), Math.max(0, query.from())));
        int size = 0;
        while (found.size() < query.max() && size < query.maxBytes() && cursor.hasNext()) {
            var key = cursor.next();
            if (key.compareTo(end) > 0) {
                break;
            }
            var event = event(key, cursor.getValue());
            found.add(event);
            size += event.bytes().length;
        }
        return found;
    }

    private static StoredEvent event(String key, byte[] row) {
        var in = new WireReader(row);
        in.i64();
        return new StoredEvent(Table.sequenceNr(key), in.rest());
    }

    List<HistoryEntry> history(Query.History query) {
        var found = new ArrayList<HistoryEntry>();
        var cursor = store.map(Table.ORDER).cursor(Table.key(Math.max(0, query.from())));
        int size = 0;
        while (found.size() < query.max() && size < query.maxBytes() && cursor.hasNext()) {
            long offset = Table.number(cursor.next());
            var in = new WireReader(cursor.getValue());
            var persistenceId = in.text();
            var key = Table.key(persistenceId, in.i64());
            var row = store.map(Table.EVENTS).get(key);
            if (row != null) {
                var event = event(key, row);
                found.add(new HistoryEntry(offset, persistenceId, event));
                size += event.bytes().length;
            }
        }
        return found;
    }
}
