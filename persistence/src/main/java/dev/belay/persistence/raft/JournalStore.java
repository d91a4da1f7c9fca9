package dev.belay.persistence.raft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import org.apache.ratis.server.protocol.TermIndex;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import org.h2.mvstore.type.ByteArrayDataType;
import org.h2.mvstore.type.StringDataType;

/**
 * The journal's data on this voter's disk: one MVStore file. What the file holds is always the
 * state after some Raft entry, whose index it holds too; what it lacks is in the Raft log. So
 * nothing here is ever synced for a write: the log is.
 *
 * <p>Not thread-safe: its owner lets one thread write, or many read.
 */
final class JournalStore implements AutoCloseable {
    private static final String TERM = "term";
    private static final String INDEX = "index";
    private static final int CACHE_MIB = 8;

    private final MVStore store;
    private final Map<Table, MVMap<String, byte[]>> maps = new EnumMap<>(Table.class);

    private JournalStore(MVStore store) {
        this.store = store;
        for (var table : Table.values()) {
            maps.put(
                    table,
                    store.openMap(
                            table.title(),
                            new MVMap.Builder<String, byte[]>()
                                    .keyType(StringDataType.INSTANCE)
                                    .valueType(ByteArrayDataType.INSTANCE)));
        }
    }

    /** Opens or creates. {@link MVStoreException} when the file is not a whole store. */
    static JournalStore open(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        // No commit but ours: one in the middle of an entry would have it applied twice after a
        // crash.
        var store =
                new MVStore.Builder()
                        .fileName(file.toString())
                        .autoCommitDisabled()
                        .autoCommitBufferSize(0)
                        .cacheSize(CACHE_MIB)
                        .open();
        store.setVersionsToKeep(0);
        return new JournalStore(store);
    }

    MVMap<String, byte[]> map(Table table) {
        var map = maps.get(table);
        if (map == null) {
            throw new IllegalStateException("No table " + table);
        }
        return map;
    }

    /** The last Raft entry whose effect is in here; empty in a new store. */
    Optional<TermIndex> applied() {
        var term = map(Table.META).get(TERM);
        var index = map(Table.META).get(INDEX);
        return term == null || index == null
                ? Optional.empty()
                : Optional.of(
                        TermIndex.valueOf(new WireReader(term).i64(), new WireReader(index).i64()));
    }

    void setApplied(TermIndex applied) {
        setNumber(TERM, applied.getTerm());
        setNumber(INDEX, applied.getIndex());
    }

    /** A counter in {@link Table#META}; 0 when never set. */
    long number(String name) {
        var bytes = map(Table.META).get(name);
        return bytes == null ? 0 : new WireReader(bytes).i64();
    }

    void setNumber(String name, long value) {
        map(Table.META).put(name, new WireWriter().i64(value).toBytes());
    }

    /** Hands the changes to the operating system: a dead process loses nothing from here on. */
    void commit() {
        store.commit();
    }

    /** Gives the space of overwritten pages back, a little at a time. Commits. */
    void compact() {
        store.compact(60, 4 << 20);
    }

    /** Forces all to the disk. */
    void sync() {
        store.commit();
        store.sync();
    }

    /**
     * The tables as they are now, readable while others go on writing. Close it, or the file grows.
     */
    View view() {
        return new View();
    }

    final class View implements AutoCloseable {
        private final MVStore.TxCounter usage;
        private final Map<Table, Entries> entries = new EnumMap<>(Table.class);

        private View() {
            store.commit();
            usage = store.registerVersionUsage();
            for (var table : Table.values()) {
                entries.put(table, new Entries(map(table)));
            }
        }

        Entries entries(Table table) {
            var all = entries.get(table);
            if (all == null) {
                throw new IllegalStateException("No table " + table);
            }
            return all;
        }

        @Override
        public void close() {
            if (!store.isClosed()) {
                store.deregisterVersionUsage(usage);
            }
        }
    }

    /** A table's rows in the order of their keys, as they were when this was made. */
    static final class Entries implements Iterator<Map.Entry<String, byte[]>> {
        private final org.h2.mvstore.Cursor<String, byte[]> cursor;

        private Entries(MVMap<String, byte[]> map) {
            cursor = map.cursor(null, null, false);
        }

        @Override
        public boolean hasNext() {
            return cursor.hasNext();
        }

        @Override
        public Map.Entry<String, byte[]> next() {
            var key = cursor.next();
            return Map.entry(key, cursor.getValue());
        }
    }

    boolean isClosed() {
        return store.isClosed();
    }

    /** Drops what was not committed: after a failure in the middle of an entry. */
    void abandon() {
        store.closeImmediately();
    }

    @Override
    public void close() {
        store.close();
    }
}
