package dev.belay.node;

import dev.belay.clock.BootClock;
import dev.belay.cluster.ClusterModel;
import dev.belay.cluster.LeaseAuthority;
import dev.belay.cluster.LeaseKeeper;
import dev.belay.cluster.LeasesByOthers;
import dev.belay.cluster.Lifeline;
import dev.belay.cluster.NodeDirectory.Role;
import dev.belay.cluster.PairsTogether;
import dev.belay.http.HttpServer;
import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.node.NodeGuardian.ServerParts;
import dev.belay.persistence.raft.JournalExtension;
import dev.belay.persistence.raft.JournalSettings;
import dev.belay.persistence.raft.JournalSetup;
import dev.belay.persistence.raft.RaftJournal;
import dev.belay.qemu.PairSettings;
import dev.belay.qemu.QemuHypervisor;
import dev.belay.qemu.QemuSettings;
import dev.belay.replica.FloorFiles;
import dev.belay.replica.Hypervisor;
import dev.belay.replica.Hypervisor.ReplicaStatus;
import dev.belay.server.IncarnationFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorSystem;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node in this process, from the journal up: first the journal and the lease, which must not
 * wait for anything else, then the hypervisor, the actors, the cluster, the endpoint.
 */
public final class RunningNode {
    private static final Logger LOG = LoggerFactory.getLogger(RunningNode.class);
    private static final int JOURNAL_STOPPED = 3;
    private static final int VOTER_FORGOT = 4;
    private static final int STARTS_ANEW = 5;

    /** The message says what is in the way. */
    public static final class CannotStart extends RuntimeException {
        CannotStart(String message) {
            super(message);
        }

