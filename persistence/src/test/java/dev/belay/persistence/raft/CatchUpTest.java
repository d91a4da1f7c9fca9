package dev.belay.persistence.raft;

import static dev.belay.persistence.raft.Peers.event;
import static dev.belay.persistence.raft.Peers.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A voter that was away, or whose store is lost, comes to hold everything again. */
class CatchUpTest {
    private static final int THRESHOLD = 20;

    @TempDir Path folder;

    private Peers start() {
        return Peers.start(folder, 3, settings -> settings.withSnapshotThreshold(THRESHOLD));
    }

    private static void write(RaftJournal journal, long from, long to) {
        LongStream.rangeClosed(from, to)
                .forEach(i ->
                        assertThat(get(journal.append(event("vm|a", i, "e" + i))))
                                .isEqualTo(new Reply.Done()));
    }

    private static void assertHistory(RaftJournal journal, long upTo) {
        await().atMost(Peers.LONG).until(() -> journal.newestOffset() == upTo);
        var entries = get(journal.history(new Query.History(1, 1000, 1 << 27)));
        assertThat(entries)
                .extracting(HistoryEntry::offset)
                .containsExactlyElementsOf(LongStream.rangeClosed(1, upTo).boxed().toList());
    }

    private Path store(String name) {
        return folder.resolve(name).resolve("store").resolve("journal.mv");
    }

    private long snapshots(String name) {
        try (var files = Files.walk(folder.resolve(name).resolve("raft"))) {
            return files.filter(file -> file.toString().matches(".*/snapshot\\.\\d+_\\d+")).count();
        } catch (IOException | java.io.UncheckedIOException e) {
            return 0;
        }
    }

    /** Index of the oldest entry in the voter's Raft log. */
    private long firstLogIndex(String name) throws IOException {
        try (var files = Files.walk(folder.resolve(name).resolve("raft"))) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(file -> file.startsWith("log_"))
                    .map(file -> file.replaceFirst("log_(inprogress_)?", ""))
                    .mapToLong(file -> Long.parseLong(file.replaceFirst("-.*", "")))
                    .min()
                    .orElse(0);
        }
    }

    @Test
    void aVoterThatWasAwayInstallsASnapshotAndItsFeedHasEverything() throws IOException {
        try (var peers = start()) {
            peers.leader();
            write(peers.journal("a"), 1, 5);
            peers.stop("c");
            // Ratis drops its log in files of 8 MiB.
            var big = new byte[250_000];
            for (long i = 6; i <= 50; i++) {
                assertThat(get(peers.journal("a").append(event("vm|a", i, big))))
                        .isEqualTo(new Reply.Done());
            }
            await().atMost(Peers.LONG)
                    .until(() -> {
                        write(peers.journal("a"), high(peers) + 1, high(peers) + 1);
                        return firstLogIndex("a") > 0 && firstLogIndex("b") > 0;
                    });
            long written = high(peers);

            var back = peers.start("c");

            assertHistory(back, written);
            assertThat(firstLogIndex("c")).as("a log that begins after a snapshot").isPositive();
            // And it is a full voter again: it carries a majority with b alone.
            peers.stop("a");
            write(back, written + 1, written + 5);
            assertHistory(back, written + 5);
            assertThat(peers.fatal).isEmpty();
        }
    }

    private static long high(Peers peers) {
        return get(peers.journal("a").highest("vm|a"));
    }

    @Test
    void aDamagedOrMissingStoreIsMadeAnew() throws IOException {
        try (var peers = start()) {
            peers.leader();
            write(peers.journal("a"), 1, 70);
            await().atMost(Peers.LONG)
                    .until(() -> peers.names().stream().allMatch(name -> snapshots(name) > 0));
            peers.stopAll();
            Files.delete(store("a"));
            Files.write(store("b"), new byte[100], StandardOpenOption.TRUNCATE_EXISTING);
            // As if the machine of c had lost its power while the store was open.
            Files.writeString(store("c").resolveSibling("opened-at-boot"), "another boot");
            peers.names().forEach(peers::start);

            for (var name : peers.names()) {
                assertHistory(peers.journal(name), 70);
            }
            assertThat(store("b").resolveSibling("journal.mv.damaged")).exists();
            assertThat(store("c").resolveSibling("journal.mv.damaged")).exists();
            write(peers.journal("a"), 71, 75);
            assertHistory(peers.journal("b"), 75);
            assertThat(peers.fatal).isEmpty();
        }
    }

    @Test
    void aNodeWithoutAVoteReadsAndWritesThroughTheVoters() throws IOException {
        try (var peers = start();
                var outside = RaftJournal.start(peers.settings("outside"), peers.fatal::add)) {
            peers.leader();
            write(outside, 1, 3);
            assertHistory(outside, 3);
            assertThat(outside.leader()).isPresent();
            assertThat(outside.isLeader()).isFalse();
            assertThat(outside.quorumSeenWithin(Peers.LONG)).isTrue();
        }
    }
}
