package dev.belay.cluster;

import dev.belay.decision.Evidence;
import dev.belay.decision.ServerState;
import dev.belay.model.ServerName;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;

/**
 * Turns what this node sees of the cluster into facts about servers, for the server entities that
 * run on this node: only their own eyes count, so that a hint that was held up on its way never
 * fences anybody. One per node; nothing survives a crash, everything is seen again.
 */
public final class Membership extends AbstractBehavior<Membership.Message> {
    public sealed interface Message {}

    /** Tell {@code listener} about this server as long as it does not answer, again and again. */
    public record Watch(ServerName server, ActorRef<Lost> listener) implements Message {}

    record Look() implements Message {}

    record Probed(ServerName server, ReachabilityProbe.Finding finding) implements Message {}

    /**
     * @param vanished how many servers vanished at about the same time and are still away, this one
     *     among them
     * @param before how many there were before: these and those that answer
     */
    public record Lost(ServerName server, List<Evidence> evidence, int vanished, int before) {}

    /**
     * @param confirmSilent how long a server that does not answer at all must stay unreachable
     * @param confirmRefused the same where a refused connection proves only that the node's process
     *     is dead: a supervisor may bring it back while its VMs run on
     * @param absent how long a server may stay out of the cluster after this node has joined
     * @param together servers that vanish within this time of each other have vanished at once
     */
    public record Settings(
            Duration confirmSilent, Duration confirmRefused, Duration absent, Duration together) {}

    private static final Duration LOOK = Duration.ofMillis(100);

    private final NodeDirectory directory;
    private final Settings settings;
    private final ClusterModel model;
    private final ReachabilityProbe probe;
    private final Cluster cluster;
    private final Map<ServerName, ActorRef<Lost>> listeners = new HashMap<>();
    private final Map<ServerName, Absence> absences = new HashMap<>();
    private final Set<ServerName> seenUp = new HashSet<>();
    private Optional<Instant> joinedAt = Optional.empty();

    /**
     * @param since monotonic nanoseconds and wall time of the first look that missed it
     */
    private record Absence(
            long since, Instant at, String how, Optional<ReachabilityProbe.Finding> finding) {}

    public static Behavior<Message> create(
            NodeDirectory directory,
            Settings settings,
            ClusterModel model,
            ReachabilityProbe probe) {
        return Behaviors.setup(context ->
                Behaviors.withTimers(timers ->
                        new Membership(context, timers, directory, settings, model, probe)));
    }

    private Membership(
            ActorContext<Message> context,
            TimerScheduler<Message> timers,
            NodeDirectory directory,
            Settings settings,
            ClusterModel model,
            ReachabilityProbe probe) {
        super(context);
        context.setLoggerName(Membership.class);
        this.directory = directory;
        this.settings = settings;
        this.model = model;
        this.probe = probe;
        this.cluster = Cluster.get(context.getSystem());
        timers.startTimerWithFixedDelay(new Look(), LOOK);
    }

    @Override
    public Receive<Message> createReceive() {
        return newReceiveBuilder().onAnyMessage(this::onMessage).build();
    }

    private Behavior<Message> onMessage(Message message) {
        switch (message) {
            case Watch(var server, var listener) -> listeners.put(server, listener);
            case Look() -> look();
            case Probed(var server, var finding) ->
                    absences.computeIfPresent(
                            server,
                            (_, gone) ->
                                    new Absence(
                                            gone.since(),
                                            gone.at(),
                                            gone.how(),
                                            Optional.of(finding)));
        }
        return this;
    }

    private void look() {
        if (cluster.selfMember().status() != MemberStatus.up()) {
            return;
        }
        if (joinedAt.isEmpty()) {
            joinedAt = Optional.of(Instant.now());
        }
        var present = new HashSet<ServerName>();
        var unreachable = new HashSet<ServerName>();
        for (var member : cluster.state().getMembers()) {
            if (member.status() == MemberStatus.up()
                    || member.status() == MemberStatus.weaklyUp()) {
                name(member).ifPresent(present::add);
            }
        }
        for (var member : cluster.state().getUnreachable()) {
            name(member).ifPresent(unreachable::add);
        }
        present.removeAll(unreachable);
        seenUp.addAll(present);
        model.reachable(present);
        for (var server : directory.servers()) {
            track(server, present.contains(server.name()), unreachable.contains(server.name()));
        }
        report();
    }

    private void track(NodeDirectory.Node server, boolean present, boolean unreachable) {
        if (present) {
            absences.remove(server.name());
            return;
        }
        var absence =
                absences.computeIfAbsent(
                        server.name(),
                        _ ->
                                new Absence(
                                        System.nanoTime(),
                                        Instant.now(),
                                        unreachable
                                                ? "no heartbeats from " + server.name()
                                                : server.name() + " is not in the cluster",
                                        Optional.empty()));
        if (absence.finding().isEmpty()) {
            getContext()
                    .pipeToSelf(
                            probe.probe(server.address(), server.port()),
                            (finding, _) ->
                                    new Probed(
                                            server.name(),
                                            finding == null
                                                    ? ReachabilityProbe.Finding.SILENT
                                                    : finding));
        }
    }

    private void report() {
        var lost = absences.keySet().stream().filter(this::isLost).toList();
        for (var server : lost) {
            var listener = listeners.get(server);
            if (listener != null) {
                int vanished = vanishedWith(server);
                listener.tell(
                        new Lost(
                                server,
                                evidence(absences.get(server)),
                                vanished,
                                vanished + answering()));
            }
        }
    }

    /** Those that went long before, or never were there, say nothing about our own eyes. */
    private int vanishedWith(ServerName server) {
        long since = java.util.Objects.requireNonNull(absences.get(server)).since();
        return (int)
                absences.entrySet().stream()
                        .filter(other -> isAdmitted(other.getKey()))
                        .filter(other ->
                                Duration.ofNanos(Math.abs(other.getValue().since() - since))
                                                .compareTo(settings.together())
                                        <= 0)
                        .count();
    }

    private int answering() {
        return (int)
                directory.servers().stream()
                        .filter(server -> !absences.containsKey(server.name()))
                        .count();
    }

    private boolean isAdmitted(ServerName server) {
        return model.server(server).filter(ServerState.Known.class::isInstance).isPresent();
    }

    private boolean isLost(ServerName server) {
        var absence = java.util.Objects.requireNonNull(absences.get(server));
        var gone = Duration.ofNanos(System.nanoTime() - absence.since());
        if (!seenUp.contains(server)) {
            return gone.compareTo(settings.absent()) > 0;
        }
        return absence.finding()
                .map(finding ->
                        gone.compareTo(
                                        finding == ReachabilityProbe.Finding.REFUSED
                                                ? settings.confirmRefused()
                                                : settings.confirmSilent())
                                > 0)
                .orElse(false);
    }

    private List<Evidence> evidence(@org.jspecify.annotations.Nullable Absence absence) {
        if (absence == null) {
            return List.of();
        }
        var here = directory.self().value();
        var evidence = new ArrayList<Evidence>();
        evidence.add(new Evidence(absence.at(), here, absence.how()));
        absence.finding()
                .ifPresent(finding ->
                        evidence.add(new Evidence(Instant.now(), here, finding.inWords())));
        return evidence;
    }

    private Optional<ServerName> name(Member member) {
        return member.address().getHost().flatMap(directory::at).map(NodeDirectory.Node::name);
    }
}
