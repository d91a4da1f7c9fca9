package dev.belay.persistence.raft;

import static dev.belay.persistence.raft.Peers.event;
import static dev.belay.persistence.raft.Peers.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Voters whose disks are full. Needs root, for small disks in memory. */
@Tag("lab")
class FullDiskTest {
    /** With a JVM's start on a busy machine. */
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private static final int DISK = 48 << 20;

    /** A few writes fit yet. */
    private static final int LEFT = 3 << 20;

    private static final byte[] LARGE = new byte[200_000];

    @TempDir Path folder;

    private final List<Path> disks = new ArrayList<>();
    private final Map<String, Process> processes = new TreeMap<>();

    /** What each foreign voter said last, by its first word. */
    private final Map<String, Map<String, String>> said = new ConcurrentHashMap<>();

    @Test
    void oneOfThreeSaysSoAndEndsAndTheOthersGoOn() throws Exception {
        try (var peers = peers()) {
            peers.start("a");
            peers.start("b");
            mount(peers, "c");
            start(peers, "c");
            goOn(peers.journal("a"));
            awaitCopy(peers, "c");

            fill(peers, "c");
            awaitEnd("c", () -> goOn(peers.journal("a")));

            goOn(peers.journal("b"));
            start(peers, "c");
            await().atMost(PATIENCE).until(() -> heard("c", "obstacle").contains("is full"));
            goOn(peers.journal("a"));
            assertThat(heard("c", "copy")).startsWith("0 ");

            makeRoom(peers, "c");
            awaitCopy(peers, "c");
            assertThat(peers.fatal).isEmpty();
        }
    }

    @Test
    void twoOfThreeLoseNothingThatWasAcknowledgedAndGoOnWhenThereIsRoom() throws Exception {
        try (var peers = peers()) {
            peers.start("a");
            for (var name : List.of("b", "c")) {
                mount(peers, name);
                start(peers, name);
            }
            goOn(peers.journal("a"));
            awaitCopy(peers, "b");
            awaitCopy(peers, "c");

            fill(peers, "b");
            fill(peers, "c");
            var acknowledged = new ArrayList<Long>();
            for (var name : List.of("b", "c")) {
                awaitEnd(name, () -> tryToWrite(peers.journal("a"), acknowledged));
            }
            assertThatThrownBy(() -> get(peers.journal("a").append(event("vm|b", 1, LARGE))))
                    .isInstanceOf(JournalException.OutcomeUnknown.class)
                    .hasMessageContaining("No quorum answered");
            for (var name : List.of("b", "c")) {
                start(peers, name);
                await().atMost(PATIENCE).until(() -> heard(name, "obstacle").contains("is full"));
            }
            assertThatThrownBy(() -> get(peers.journal("a").highest("vm|a")))
                    .isInstanceOf(JournalException.Unavailable.class);

            makeRoom(peers, "b");
            makeRoom(peers, "c");

            await().atMost(PATIENCE)
                    .ignoreExceptions()
                    .until(() -> get(peers.journal("a").highest("vm|a")) > 0);
            assertThat(numbers(peers.journal("a"))).containsAll(acknowledged);
            goOn(peers.journal("a"));
            awaitCopy(peers, "b");
            awaitCopy(peers, "c");
            assertThat(peers.fatal).isEmpty();
        }
    }

    private Peers peers() {
        return Peers.planned(
                folder,
                3,
                settings ->
                        settings.withRequestTimeouts(
                                Duration.ofSeconds(1), Duration.ofSeconds(10)));
    }

    /** One event more; its sequence number. */
    private static long write(RaftJournal journal) {
        long next = get(journal.highest("vm|a")) + 1;
        assertThat(get(journal.append(event("vm|a", next, LARGE)))).isEqualTo(new Reply.Done());
        return next;
    }

    /** A busy machine may need more than one request takes to find a leader. */
    private static void goOn(RaftJournal journal) {
        await().atMost(PATIENCE).ignoreExceptions().until(() -> write(journal) > 0);
    }

    private static void tryToWrite(RaftJournal journal, List<Long> acknowledged) {
        try {
            acknowledged.add(write(journal));
        } catch (JournalException _) {
            // Not acknowledged: whether it is stored does not count.
        }
    }

    private static List<Long> numbers(RaftJournal journal) {
        return get(journal.events(new Query.Events("vm|a", 1, Long.MAX_VALUE, 100_000, 1 << 28)))
                .stream()
                .map(StoredEvent::sequenceNr)
                .toList();
    }

    private void awaitEnd(String name, Runnable meanwhile) {
        var process = Objects.requireNonNull(processes.get(name));
        await().atMost(PATIENCE)
                .until(() -> {
                    meanwhile.run();
                    return !process.isAlive();
                });
        assertThat(heard(name, "fatal")).startsWith("The disk with the journal's folder ");
        assertThat(process.exitValue()).isEqualTo(3);
    }

    private void awaitCopy(Peers peers, String name) {
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(heard(name, "copy"))
                                .startsWith(peers.journal("a").newestOffset() + " "));
    }

    private String heard(String name, String about) {
        return said.getOrDefault(name, Map.of()).getOrDefault(about, "");
    }

    private void start(Peers peers, String name) throws IOException {
        var lines = new ConcurrentHashMap<String, String>();
        said.put(name, lines);
        processes.put(
                name,
                ForeignVoter.start(
                        peers.settings(name),
                        line -> {
                            var words = line.split(" ", 2);
                            lines.put(words[0], words.length > 1 ? words[1] : "");
                        }));
    }

    private void mount(Peers peers, String name) throws Exception {
        var disk = Files.createDirectories(peers.folder(name));
        run("mount", "-t", "tmpfs", "-o", "size=" + DISK, "belay-test", disk.toString());
        disks.add(disk);
    }

    private static void fill(Peers peers, String name) throws IOException {
        var disk = peers.folder(name);
        long free = Files.getFileStore(disk).getUsableSpace();
        Files.write(disk.resolve("ballast"), new byte[(int) (free - LEFT)]);
    }

    private static void makeRoom(Peers peers, String name) throws IOException {
        Files.delete(peers.folder(name).resolve("ballast"));
    }

    @AfterEach
    void cleanUp() throws Exception {
        for (var process : processes.values()) {
            process.destroyForcibly().waitFor();
        }
        for (var disk : disks) {
            run("umount", disk.toString());
        }
    }

    private static void run(String... words) throws Exception {
        var process =
                new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        assertThat(process.waitFor()).as(String.join(" ", words)).isZero();
    }
}
