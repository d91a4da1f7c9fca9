package dev.belay.persistence.raft;

import static dev.belay.persistence.raft.Peers.event;
import static dev.belay.persistence.raft.Peers.get;
import static dev.belay.persistence.raft.Peers.texts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.belay.persistence.raft.VoterRegister.Part;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node that starts with an empty data folder under an old name. */
class WipedVoterTest {
    @TempDir Path folder;

    @Test
    void itDoesNotVoteAndTheOthersGoOn() throws IOException {
        try (var peers = Peers.start(folder, 3)) {
            awaitAllTakePart(peers);
            write(peers.journal("a"), 1);
            wipe(peers, "b");

            peers.start("b");

            await().atMost(Peers.LONG).until(() -> !peers.forgotten.isEmpty());
            assertThat(peers.forgotten.getFirst())
                    .contains("voter b", peers.folder("b").toString())
                    .contains("belay server readmit b");
            write(peers.journal("a"), 2);
            assertThat(texts(peers.journal("c"), "vm|a")).containsExactly("e1", "e2");
            assertThat(peers.folder("b").resolve("raft").resolve(RatisConfig.GROUP.getUuid() + ""))
                    .doesNotExist();
            assertThat(peers.fatal).isEmpty();
        }
    }

    /** What the guard is there for: c lacks an entry that a and b acknowledged. */
    @Test
    void withItsVoteNobodyIsElectedWhoLacksWhatItAcknowledged() throws IOException {
        try (var peers = Peers.start(folder, 3)) {
            awaitAllTakePart(peers);
            peers.stop("c");
            write(peers.journal("a"), 1);
            peers.stop("a");
            wipe(peers, "b");
            peers.start("b");
            peers.start("c");

            await().atMost(Peers.LONG).until(() -> !peers.forgotten.isEmpty());
            assertThat(peers.journal("c").isLeader()).isFalse();
            peers.start("a");

            assertThat(texts(peers.journal("a"), "vm|a")).containsExactly("e1");
            assertThat(texts(peers.journal("c"), "vm|a")).containsExactly("e1");
        }
    }

    /** As above, after a power cut: the others' copies are made anew out of their logs. */
    @Test
    void theOthersDoNotSayItIsNewBeforeTheyReadTheirLogs() throws IOException {
        try (var peers = Peers.start(folder, 3)) {
            awaitAllTakePart(peers);
            peers.stop("c");
            write(peers.journal("a"), 1);
            peers.stopAll();
            wipe(peers, "b");
            delete(peers.folder("a").resolve("store"));
            delete(peers.folder("c").resolve("store"));

            peers.names().reversed().forEach(peers::start);

            await().atMost(Peers.LONG).until(() -> !peers.forgotten.isEmpty());
            assertThat(texts(peers.journal("a"), "vm|a")).containsExactly("e1");
            assertThat(peers.folder("b").resolve("raft").resolve(RatisConfig.GROUP.getUuid() + ""))
                    .doesNotExist();
            assertThat(peers.fatal).isEmpty();
        }
    }

    @Test
    void allComeBackAfterAPowerCut() throws IOException {
        try (var peers = Peers.start(folder, 3)) {
            awaitAllTakePart(peers);
            write(peers.journal("a"), 1);
            peers.stopAll();
            for (var name : peers.names()) {
                delete(peers.folder(name).resolve("store"));
            }

            peers.names().forEach(peers::start);

            write(peers.journal("b"), 2);
            assertThat(texts(peers.journal("c"), "vm|a")).containsExactly("e1", "e2");
            assertThat(peers.forgotten).isEmpty();
        }
    }

    @Test
    void anOperatorLetsItBeginAnewAndItCarriesAMajorityAgain() throws IOException {
        try (var peers = Peers.start(folder, 3)) {
            awaitAllTakePart(peers);
            for (int i = 1; i <= 30; i++) {
                write(peers.journal("a"), i);
            }
            wipe(peers, "b");
            get(peers.journal("c").readmit("b"));
            write(peers.journal("a"), 31);

            var back = peers.start("b");

            await().atMost(Peers.LONG).until(() -> back.newestOffset() == 31);
            await().atMost(Peers.LONG)
                    .until(() -> !Files.exists(peers.folder("b").resolve("begins-anew")));
            peers.stop("a");
            write(back, 32);
            assertThat(texts(back, "vm|a")).hasSize(32).endsWith("e31", "e32");

            // And it is guarded as before.
            peers.start("a");
            wipe(peers, "b");
            peers.start("b");
            await().atMost(Peers.LONG).until(() -> !peers.forgotten.isEmpty());
            assertThat(peers.fatal).isEmpty();
        }
    }

