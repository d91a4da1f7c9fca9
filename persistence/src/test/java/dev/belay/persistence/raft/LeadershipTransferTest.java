package dev.belay.persistence.raft;

import static dev.belay.persistence.raft.Peers.event;
import static dev.belay.persistence.raft.Peers.get;
import static dev.belay.persistence.raft.Peers.texts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The leader hands over while writes go on. */
class LeadershipTransferTest {
    @TempDir Path folder;

    @Test
    void theLeadershipMovesAndNoWriteIsLostOrStoredTwice() {
        try (var peers = Peers.start(folder, 3, LeadershipTransferTest::patient)) {
            var leader = peers.leader();
            var follower = peers.anyFollower();
            assertThat(follower.readyToLead()).as("asked of one that does not lead").isEmpty();
            get(follower.append(event("vm|a", 1, "1")));
            await().atMost(Peers.LONG).until(() -> peers.journal(leader).readyToLead().size() == 2);
            var next =
                    peers.names().stream()
                            .filter(name -> !name.equals(leader))
                            .reduce((_, last) -> last)
                            .orElseThrow();

            var over = new AtomicBoolean();
            var written =
                    CompletableFuture.supplyAsync(() -> {
                        long last = 1;
                        while (!over.get()) {
                            last++;
                            assertThat(get(follower.append(event("vm|a", last, "" + last))))
                                    .isEqualTo(new Reply.Done());
                        }
                        return last;
                    });
            get(peers.journal(leader).leadElsewhere(next, Peers.LONG));
            await().atMost(Peers.LONG).until(() -> peers.leader().equals(next));
            long then = follower.newestOffset();
            await().atMost(Peers.LONG).until(() -> follower.newestOffset() > then + 5);
            over.set(true);
            int last = Math.toIntExact(written.join());

            assertThat(texts(peers.journal(leader), "vm|a")).hasSize(last).doesNotHaveDuplicates();
            assertThat(peers.leader()).isEqualTo(next);
            assertThat(peers.fatal).isEmpty();
        }
    }

    @Test
    void oneThatIsAwayIsNotReadyAndTakesNothingOver() {
        try (var peers = Peers.start(folder, 3, LeadershipTransferTest::patient)) {
            var leader = peers.leader();
            var away =
                    peers.names().stream()
                            .filter(name -> !name.equals(leader))
                            .findFirst()
                            .orElseThrow();
            peers.stop(away);

            await().atMost(Peers.LONG)
                    .until(() -> !peers.journal(leader).readyToLead().contains(away));
            assertThatThrownBy(() -> get(peers.journal(leader).leadElsewhere(away)));
            assertThat(get(peers.journal(leader).append(event("vm|a", 1, "one"))))
                    .isEqualTo(new Reply.Done());
        }
    }

    /** As Ratis does after some hand-overs that failed: only an election ends it. */
    @Test
    void aLeaderThatGoesOnRefusingWritesAfterAHandOverStepsDown() {
        try (var peers = Peers.start(folder, 3, LeadershipTransferTest::patient)) {
            var leader = peers.leader();
            get(peers.journal(leader).append(event("vm|a", 1, "one")));
            var away =
                    peers.names().stream()
                            .filter(name -> !name.equals(leader))
                            .findFirst()
                            .orElseThrow();
            var there =
                    peers.names().stream()
                            .filter(name -> !name.equals(leader) && !name.equals(away))
                            .findFirst()
                            .orElseThrow();
            peers.stop(away);
            var handOver = peers.journal(leader).leadElsewhere(away, Duration.ofMinutes(5));

            assertThatThrownBy(() -> get(peers.journal(leader).leadElsewhere(there)));
            assertThat(get(peers.journal(leader).append(event("vm|a", 2, "two"))))
                    .isEqualTo(new Reply.Done());
            assertThatThrownBy(() -> get(handOver));
        }
    }

    /** No election but those that are meant, on a busy build machine, too. */
    private static JournalSettings patient(JournalSettings settings) {
        return settings.withElectionTimeouts(Duration.ofSeconds(1), Duration.ofSeconds(2));
    }
}
