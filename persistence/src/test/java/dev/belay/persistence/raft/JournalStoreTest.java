package dev.belay.persistence.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.apache.ratis.server.protocol.TermIndex;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalStoreTest {
    private static final int EVENT_BYTES = 10_000;

    @TempDir Path folder;

    private static void append(JournalStore store, long index) {
        var logic = new JournalLogic(store, List.of("a"));
        var append = Peers.event("vm|a", index, new byte[EVENT_BYTES]);
        logic.apply(
                index, CommandCodec.encode(new CommandCodec.Request(UUID.randomUUID(), append)));
        store.setApplied(TermIndex.valueOf(1, index));
    }

    @Test
    void aCrashLeavesAnEarlierStateTogetherWithItsIndex() throws IOException {
        var file = folder.resolve("journal.mv");
        var store = JournalStore.open(file);
        append(store, 1);
        append(store, 2);
        store.commit();
        append(store, 3);
        store.abandon();

        try (var again = JournalStore.open(file)) {
            assertThat(again.applied()).contains(TermIndex.valueOf(1, 2));
            assertThat(again.map(Table.EVENTS)).hasSize(2);
            assertThat(again.map(Table.ORDER)).hasSize(2);
        }
    }

    @Test
    void nothingIsCommittedInTheMiddleOfAnEntry() throws IOException {
        var file = folder.resolve("journal.mv");
        try (var store = JournalStore.open(file)) {
            store.commit();
            long before = Files.size(file);
            // More than MVStore would hold back by itself.
            for (int i = 1; i <= 3000; i++) {
                append(store, i);
            }
            assertThat(Files.size(file)).isEqualTo(before);
            store.abandon();
        }
    }

    @Test
    void eventsAreOnDiskAndNotOnTheHeap() throws IOException {
        try (var store = JournalStore.open(folder.resolve("journal.mv"))) {
            long before = usedHeap();
            int events = 8000; // 80 MB
            for (int i = 1; i <= events; i++) {
                append(store, i);
                if (i % 100 == 0) {
                    store.commit();
                }
            }
            long growth = usedHeap() - before;
            assertThat(growth).isLessThan((long) events * EVENT_BYTES / 3);
            var logic = new JournalLogic(store, List.of("a"));
            var page = new Query.Events("vm|a", 4000, 4001, 10, 1 << 20);
            assertThat(((Reply.Events) logic.query(page)).events()).hasSize(2);
        }
    }

    private static long usedHeap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        var runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    @Test
    void aSnapshotFileHoldsAllOfTheStoreAsItWas() throws IOException {
        var snapshot = folder.resolve("snapshot");
        var copy = folder.resolve("copy.mv");
        try (var store = JournalStore.open(folder.resolve("journal.mv"))) {
            for (int i = 1; i <= 50; i++) {
                append(store, i);
            }
            try (var view = store.view()) {
                for (int i = 51; i <= 500; i++) {
                    append(store, i);
                    store.commit();
                }
                store.compact();
                SnapshotFile.write(view, snapshot);
            }
        }
        SnapshotFile.restore(snapshot, copy);
        try (var restored = JournalStore.open(copy)) {
            assertThat(restored.applied()).contains(TermIndex.valueOf(1, 50));
            assertThat(restored.map(Table.EVENTS)).hasSize(50);
            assertThat(restored.map(Table.REQUESTS)).hasSize(50);
        }
    }
}
