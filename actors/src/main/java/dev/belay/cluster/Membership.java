package dev.belay.cluster;

import dev.belay.decision.Evidence;
import dev.belay.decision.Presence;
import dev.belay.decision.Presence.Knock;
import dev.belay.decision.ServerState;
import dev.belay.decision.Vanished;
import dev.belay.model.ServerName;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.eventstream.EventStream;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.UniqueAddress;

/**
 * Turns what this node sees of the cluster into facts about servers, for the server entities that
 * run on this node: only their own eyes count, so that a hint that was held up on its way never
 * fences anybody; others' say only that a server that is missed here is not lost. One per node;
 * nothing survives a crash, everything is seen again.
 */
public final class Membership extends AbstractBehavior<Membership.Message> {
    public sealed interface Message {}

    /** Tell {@code listener} about this server as long as it does not answer, again and again. */
    public record Watch(ServerName server, ActorRef<Lost> listener) implements Message {}

    record Look() implements Message {}

    record Knocked(ServerName server, Knock node, Knock replicas) implements Message {}

    /**
     * @param vanished how many servers vanished at about the same time and are still away, this one
     *     among them
     * @param before how many there were before: these and those that answer
     */
    public record Lost(ServerName server, List<Evidence> evidence, int vanished, int before) {}

    private static final Duration LOOK = Duration.ofMillis(100);
    private static final String VOTER = "voter";

    private final NodeDirectory directory;
    private final Presence.Limits limits;
    private final Duration together;
    private final ClusterModel model;
    private final Cluster cluster;
    private final Map<ServerName, ActorRef<Lost>> listeners = new HashMap<>();
    private final Map<ServerName, Presence> presences = new HashMap<>();
    private final List<Runnable> watches = new ArrayList<>();
    private boolean isTakenOut;

    /**
     * @param together servers that vanish within this time of each other have vanished at once
     */
    public static Behavior<Message> create(
            NodeDirectory directory,
            Presence.Limits limits,
            Duration together,
            Lifeline.Ports ports,
            ClusterModel model) {
        return Behaviors.setup(context ->
                Behaviors.withTimers(timers ->
                        new Membership(
                                context, timers, directory, limits, together, ports, model)));
    }

    private Membership(
            ActorContext<Message> context,
            TimerScheduler<Message> timers,
            NodeDirectory directory,
            Presence.Limits limits,
            Duration together,
            Lifeline.Ports ports,
            ClusterModel model) {
        super(context);
        context.setLoggerName(Membership.class);
        this.directory = directory;
        this.limits = limits;
        this.together = together;
        this.model = model;
        this.cluster = Cluster.get(Adapter.toClassic(context.getSystem()));
        var self = context.getSelf();
        for (var server : directory.servers()) {
            if (!server.name().equals(directory.self())) {
                watches.add(
                        LifelineWatch.start(
                                server,
                                ports,
                                (node, replicas) ->
                                        self.tell(new Knocked(server.name(), node, replicas))));
            }
        }
        timers.startTimerWithFixedDelay(new Look(), LOOK);
    }

    @Override
    public Receive<Message> createReceive() {
        return newReceiveBuilder()
                .onSignal(
                        PostStop.class,
                        _ -> {
                            watches.forEach(Runnable::run);
                            return this;
                        })
                .onAnyMessage(this::onMessage)
                .build();
    }

    private Behavior<Message> onMessage(Message message) {
        switch (message) {
            case Watch(var server, var listener) -> listeners.put(server, listener);
            case Look() -> look();
            case Knocked(var server, var node, var replicas) -> {
                see(server, presence(server).knocked(node, replicas, now()));
                // Never on the strength of heartbeats as they were some time ago.
                look();
            }
        }
        return this;
    }

    private void look() {
        // By another node on this side; what this one decides itself it tells at once.
        if (!isTakenOut && cluster.selfMember().status() == MemberStatus.down()) {
            isTakenOut = true;
            getContext().getSystem().eventStream().tell(new EventStream.Publish<>(new TakenOut()));
        }
        if (cluster.selfMember().status() != MemberStatus.up()) {
            return;
        }
        var reachable = new HashSet<ServerName>();
        var heard = new HashSet<ServerName>();
        for (var member : cluster.state().getMembers()) {
            if (isUp(member)) {
                boolean misses = missesItself(member);
                name(member)
                        .ifPresent(name -> {
                            if (!misses) {
                                reachable.add(name);
                            }
                            if (!misses || isHeardByOthers(member)) {
                                heard.add(name);
                            }
                        });
            }
        }
        model.reachable(reachable, heard);
        for (var server : directory.servers()) {
            var name = server.name();
            see(name, presence(name).heartbeats(heard.contains(name), now()));
        }
        directory.servers().forEach(server -> report(server.name()));
    }

    private static boolean isUp(Member member) {
        return member.status() == MemberStatus.up() || member.status() == MemberStatus.weaklyUp();
    }

    /** Pekko's own list of the unreachable has all whom anybody misses. */
    private boolean missesItself(Member member) {
        return !cluster.readView()
                .reachability()
                .isReachable(cluster.selfUniqueAddress(), member.uniqueAddress());
    }

    /** Only the wire between it and this node is cut: it renews its lease, and is not lost. */
    private boolean isHeardByOthers(Member member) {
        var members = new HashSet<UniqueAddress>();
        var voters = new HashSet<UniqueAddress>();
        for (var other : cluster.state().getMembers()) {
            if (isUp(other)) {
                members.add(other.uniqueAddress());
                if (other.hasRole(VOTER)) {
                    voters.add(other.uniqueAddress());
                }
            }
        }
        return new HeardNodes(
                        cluster.selfUniqueAddress(),
                        members,
                        voters,
                        cluster.readView().reachability())
                .contains(member.uniqueAddress());
    }

    private void report(ServerName server) {
        var listener = listeners.get(server);
        if (listener != null
                && presence(server).judge(now().since(), hasVms(server), limits)
                        instanceof Presence.Verdict.Lost) {
            var evidence = presence(server).evidence(server, directory.self().value());
            var count = Vanished.with(server, presences, model.servers(), now().since(), together);
            listener.tell(new Lost(server, evidence, count.vanished(), count.before()));
        }
    }

    private boolean hasVms(ServerName server) {
        return model.server(server)
                .filter(state ->
                        state instanceof ServerState.Live live && !live.reservations().isEmpty())
                .isPresent();
    }

    private Presence presence(ServerName server) {
        return presences.computeIfAbsent(server, _ -> Presence.unseen(now()));
    }

    private void see(ServerName server, Presence seen) {
        presences.put(server, seen);
    }

    private static Presence.Moment now() {
        return new Presence.Moment(Duration.ofNanos(System.nanoTime()), Instant.now());
    }

    private Optional<ServerName> name(Member member) {
        return member.address().getHost().flatMap(directory::at).map(NodeDirectory.Node::name);
    }
}
