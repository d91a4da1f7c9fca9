package dev.belay.persistence.raft;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * A whole store as one flat file: what a voter installs that was away for too long. Form: a magic
 * number, then per table its title and its rows as {1, key, value}, ended by 0. The MD5 sum beside
 * it tells a whole file from a damaged one.
 */
final class SnapshotFile {
    private static final int MAGIC = 0x424a5331; // "BJS1"
    private static final int ROWS_PER_COMMIT = 1000;

    private SnapshotFile() {}

    static void write(JournalStore.View view, Path target) throws IOException {
        var file = new FileOutputStream(target.toFile());
        try (var out = new DataOutputStream(new BufferedOutputStream(file, 1 << 16))) {
            out.writeInt(MAGIC);
            out.writeInt(Table.values().length);
            for (var table : Table.values()) {
                out.writeUTF(table.title());
                var rows = view.entries(table);
                while (rows.hasNext()) {
                    var row = rows.next();
                    out.writeBoolean(true);
                    out.writeUTF(row.getKey());
                    out.writeInt(row.getValue().length);
                    out.write(row.getValue());
                }
                out.writeBoolean(false);
            }
            out.flush();
            file.getFD().sync();
        }
    }

    /** Makes {@code store} anew from a snapshot file; a crash on the way leaves the old one. */
    static void restore(Path snapshot, Path store) throws IOException {
        var fresh = store.resolveSibling(store.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        try (var in =
                        new DataInputStream(
                                new BufferedInputStream(Files.newInputStream(snapshot), 1 << 16));
                var target = JournalStore.open(fresh)) {
            read(in, target);
            target.sync();
        }
        Files.move(
                fresh, store, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static void read(DataInputStream in, JournalStore target) throws IOException {
        int magic = in.readInt();
        if (magic != MAGIC) {
            throw new IOException("Expected a journal snapshot, but it starts with " + magic);
        }
        for (int tables = in.readInt(); tables > 0; tables--) {
            var table = table(in.readUTF());
            for (int rows = 1; in.readBoolean(); rows++) {
                var key = in.readUTF();
                var value = in.readNBytes(in.readInt());
                target.map(table).put(key, value);
                if (rows % ROWS_PER_COMMIT == 0) {
                    target.commit();
                }
            }
        }
    }

    private static Table table(String title) throws IOException {
        for (var table : Table.values()) {
            if (table.title().equals(title)) {
                return table;
            }
        }
        throw new IOException("This version knows no table '" + title + "'");
    }
}
