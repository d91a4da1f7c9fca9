package dev.belay.node;

import dev.belay.cluster.ClusterFormation;
import dev.belay.cluster.NodeDirectory;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressFromURIString;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings this node into the cluster: looks for members first, and founds one only with the
 * journal's leave. A node never founds a cluster because it stands first in a list.
 */
final class ClusterJoiner {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterJoiner.class);
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(300);
    private static final Duration FOUNDING = Duration.ofSeconds(1);

    private final ActorSystem<?> system;
    private final NodeDirectory directory;
    private final ClusterFormation formation;
    private final Duration look;
    private final UUID run = UUID.randomUUID();
    private volatile long generation = -1;
    private String refusal = "";

    ClusterJoiner(
            ActorSystem<?> system,
            NodeDirectory directory,
            ClusterFormation formation,
            Duration look) {
        this.system = system;
        this.directory = directory;
        this.formation = formation;
        this.look = look;
    }

    void start() {
        Thread.ofPlatform().name("cluster-joiner").daemon().start(this::join);
    }

    boolean isMember() {
        var status = Cluster.get(system).selfMember().status();
        return status == MemberStatus.up() || status == MemberStatus.weaklyUp();
    }

    private void join() {
        try {
            insist(
                    "say that it booted",
                    () ->
                            formation
                                    .booted(directory.self(), run)
                                    .toCompletableFuture()
                                    .get(5, TimeUnit.SECONDS));
            // Without itself in the list a node never founds a cluster on its own account.
            Cluster.get(system).manager().tell(new JoinSeedNodes(others()));
            long lookUntil = System.nanoTime() + look.toNanos();
            while (!isMember()) {
                // Where every voter booted anew there is nothing to look for.
                askToFound(System.nanoTime() < lookUntil);
                awaitMembership(BETWEEN_TRIES);
            }
            insist(
                    "say that it joined",
                    () ->
                            formation
                                    .joined(directory.self(), run)
                                    .toCompletableFuture()
                                    .get(5, TimeUnit.SECONDS));
            awaitGeneration();
            LOG.info("member of the cluster, generation {}", generation);
            watchGeneration();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitMembership(Duration atMost) throws InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (!isMember() && System.nanoTime() < deadline) {
            Thread.sleep(50);
        }
    }

    private void askToFound(boolean all) throws InterruptedException {
        try {
            var answer =
                    formation
                            .found(directory.self(), run, all)
                            .toCompletableFuture()
                            .get(5, TimeUnit.SECONDS);
            switch (answer) {
                case ClusterFormation.Answer.Granted(var granted) -> {
                    LOG.info(
                            "found no running cluster, and the journal gave leave to found generation {}",
                            granted);
                    generation = granted;
                    Cluster.get(system).manager().tell(new Join(address(directory.selfNode())));
                    awaitMembership(FOUNDING);
                }
                case ClusterFormation.Answer.Refused(var why) -> {
                    // Asked again and again: said once.
                    if (!why.equals(refusal)) {
                        LOG.info("not in a cluster yet, and may not found one: {}", why);
                    }
                    refusal = why;
                }
            }
        } catch (java.util.concurrent.ExecutionException
                | java.util.concurrent.TimeoutException e) {
            LOG.info(
                    "not in a cluster yet, and the journal has no quorum to ask: {}",
                    String.valueOf(e.getMessage()));
        }
    }

    /**
     * Of the cluster that this node is in. Its copy of the journal may begin after it joined, as
     * when the disk had no room for it, and knows of no cluster until then.
     */
    private void awaitGeneration() throws InterruptedException {
        while (formation.newestGeneration() == 0) {
            Thread.sleep(BETWEEN_TRIES);
        }
        generation = Math.max(generation, formation.newestGeneration());
    }

    /**
     * A younger cluster exists: this one was left behind by a majority, so this process ends and
     * joins anew.
     */
    private void watchGeneration() throws InterruptedException {
        while (true) {
            Thread.sleep(1000);
            if (formation.newestGeneration() > generation) {
                LOG.error(
                        "the journal knows cluster generation {}, this node is in generation {}: leaving to join anew",
                        formation.newestGeneration(),
                        generation);
                system.terminate();
                return;
            }
        }
    }

    private interface Step {
        void take() throws Exception;
    }

    private static void insist(String what, Step step) throws InterruptedException {
        while (true) {
            try {
                step.take();
                return;
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                LOG.info(
                        "could not {} in the journal yet: {}",
                        what,
                        String.valueOf(e.getMessage()));
                Thread.sleep(BETWEEN_TRIES);
            }
        }
    }

    private List<Address> others() {
        return directory.nodes().stream()
                .filter(node -> !node.name().equals(directory.self()))
                .map(this::address)
                .toList();
    }

    private Address address(NodeDirectory.Node node) {
        return AddressFromURIString.parse(
                "pekko://%s@%s:%d".formatted(system.name(), node.address(), node.port()));
    }
}
