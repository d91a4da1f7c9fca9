package dev.belay.node;

import dev.belay.cluster.ClusterModel;
import dev.belay.cluster.NodeDirectory;
import dev.belay.cluster.NodeDirectory.Role;
import dev.belay.decision.ClusterView;
import dev.belay.decision.Leadership;
import dev.belay.model.ServerName;
import dev.belay.persistence.raft.RaftJournal;
import java.time.Duration;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * While this node leads the journal, looks every second whether another one should, and hands over
 * to it. What it goes by is this node's view, and nothing but the time of a failover depends on it.
 */
final class LeaderPlacing implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderPlacing.class);
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private final NodeDirectory directory;
    private final ClusterModel model;
    private final RaftJournal journal;
    private final Thread thread;

    // Of the thread only.
    private Leadership leadership = Leadership.NEW;
    private boolean failedBefore;

    LeaderPlacing(NodeDirectory directory, ClusterModel model, RaftJournal journal) {
        this.directory = directory;
        this.model = model;
        this.journal = journal;
        this.thread = Thread.ofVirtual().name("leader-placing").unstarted(this::run);
    }

    void start() {
        if (directory.selfNode().voter()) {
            thread.start();
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(INTERVAL);
                lookSafely();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What fails, as Ratis may while it opens or closes, is tried again at the next look. */
    private void lookSafely() {
        try {
            look();
            failedBefore = false;
        } catch (RuntimeException e) {
            if (!failedBefore) {
                LOG.warn("can not see who should lead the journal, and looks again", e);
            }
            failedBefore = true;
        }
    }

    private void look() {
        if (!journal.isLeader()) {
            leadership = leadership.notLeading();
            return;
        }
        var ready = journal.readyToLead();
        var view = model.view();
        var voters =
                directory.nodes().stream()
                        .filter(NodeDirectory.Node::voter)
                        .map(node -> voter(node, ready, view))
                        .toList();
        var look = leadership.look(directory.self(), voters);
        leadership = look.next();
        look.handTo().ifPresent(this::handOver);
    }

    private Leadership.Voter voter(NodeDirectory.Node node, Set<String> ready, ClusterView view) {
        return new Leadership.Voter(
                node.name(),
                node.role() == Role.WITNESS,
                ready.contains(node.name().value()) && model.isReachable(node.name()),
                Leadership.burden(node.name(), model.vms().values(), view.isEmptied(node.name())));
    }

    private void handOver(ServerName to) {
        LOG.info(
                "the journal's leadership goes to {}: VMs at level SYSTEM are better covered when none of their servers leads",
                to);
        var _ =
                journal.leadElsewhere(to.value())
                        .whenComplete((_, failure) -> {
                            if (failure != null) {
                                LOG.warn(
                                        "{} did not take over the journal's leadership: {}",
                                        to,
                                        failure.toString());
                            }
                        });
    }
}
