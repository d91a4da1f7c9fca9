package dev.belay.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.cluster.LeaseAuthority.Verdict;
import dev.belay.cluster.NodeDirectory.Node;
import dev.belay.cluster.NodeDirectory.Role;
import dev.belay.decision.Presence.Knock;
import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Lifelines over real sockets on loopback addresses, each standing for a server. */
class LifelineTest {
    private static final ServerName ALPHA = new ServerName("alpha");
    private static final ServerName BRAVO = new ServerName("bravo");
    private static final Incarnation SEVEN = new Incarnation(7);

    record Look(Knock node, Knock replicas) {}

    private final ConcurrentLinkedQueue<Look> looks = new ConcurrentLinkedQueue<>();

    private static Lifeline open(ServerName name, int port) throws IOException {
        return Lifeline.open("127.0.0.1", port, () -> new Lifeline.Here(name, "run", SEVEN, 2500));
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            return socket.getLocalPort();
        }
    }

    private Runnable watch(int clusterPort, int nodePort, int replicaPort) {
        return LifelineWatch.start(
                new Node(ALPHA, Role.SERVER, "127.0.0.1", clusterPort, true, ""),
                new Lifeline.Ports(nodePort, replicaPort),
                (node, replicas) -> looks.add(new Look(node, replicas)));
    }

    private void awaitLook(Look wanted) {
        looks.clear();
        await().atMost(20, TimeUnit.SECONDS).until(() -> looks.contains(wanted));
    }

    private void assertSilent(int clusterPort, int nodePort, int replicaPort) {
        var stop = watch(clusterPort, nodePort, replicaPort);
        try {
            awaitLook(new Look(Knock.SILENT, Knock.SILENT));
            assertThat(looks).containsOnly(new Look(Knock.SILENT, Knock.SILENT));
        } finally {
            stop.run();
        }
    }

    @Test
    void aLiveNodeAnswersAndADeadOneIsRefused() throws IOException {
        int port = freePort();
        int dead = freePort();
        var stop = watch(dead, port, dead);
        try {
            awaitLook(new Look(Knock.REFUSED, Knock.REFUSED));
            try (var _ = open(ALPHA, port)) {
                awaitLook(new Look(Knock.ANSWERED, Knock.SILENT));
            }
        } finally {
            stop.run();
        }
    }

    @Test
    void leashesThatAcceptShowThatReplicasMayLive() throws IOException {
        int dead = freePort();
        try (var leashes = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            var stop = watch(dead, dead, leashes.getLocalPort());
            try {
                awaitLook(new Look(Knock.REFUSED, Knock.ANSWERED));
            } finally {
                stop.run();
            }
        }
    }

    @Test
    void aProcessThatAcceptsByItsKernelButDoesNotAnswerIsSilent() throws IOException {
        try (var hung = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            assertSilent(hung.getLocalPort(), hung.getLocalPort(), freePort());
        }
    }

    @Test
    void aRefusedLifelineBesideALiveClusterPortIsNoDeath() throws IOException {
        int dead = freePort();
        try (var cluster = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            assertSilent(cluster.getLocalPort(), dead, dead);
        }
    }

    @Test
    void anotherNodeAtTheAddressDoesNotCount() throws IOException {
        int port = freePort();
        try (var _ = open(BRAVO, port)) {
            assertSilent(port, port, port);
        }
    }

    @Test
    void garbageIsRefusedAndHoldsUpNobody() throws IOException {
        try (var lifeline = open(ALPHA, 0);
                var garbage = new Socket("127.0.0.1", lifeline.port());
                var asking = new Socket("127.0.0.1", lifeline.port())) {
            garbage.getOutputStream().write("x".repeat(5000).getBytes(Lifeline.ASCII));
            asking.getOutputStream().write("what\nbelay/1 look\n".getBytes(Lifeline.ASCII));
            var in = Lifeline.reader(asking);
            assertThat(Lifeline.readLine(in)).startsWith("belay/1 refused ");
            assertThat(Lifeline.readLine(in)).isEqualTo("belay/1 here alpha run 7 2500");
        }
    }

    private static LeasesByOthers leasesOfAlpha(int port) {
        return new LeasesByOthers(
                new NodeDirectory(
                        ALPHA,
                        List.of(
                                new Node(ALPHA, Role.SERVER, "127.0.0.2", 1, true, ""),
                                new Node(BRAVO, Role.SERVER, "127.0.0.1", 1, true, ""))),
                port);
    }

    private static Verdict verdict(LeasesByOthers leases) throws Exception {
        return leases.renew(ALPHA, SEVEN).toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    @Test
    void anotherNodesJournalRenewsTheLeaseBeforeOurOwnIsUp() throws Exception {
        try (var lifeline = open(BRAVO, 0)) {
            var leases = leasesOfAlpha(lifeline.port());
            assertThat(leases.renew(ALPHA, SEVEN).toCompletableFuture())
                    .as("its journal is not up either")
                    .failsWithin(java.time.Duration.ofSeconds(20));

            lifeline.grantBy((server, incarnation) ->
                    CompletableFuture.completedFuture(
                            server.equals(ALPHA) && incarnation.equals(SEVEN)
                                    ? Verdict.GRANTED
                                    : Verdict.UNKNOWN));
            assertThat(verdict(leases)).isEqualTo(Verdict.GRANTED);

            lifeline.grantBy((_, _) -> CompletableFuture.completedFuture(Verdict.FENCED));
            assertThat(verdict(leases)).isEqualTo(Verdict.FENCED);
        }
    }

    @Test
    void withoutAQuorumNothingIsGranted() throws IOException {
        try (var lifeline = open(BRAVO, 0)) {
            lifeline.grantBy(
                    (_, _) -> CompletableFuture.failedFuture(new IOException("no quorum")));
            assertThat(leasesOfAlpha(lifeline.port()).renew(ALPHA, SEVEN).toCompletableFuture())
                    .failsWithin(java.time.Duration.ofSeconds(20));
        }
    }

    /** The wire to the journal's leader was cut, say, and somebody else hears both. */
    @Test
    void othersAreAskedAgainWhenOurOwnJournalFallsSilent() throws Exception {
        try (var lifeline = open(BRAVO, 0)) {
            lifeline.grantBy((_, _) -> CompletableFuture.completedFuture(Verdict.FENCED));
            var leases = leasesOfAlpha(lifeline.port());
            leases.journalIs((_, _) -> CompletableFuture.completedFuture(Verdict.GRANTED));
            verdict(leases);

            leases.journalIs((_, _) -> new CompletableFuture<>());
            await().atMost(20, TimeUnit.SECONDS)
                    .ignoreExceptions()
                    .until(
                            () ->
                                    leases.renew(ALPHA, SEVEN)
                                            .toCompletableFuture()
                                            .get(1, TimeUnit.SECONDS),
                            Verdict.FENCED::equals);
        }
    }

    @Test
    void onceOurOwnJournalHasAnsweredNobodyElseIsAsked() throws Exception {
        try (var lifeline = open(BRAVO, 0)) {
            lifeline.grantBy((_, _) -> CompletableFuture.completedFuture(Verdict.FENCED));
            var leases = leasesOfAlpha(lifeline.port());
            var own = new CompletableFuture<Verdict>();
            leases.journalIs((_, _) -> own);
            assertThat(verdict(leases)).isEqualTo(Verdict.FENCED);

            own.complete(Verdict.GRANTED);
            assertThat(verdict(leases)).isEqualTo(Verdict.GRANTED);
            lifeline.close();
            assertThat(verdict(leases)).isEqualTo(Verdict.GRANTED);
        }
    }
}
