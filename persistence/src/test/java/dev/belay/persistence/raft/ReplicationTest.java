package dev.belay.persistence.raft;

import static dev.belay.persistence.raft.Peers.event;
import static dev.belay.persistence.raft.Peers.get;
import static dev.belay.persistence.raft.Peers.texts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three voters on their disks: what is acknowledged stays, whoever is lost. */
class ReplicationTest {
    @TempDir Path folder;

    @Test
    void writesGoOnWhenTheLeaderIsLost() {
        try (var peers = Peers.start(folder, 3)) {
            var leader = peers.leader();
            var follower = peers.anyFollower();
            assertThat(get(follower.append(event("vm|a", 1, "one")))).isEqualTo(new Reply.Done());

            peers.stop(leader);

            assertThat(get(follower.append(event("vm|a", 2, "two")))).isEqualTo(new Reply.Done());
            assertThat(texts(follower, "vm|a")).containsExactly("one", "two");
            peers.start(leader);
            await().atMost(Peers.LONG).until(() -> peers.journal(leader).newestOffset() == 2);
            assertThat(peers.fatal).isEmpty();
        }
    }

    /** Whoever says so to an operator must not go by what it knew before. */
    @Test
    void aVoterThatIsLeftAloneKnowsNoLeader() {
        try (var peers = Peers.start(folder, 3)) {
            var left = peers.anyFollower();
            await().atMost(Peers.LONG).until(left::hearsQuorum);
            assertThat(left.isLed()).isTrue();
            peers.names().stream().filter(name -> peers.journal(name) != left).forEach(peers::stop);
            await().atMost(Peers.LONG).until(() -> !left.isLed());
            assertThat(left.hearsQuorum()).isFalse();
        }
    }

    @Test
    void acknowledgedWritesSurviveARestartOfAll() {
        try (var peers = Peers.start(folder, 3)) {
            IntStream.rangeClosed(1, 20)
                    .forEach(i -> get(peers.journal("a").append(event("vm|a", i, "e" + i))));
            peers.stopAll();
            peers.names().forEach(peers::start);

            assertThat(texts(peers.journal("b"), "vm|a")).hasSize(20).endsWith("e20");
            assertThat(get(peers.journal("c").highest("vm|a"))).isEqualTo(20);
        }
    }

    @Test
    void aRepeatedRequestIsStoredOnceAndAnsweredAlike() {
        try (var peers = Peers.start(folder, 3)) {
            var journal = peers.journal("a");
            var id = UUID.randomUUID();
            assertThat(get(journal.tell(id, event("vm|a", 1, "x")))).isEqualTo(new Reply.Done());
            assertThat(get(peers.journal("b").tell(id, event("vm|a", 1, "x"))))
                    .isEqualTo(new Reply.Done());
            assertThat(get(journal.append(event("vm|a", 1, "y")))).isEqualTo(new Reply.Conflict(1));
            assertThat(texts(journal, "vm|a")).containsExactly("x");
        }
    }
}
