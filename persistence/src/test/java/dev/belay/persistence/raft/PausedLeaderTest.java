package dev.belay.persistence.raft;

import static dev.belay.persistence.raft.Peers.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.cluster.LeaseAuthority.Verdict;
import dev.belay.model.Incarnation;
import dev.belay.model.JournalGuard;
import dev.belay.model.ServerName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * safety.md 8: a leader that was paused, and replaced meanwhile, still takes itself for the leader
 * when it goes on. It must not renew the lease of a server that was fenced while it slept, not even
 * its own.
 */
class PausedLeaderTest {
    private static final ServerName ALPHA = new ServerName("alpha");
    private static final int ROUNDS = 3;

    /** With a JVM of its own. */
    private static final Duration START = Duration.ofSeconds(90);

    @TempDir Path folder;

    private record Renewal(long asked, Verdict verdict) {}

    private final List<Renewal> renewals = new CopyOnWriteArrayList<>();

    private volatile boolean isUp;

    @Test
    void aLeaderThatSleptThroughItsServersFencingDoesNotRenewItsLease() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            renewals.clear();
            isUp = false;
            try (var peers = plan(round)) {
                var process = ForeignVoter.start(peers.settings("c"), this::hear);
                try {
                    await().atMost(START).until(() -> isUp);
                    peers.start("a");
                    peers.start("b");
                    sleepThroughTheFencing(peers, process);
                } finally {
                    process.destroyForcibly().waitFor();
                }
            }
        }
    }

    /** c is up first and stands for election long before these do: so it leads. */
    private Peers plan(int round) {
        return Peers.planned(
                folder.resolve("round" + round),
                3,
                settings ->
                        settings.withElectionTimeouts(
                                Duration.ofSeconds(3), Duration.ofSeconds(4)));
    }

    private void sleepThroughTheFencing(Peers peers, Process c) throws Exception {
        await().atMost(Peers.LONG).until(() -> leads(peers, "c"));
        append(peers, 1, new JournalGuard.Admits(ALPHA, new Incarnation(1)));
        await().atMost(Peers.LONG).until(() -> grantedSince(System.nanoTime() - 200_000_000L));

        signal(c, "STOP");
        append(peers, 2, new JournalGuard.Fences(ALPHA, new Incarnation(1)));
        long fenced = System.nanoTime();
        signal(c, "CONT");

        await().atMost(Peers.LONG).until(() -> answersSince(fenced) >= 10);
        assertThat(renewals)
                .filteredOn(renewal -> renewal.asked() > fenced)
                .extracting(Renewal::verdict)
                .containsOnly(Verdict.FENCED);
    }

    private boolean grantedSince(long moment) {
        return renewals.stream()
                .anyMatch(r -> r.asked() > moment && r.verdict() == Verdict.GRANTED);
    }

    private long answersSince(long moment) {
        return renewals.stream().filter(renewal -> renewal.asked() > moment).count();
    }

    private static boolean leads(Peers peers, String name) {
        return peers.running().stream()
                .allMatch(peer -> peers.journal(peer).leader().equals(Optional.of(name)));
    }

    private static void append(Peers peers, long sequenceNr, JournalGuard guard) {
        var append =
                new Command.Append(
                        "server|alpha",
                        "w",
                        true,
                        List.of(new StoredEvent(sequenceNr, new byte[1])),
                        List.of(guard));
        assertThat(get(peers.journal("a").append(append))).isEqualTo(new Reply.Done());
    }

    private static void signal(Process process, String signal) throws Exception {
        assertThat(
                        new ProcessBuilder("kill", "-" + signal, String.valueOf(process.pid()))
                                .start()
                                .waitFor())
                .isZero();
    }

    private void hear(String line) {
        if (line.equals(ForeignVoter.UP)) {
            isUp = true;
        } else if (line.matches("\\d+ [A-Z]+")) {
            var words = line.split(" ");
            renewals.add(new Renewal(Long.parseLong(words[0]), Verdict.valueOf(words[1])));
        }
    }
}