    @Test
    void oneThatIsInterruptedWhileItBeginsAnewStillHasNoVote() throws IOException {
        try (var peers = Peers.start(folder, 3)) {
            awaitAllTakePart(peers);
            write(peers.journal("a"), 1);
            wipe(peers, "b");
            get(peers.journal("a").readmit("b"));
            peers.stop("a");
            // c knows that it may, but is no majority of those that count, and b makes none.
            peers.start("b");
            assertThatThrownBy(() -> write(peers.journal("c"), 2))
                    .isInstanceOf(JournalException.OutcomeUnknown.class);
            peers.stop("b");
            peers.start("b");
            assertThat(peers.journal("c").isLeader()).isFalse();
            assertThat(peers.journal("b").isLeader()).isFalse();

            peers.start("a");

            await().atMost(Peers.LONG).until(() -> !texts(peers.journal("a"), "vm|a").isEmpty());
            await().atMost(Peers.LONG).until(() -> peers.journal("b").newestOffset() >= 1);
            assertThat(peers.forgotten).isEmpty();
        }
    }

    @Test
    void whoLostNothingIsNotReadmitted() {
        try (var peers = Peers.start(folder, 3)) {
            awaitAllTakePart(peers);
            assertThatThrownBy(() -> get(peers.journal("a").readmit("b")))
                    .isInstanceOf(JournalException.Refused.class)
                    .hasMessageContaining("lost nothing");
            assertThatThrownBy(() -> get(peers.journal("a").readmit("nobody")))
                    .isInstanceOf(JournalException.Refused.class);
            write(peers.journal("b"), 1);
        }
    }

    /**
     * The journal says they are lost, the disk says they are not: then they come back as before.
     */
    @Test
    void oneThatWasReadmittedButHasItsDataTakesPartAgain() throws IOException {
        try (var peers = Peers.start(folder, 3)) {
            awaitAllTakePart(peers);
            write(peers.journal("a"), 1);
            peers.stop("b");
            get(peers.journal("a").readmit("b"));
            assertThat(peers.journal("a").counted()).containsExactlyInAnyOrder("a", "c");

            var back = peers.start("b");

            await().atMost(Peers.LONG).until(() -> peers.journal("a").counted().contains("b"));
            assertThat(standing(peers.journal("a"), "b")).isEqualTo(Part.TAKEN);
            peers.stop("c");
            write(back, 2);
            assertThat(texts(back, "vm|a")).containsExactly("e1", "e2");
        }
    }

    @Test
    void aClusterIsFoundedByTwoOfThreeAndTheThirdComesLater() {
        try (var peers = Peers.planned(folder, 3, settings -> settings)) {
            peers.start("a");
            peers.start("b");
            write(peers.journal("a"), 1);

            var third = peers.start("c");

            await().atMost(Peers.LONG).until(() -> third.newestOffset() == 1);
            assertThat(peers.forgotten).isEmpty();
            assertThat(peers.fatal).isEmpty();
        }
    }

    @Test
    void aStartThatEndedBeforeThereWasALogIsAFirstStartYet() throws IOException {
        try (var peers = Peers.planned(folder, 3, settings -> settings)) {
            Files.createDirectories(
                    peers.folder("c")
                            .resolve("raft")
                            .resolve(RatisConfig.GROUP.getUuid().toString())
                            .resolve("current"));
            peers.names().forEach(peers::start);
            write(peers.journal("a"), 1);
            await().atMost(Peers.LONG).until(() -> peers.journal("c").newestOffset() == 1);
            assertThat(peers.fatal).isEmpty();
        }
    }

    private static void write(RaftJournal journal, long number) {
        assertThat(get(journal.append(event("vm|a", number, "e" + number))))
                .isEqualTo(new Reply.Done());
    }

    private static void awaitAllTakePart(Peers peers) {
        await().atMost(Peers.LONG)
                .ignoreExceptions()
                .until(() ->
                        peers.names().stream()
                                .allMatch(name ->
                                        peers.names().stream()
                                                .allMatch(other ->
                                                        standing(peers.journal(other), name)
                                                                == Part.TAKEN)));
    }

    private static Part standing(RaftJournal journal, String voter) {
        return journal.standing(voter).part();
    }

    private static void wipe(Peers peers, String name) throws IOException {
        peers.stop(name);
        delete(peers.folder(name));
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            List<Path> all = files.sorted(Comparator.reverseOrder()).toList();
            for (var file : all) {
                Files.delete(file);
            }
        }
    }
}