        CannotStart(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Kept: a channel that is garbage is closed, and its lock goes with it. */
    private static final List<FileChannel> LOCKS = new CopyOnWriteArrayList<>();

    private final ActorSystem<?> system;

    private RunningNode(ActorSystem<?> system) {
        this.system = system;
    }

    public static RunningNode start(NodeSettings settings) {
        LOG.info("node {} starts, boot {}", settings.self().name(), settings.bootId());
        ProcessWeight.raise();
        lockData(settings);
        // Before the journal, which takes its time: the leashes of what runs have to be found to be
        // extended, and until the journal is up others renew the lease.
        var leases = new LeasesByOthers(settings.directory(), settings.lifelines().node());
        var server =
                settings.self().role() == Role.SERVER
                        ? Optional.of(startLease(settings, leases, startHypervisor(settings)))
                        : Optional.<ServerParts>empty();
        var lifeline = openLifeline(settings, server.map(ServerParts::lease));
        var journal = startJournal(settings);
        leases.journalIs(journal);
        lifeline.grantBy(journal);
        var node = startActors(settings, journal, server);
        server.ifPresent(parts -> lookForProblems(parts.hypervisor()));
        return node;
    }

    private static Lifeline openLifeline(NodeSettings settings, Optional<LeaseKeeper> lease) {
        var name = settings.self().name();
        var run = Long.toString(ProcessHandle.current().pid());
        int port = settings.lifelines().node();
        try {
            return Lifeline.open(
                    settings.self().address(),
                    port,
                    () ->
                            new Lifeline.Here(
                                    name,
                                    run,
                                    lease.map(LeaseKeeper::held).orElse(Incarnation.NONE),
                                    lease.map(LeaseKeeper::liveMillis).orElse(0L)));
        } catch (IOException e) {
            throw new CannotStart(
                    "Expected to answer on %s:%d (belay.cluster.lifeline-port), but could not: %s"
                            .formatted(settings.self().address(), port, e.getMessage()),
                    e);
        }
    }

    /** Two processes on one data folder would both believe to be this node. */
    private static void lockData(NodeSettings settings) {
        var lock = settings.dataDir().resolve("lock");
        try {
            Files.createDirectories(settings.dataDir());
            var channel =
                    FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (channel.tryLock() == null) {
                throw new CannotStart(
                        "Another process uses the data folder %s; stop it first, or give this node a folder of its own"
                                .formatted(settings.dataDir()));
            }
            LOCKS.add(channel);
        } catch (IOException e) {
            throw new CannotStart(
                    "Expected to use the data folder %s, but cannot: %s"
                            .formatted(settings.dataDir(), e.getMessage()),
                    e);
        }
    }

    private static RaftJournal startJournal(NodeSettings settings) {
        var voters =
                settings.directory().nodes().stream()
                        .filter(node -> node.voter())
                        .collect(
                                Collectors.toMap(
                                        node -> node.name().value(),
                                        node ->
                                                node.address()
                                                        + ":"
                                                        + settings.number("journal.port")));
        var journal =
                JournalSettings.of(
                                settings.self().name().value(),
                                voters,
                                settings.dataDir().resolve("journal"))
                        .withElectionTimeouts(
                                settings.duration("journal.election-timeout-min"),
                                settings.duration("journal.election-timeout-max"));
        try {
            return RaftJournal.start(
                    journal,
                    why -> {
                        LOG.error("the journal's peer had to stop, so this process ends: {}", why);
                        Runtime.getRuntime().halt(JOURNAL_STOPPED);
                    },
                    why -> {
                        LOG.error(why);
                        Runtime.getRuntime().halt(VOTER_FORGOT);
                    });
        } catch (IOException e) {
            throw new CannotStart(
                    "Expected to start the journal on %s:%d, but could not: %s"
                            .formatted(
                                    settings.self().address(),
                                    settings.number("journal.port"),
                                    e.getMessage()),
                    e);
        }
    }

    private record AdoptedHypervisor(
            QemuHypervisor hypervisor, CompletionStage<List<ReplicaStatus>> found) {}

    private static AdoptedHypervisor startHypervisor(NodeSettings settings) {
        var hypervisor =
                new QemuHypervisor(
                        new QemuSettings(
                                QemuSettings.program(
                                        settings.text("qemu.system"), "qemu-system-x86_64"),
                                QemuSettings.program(
                                        settings.text("qemu.storage-daemon"),
                                        "qemu-storage-daemon"),
                                QemuSettings.program(settings.text("qemu.img"), "qemu-img"),
                                QemuSettings.program(settings.text("qemu.leash"), "belay-leash"),
                                settings.text("qemu.accel"),
                                settings.text("qemu.machine"),
                                settings.text("qemu.cpu"),
                                settings.runDir(),
                                settings.dataDir(),
                                settings.self().name().value(),
                                settings.self().address(),
                                settings.lifelines().replicas(),
                                settings.duration("lease.kill-budget"),
                                QemuSettings.DEFAULT_PATIENCE,
                                PairSettings.with(
                                        settings.duration("lockstep.checkpoint-delay"),
                                        settings.checkpointBounds(),
                                        settings.duration("lockstep.latency-budget"),
                                        settings.proofs())));
        return new AdoptedHypervisor(hypervisor, hypervisor.adopt());
    }

    /** Last of all: it runs QEMU to ask for its version, and a lease does not wait for that. */
    private static void lookForProblems(Hypervisor hypervisor) {
        Thread.ofVirtual()
                .name("hypervisor-problems")
                .start(() ->
                        hypervisor
                                .problems()
                                .forEach(problem ->
                                        LOG.warn("this server cannot run VMs: {}", problem)));
    }

    private static ServerParts startLease(
            NodeSettings settings, LeaseAuthority leases, AdoptedHypervisor server) {
        var lease =
                new LeaseKeeper(
                        settings.self().name(),
                        leases,
                        BootClock::nanos,
                        settings.leaseDuration(),
                        settings.duration("lease.renew-interval"),
                        server.hypervisor()::extend);
        var file =
                new IncarnationFile(
                        settings.dataDir().resolve("incarnation"), settings.leaseTerms());
        var floors = new FloorFiles(settings.dataDir().resolve("epochs"));
        // The same boot: replicas of that incarnation may run, so their lease is renewed before
        // anything else happens.
        lease.hold(held(settings, file));
        lease.start();
        return new ServerParts(server.hypervisor(), server.found(), lease, file, floors);
    }

    private static Incarnation held(NodeSettings settings, IncarnationFile file) {
        var held =
                file.read()
                        .map(saved -> saved.usableIn(settings.bootId()))
                        .orElse(Incarnation.NONE);
        var others = file.otherTerms().filter(_ -> !held.equals(Incarnation.NONE));
        if (others.isPresent() && !settings.changesTerms()) {
            throw new CannotStart(
                    "The lease terms of this server have changed, from %s to { %s }, and others would wait too shortly for it. Nothing was started. Give it back the old ones (duration/renew-interval/margin) in belay.lease; to change them in the whole cluster, see docs/configuration.md, Times"
                            .formatted(others.get(), settings.leaseTerms().inWords()));
        }
        // What still runs ends with the lease that it has, unless the journal welcomes it with the
        // new terms before.
        return others.isPresent() ? Incarnation.NONE : held;
    }

    private static RunningNode startActors(
            NodeSettings settings, RaftJournal journal, Optional<ServerParts> server) {
        var wired = new CompletableFuture<Wiring>();
        var feed = new LateFeed();
        var model = new ClusterModel(feed);
        var system =
                ActorSystem.create(
                        NodeGuardian.create(
                                settings,
                                model,
                                new FenceAgentProgram(
                                        settings.config().getConfig("belay.fencing.agents")),
                                server,
                                wired),
                        "belay",
                        ActorSystemSetup.create(
                                BootstrapSetup.create(settings.pekko()),
                                new JournalSetup(journal),
                                new PairsTogether(
                                        settings.directory(), model, journal::hearsQuorum)));
        startAnewWhenDowned(system, settings, server);
        feed.is(JournalExtension.get(system).feed());
        model.start();
        var joiner =
                new ClusterJoiner(
                        system,
                        settings.directory(),
                        journal,
                        settings.duration("cluster.look-before-founding"));
        joiner.start();
        var leading = new LeaderPlacing(settings.directory(), model, journal);
        leading.start();
        system.getWhenTerminated()
                .whenComplete((_, _) -> {
                    leading.close();
                    model.close();
                    server.ifPresent(parts -> parts.lease().close());
                    journal.close();
                });
        serve(
                settings,
                system,
                new ClusterAdmin(
                        system,
                        settings.directory(),
                        model,
                        feed,
                        wired.join(),
                        joiner::isMember,
                        journal,
                        settings.leaseTerms(),
                        server.map(ServerParts::hypervisor)));
        return new RunningNode(system);
    }

    /**
     * A node that is out of the cluster has nothing to hand over. Its process ends at once and its
     * supervisor starts it again: what runs here meanwhile has its lease, and halves of pairs live
     * longer.
     */
    private static void startAnewWhenDowned(
            ActorSystem<?> system, NodeSettings settings, Optional<ServerParts> server) {
        var shutdown = CoordinatedShutdown.get(system);
        shutdown.addTask(
                CoordinatedShutdown.PhaseBeforeServiceUnbind(),
                "start-anew",
                () -> {
                    if (shutdown.getShutdownReason()
                            .filter(CoordinatedShutdown.clusterDowningReason()::equals)
                            .isPresent()) {
                        LOG.warn(
                                "this node is out of the cluster: the others did not hear it, or it heard no majority. This process ends to join anew");
                        server.ifPresent(parts ->
                                parts.hypervisor()
                                        .keepPairs(
                                                parts.lease().held(),
                                                LeaseTerms.KEPT.minus(settings.leaseDuration())));
                        Runtime.getRuntime().halt(STARTS_ANEW);
                    }
                    return CompletableFuture.completedFuture(Done.done());
                });
    }

    private static void serve(NodeSettings settings, ActorSystem<?> system, ClusterAdmin admin) {
        var address = settings.text("http.address");
        int port = settings.number("http.port");
        try {
            HttpServer.start(system, address, port, admin).toCompletableFuture().get();
            LOG.info("admin endpoint on http://{}:{}/api/v1", address, port);
        } catch (ExecutionException e) {
            system.terminate();
            throw new CannotStart(
                    "Expected to serve the admin endpoint on %s:%d, but could not: %s"
                            .formatted(address, port, String.valueOf(e.getCause())),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public void awaitEnd() {
        system.getWhenTerminated().toCompletableFuture().join();
    }
}
