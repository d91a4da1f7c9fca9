package dev.belay.cluster;

import static dev.belay.cluster.Lifeline.ASCII;
import static dev.belay.cluster.Lifeline.VERSION;

import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Renews the lease of a node whose own journal does not answer: other voters ask theirs, over their
 * {@link Lifeline}. So it is when the node has just started, and its leashes run out while its
 * journal comes up; and when only the wire to the journal's leader is cut. Then both ways are
 * taken, and the first verdict counts; as long as this node's journal answers, that is asked alone.
 * Every verdict is the quorum's, by a read begun after the request (safety.md 8).
 */
public final class LeasesByOthers implements LeaseAuthority {
    private static final int CONNECT_MILLIS = 500;
    private static final int ANSWER_MILLIS = 2500;

    /** Longer than an election takes, and short enough for a lease. */
    private static final Duration SILENT = Duration.ofSeconds(1);

    private final List<NodeDirectory.Node> others;
    private final int port;
    private final AtomicLong ids = new AtomicLong();
    private volatile @Nullable LeaseAuthority journal;

    /** On this machine's clock that never jumps; until the journal answers again. */
    private volatile long silentFrom = System.nanoTime();

    /**
     * @param port of their lifelines
     */
    public LeasesByOthers(NodeDirectory directory, int port) {
        this.others =
                directory.nodes().stream()
                        .filter(node -> node.voter() && !node.name().equals(directory.self()))
                        .toList();
        this.port = port;
    }

    /** This node's own journal, which may have no quorum yet. */
    public void journalIs(LeaseAuthority own) {
        journal = own;
    }

    @Override
    public CompletionStage<Verdict> renew(ServerName server, Incarnation incarnation) {
        var asked = new ArrayList<CompletionStage<Verdict>>();
        var own = journal;
        if (own != null) {
            asked.add(own.renew(server, incarnation).thenApply(this::journalAnswered));
        }
        if (System.nanoTime() - silentFrom >= 0) {
            for (var other : others) {
                asked.add(ask(other, server, incarnation));
            }
        }
        return firstOf(asked);
    }

    private Verdict journalAnswered(Verdict verdict) {
        silentFrom = System.nanoTime() + SILENT.toNanos();
        return verdict;
    }

    private CompletionStage<Verdict> ask(
            NodeDirectory.Node other, ServerName server, Incarnation incarnation) {
        var verdict = new CompletableFuture<Verdict>();
        Lifeline.thread(
                "renew-at-" + other.name(),
                () -> {
                    try {
                        verdict.complete(askNow(other, server, incarnation));
                    } catch (IOException | RuntimeException e) {
                        verdict.completeExceptionally(e);
                    }
                });
        return verdict;
    }

    private Verdict askNow(NodeDirectory.Node other, ServerName server, Incarnation incarnation)
            throws IOException {
        try (var connection = new Socket()) {
            connection.connect(new InetSocketAddress(other.address(), port), CONNECT_MILLIS);
            connection.setTcpNoDelay(true);
            connection.setSoTimeout(ANSWER_MILLIS);
            long id = ids.incrementAndGet();
            connection
                    .getOutputStream()
                    .write(
                            "%s renew %d %s %d\n"
                                    .formatted(VERSION, id, server, incarnation.value())
                                    .getBytes(ASCII));
            var line = String.valueOf(Lifeline.readLine(Lifeline.reader(connection)));
            var granted = "%s lease %d ".formatted(VERSION, id);
            if (!line.startsWith(granted)) {
                throw new IOException(other.name() + " answers: " + line);
            }
            return Verdict.valueOf(line.substring(granted.length()));
        }
    }

    /** Fails when all have failed. */
    private static CompletionStage<Verdict> firstOf(List<CompletionStage<Verdict>> asked) {
        var first = new CompletableFuture<Verdict>();
        if (asked.isEmpty()) {
            first.completeExceptionally(new IOException("there is nobody to ask yet"));
        }
        var left = new AtomicInteger(asked.size());
        for (var one : asked) {
            one.whenComplete((verdict, failure) -> {
                if (verdict != null) {
                    first.complete(verdict);
                } else if (left.decrementAndGet() == 0) {
                    first.completeExceptionally(
                            failure != null ? failure : new IOException("no verdict"));
                }
            });
        }
        return first;
    }
}
