package dev.belay.persistence.raft;

import static dev.belay.persistence.raft.Peers.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.belay.cluster.ClusterFormation;
import dev.belay.cluster.LeaseAuthority.Verdict;
import dev.belay.model.Incarnation;
import dev.belay.model.JournalGuard;
import dev.belay.model.ServerName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What needs the quorum's word before there is an actor system. */
class LeaseAndFormationTest {
    private static final ServerName ALPHA = new ServerName("alpha");

    @TempDir Path folder;

    private static void append(RaftJournal journal, long sequenceNr, JournalGuard guard) {
        var append =
                new Command.Append(
                        "server|alpha",
                        "w",
                        true,
                        List.of(new StoredEvent(sequenceNr, new byte[1])),
                        List.of(guard));
        assertThat(get(journal.append(append))).isEqualTo(new Reply.Done());
    }

    /** Counts renewals that were begun after the fence was acknowledged and still granted. */
    private static Callable<Integer> hammer(
            RaftJournal journal, Incarnation incarnation, AtomicBoolean fenced, AtomicInteger ok) {
        return () -> {
            int late = 0;
            int after = 0;
            while (after < 30) {
                boolean begunAfter = fenced.get();
                var verdict = get(journal.renew(ALPHA, incarnation));
                if (verdict == Verdict.GRANTED) {
                    ok.incrementAndGet();
                    late += begunAfter ? 1 : 0;
                }
                after += begunAfter ? 1 : 0;
            }
            return late;
        };
    }

    @Test
    void noRenewalBegunAfterTheFenceIsGranted() throws Exception {
        try (var peers = Peers.start(folder, 3);
                var threads = Executors.newFixedThreadPool(6)) {
            peers.leader();
            assertThat(get(peers.journal("a").renew(ALPHA, new Incarnation(1))))
                    .isEqualTo(Verdict.UNKNOWN);
            for (int round = 1; round <= 5; round++) {
                var incarnation = new Incarnation(round);
                append(
                        peers.journal("b"),
                        2L * round - 1,
                        new JournalGuard.Admits(ALPHA, incarnation));
                var fenced = new AtomicBoolean();
                var granted = new AtomicInteger();
                var work = new ArrayList<Future<Integer>>();
                for (int i = 0; i < 6; i++) {
                    var journal = peers.journal(peers.names().get(i % 3));
                    work.add(threads.submit(hammer(journal, incarnation, fenced, granted)));
                }
                org.awaitility.Awaitility.await()
                        .atMost(Peers.LONG)
                        .until(() -> granted.get() > 10);
                append(peers.journal("c"), 2L * round, new JournalGuard.Fences(ALPHA, incarnation));
                fenced.set(true);
                for (var late : work) {
                    assertThat(late.get()).isZero();
                }
            }
        }
    }

    @Test
    void withoutAQuorumNothingIsGrantedAndAWriteIsUnknown() {
        try (var peers =
                Peers.start(
                        folder,
                        3,
                        settings ->
                                settings.withRequestTimeouts(
                                        Duration.ofMillis(500), Duration.ofSeconds(2)))) {
            peers.leader();
            append(peers.journal("a"), 1, new JournalGuard.Admits(ALPHA, new Incarnation(1)));
            peers.stop("b");
            peers.stop("c");
            var left = peers.journal("a");
            long started = System.nanoTime();
            assertThatThrownBy(() -> get(left.append(Peers.event("vm|a", 1, "x"))))
                    .isInstanceOf(JournalException.OutcomeUnknown.class);
            assertThatThrownBy(() -> get(left.renew(ALPHA, new Incarnation(1))))
                    .isInstanceOf(JournalException.Unavailable.class);
            assertThat(Duration.ofNanos(System.nanoTime() - started))
                    .isLessThan(Duration.ofSeconds(10));
            assertThat(left.quorumSeenWithin(Duration.ofMillis(500))).isFalse();
        }
    }

    @Test
    void ofThreeThatAskSideBySideOneFoundsTheCluster() {
        try (var peers = Peers.start(folder, 3)) {
            var runs = peers.names().stream().map(_ -> UUID.randomUUID()).toList();
            for (int i = 0; i < 3; i++) {
                get(peers.journal("a").booted(server(peers, i), runs.get(i)));
            }
            var answers =
                    Stream.of(0, 1, 2)
                            .map(i ->
                                    peers.journal(peers.names().get(i))
                                            .found(server(peers, i), runs.get(i), false))
                            .toList()
                            .stream()
                            .map(Peers::get)
                            .toList();
            assertThat(answers)
                    .filteredOn(ClusterFormation.Answer.Granted.class::isInstance)
                    .containsExactly(new ClusterFormation.Answer.Granted(1));

            for (int i = 0; i < 3; i++) {
                get(peers.journal("b").joined(server(peers, i), runs.get(i)));
            }
            var again = UUID.randomUUID();
            get(peers.journal("b").booted(server(peers, 1), again));
            assertThat(get(peers.journal("b").found(server(peers, 1), again, false)))
                    .isInstanceOf(ClusterFormation.Answer.Refused.class);

            get(peers.journal("a").booted(server(peers, 0), UUID.randomUUID()));
            assertThat(get(peers.journal("b").found(server(peers, 1), again, false)))
                    .isEqualTo(new ClusterFormation.Answer.Granted(2));
            org.awaitility.Awaitility.await()
                    .atMost(Peers.LONG)
                    .until(() -> peers.journal("c").newestGeneration() == 2);
        }
    }

    private static ServerName server(Peers peers, int i) {
        return new ServerName(peers.names().get(i));
    }
}
