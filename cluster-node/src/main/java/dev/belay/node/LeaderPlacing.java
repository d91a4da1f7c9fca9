package dev.belay.node;

import dev.belay.cluster.ClusterModel;
import dev.belay.cluster.NodeDirectory;
import dev.belay.cluster.NodeDirectory.Role;
import dev.belay.decision.Leadership;
import dev.belay.decision.ServerState;
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
        var leadership = Leadership.NEW;
        try {
            while (true) {
                Thread.sleep(INTERVAL);
                leadership = journal.isLeader() ? look(leadership) : leadership.notLeading();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Leadership look(Leadership before) {
        var ready = journal.readyToLead();
        var voters =
                directory.nodes().stream()
                        .filter(NodeDirectory.Node::voter)
                        .map(node -> voter(node, ready))
                        .toList();
        var look = before.look(directory.self(), voters);
        look.handTo().ifPresent(this::handOver);
        return look.next();
    }

    private Leadership.Voter voter(NodeDirectory.Node node, Set<String> ready) {
        boolean isEmptied =
                model.server(node.name())
                        .filter(state ->
                                state instanceof ServerState.Known known
                                        && known.maintenance().isPresent())
                        .isPresent();
        return new Leadership.Voter(
                node.name(),
                node.role() == Role.WITNESS,
                ready.contains(node.name().value()) && model.isReachable(node.name()),
                Leadership.burden(node.name(), model.vms().values(), isEmptied));
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
                                        "{} did not take over the journal's leadership, so this node goes on with it: {}",
                                        to,
                                        failure.toString());
                            }
                        });
    }
}
