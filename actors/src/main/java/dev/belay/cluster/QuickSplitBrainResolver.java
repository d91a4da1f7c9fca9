package dev.belay.cluster;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.DowningProvider;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.sbr.DowningStrategy;
import org.apache.pekko.cluster.sbr.KeepMajority;
import org.apache.pekko.cluster.sbr.SplitBrainResolverBase;
import org.apache.pekko.cluster.sbr.SplitBrainResolverSettings;
import org.apache.pekko.remote.artery.ThisActorSystemQuarantinedEvent;
import scala.Option;
import scala.collection.immutable.Set;
import scala.concurrent.duration.FiniteDuration;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Pekko's own keep-majority strategy (safety.md 17), looked at every 100 ms: the stock provider's
 * fixed tick of a second would more than double the time until a lost node is downed. Nobody is
 * downed whom somebody on the side of the majority hears: see {@link HeardNodes}. A side without a
 * majority waits while it holds a pair in lockstep: see {@link PairsTogether}, {@link WaitingSide}.
 */
public final class QuickSplitBrainResolver extends DowningProvider {
    private final ActorSystem system;
    private final SplitBrainResolverSettings settings;

    public QuickSplitBrainResolver(ActorSystem system) {
        this.system = system;
        this.settings = new SplitBrainResolverSettings(system.settings().config());
    }

    @Override
    public FiniteDuration downRemovalMargin() {
        return Cluster.get(system).settings().DownRemovalMargin();
    }

    @Override
    public Option<Props> downingActorProps() {
        var cluster = Cluster.get(system);
        return Option.apply(
                Props.create(
                        Resolver.class,
                        () ->
                                new Resolver(
                                        settings.DowningStableAfter(),
                                        new KeepMajority(
                                                cluster.selfDataCenter(),
                                                settings.keepMajorityRole(),
                                                cluster.selfUniqueAddress()))));
    }

    static final class Resolver extends SplitBrainResolverBase {
        private final Cluster cluster = Cluster.get(context().system());
        private final Optional<PairsTogether> pairs =
                context().system().settings().setup().get(PairsTogether.class);
        private final WaitingSide waiting = new WaitingSide();
        private boolean isSparing;
        private boolean isGoing;
        private boolean isWaiting;

        Resolver(FiniteDuration stableAfter, DowningStrategy strategy) {
            super(stableAfter, strategy);
        }

        @Override
        public FiniteDuration tickInterval() {
            return FiniteDuration.create(100, TimeUnit.MILLISECONDS);
        }

        @Override
        public UniqueAddress selfUniqueAddress() {
            return Cluster.get(context().system()).selfUniqueAddress();
        }

        @Override
        public String selfDc() {
            return Cluster.get(context().system()).selfDataCenter();
        }

        @Override
        public void preStart() throws Exception {
            cluster.subscribe(
                    self(),
                    ClusterEvent.initialStateAsEvents(),
                    ClusterEvent.ClusterDomainEvent.class);
            context()
                    .system()
                    .eventStream()
                    .subscribe(self(), ThisActorSystemQuarantinedEvent.class);
            super.preStart();
        }

        @Override
        public void postStop() {
            cluster.unsubscribe(self());
            context().system().eventStream().unsubscribe(self());
            super.postStop();
        }

        /**
         * Without a word about it each time when nobody is left to be downed. That the others have
         * quarantined this node comes with every message from them, and is final the first time.
         */
        @Override
        public Set<UniqueAddress> actOnDecision(DowningStrategy.Decision decision) {
            if (isGoing) {
                return nobody();
            }
            boolean waits = waits(decision);
            if (waits && !isWaiting) {
                log().warning(
                                "without a majority, and not downing anybody: a VM is in lockstep on"
                                        + " two servers on this side");
            }
            isWaiting = waits;
            var downed = waits ? nobody() : actOnHeard(decision);
            isGoing =
                    decision == DowningStrategy.DownSelfQuarantinedByRemote$.MODULE$
                            && downed.contains(selfUniqueAddress());
            return downed;
        }

        private Set<UniqueAddress> actOnHeard(DowningStrategy.Decision decision) {
            var nodes = nodesToDown(decision);
            boolean spares =
                    !nodes.isEmpty() && nodes.stream().allMatch(node -> spares(node, decision));
            if (spares && !isSparing) {
                log().warning(
                                "not downing {}, as some of us hear them",
                                nodes.stream().map(UniqueAddress::address).toList());
            }
            isSparing = spares;
            return spares ? nobody() : super.actOnDecision(decision);
        }

        private static Set<UniqueAddress> nobody() {
            return CollectionConverters.asScala(java.util.Set.<UniqueAddress>of()).toSet();
        }

        /** Whoever was taken out by the others is told so when they hear each other. */
        private boolean waits(DowningStrategy.Decision decision) {
            if (decision == DowningStrategy.DownSelfQuarantinedByRemote$.MODULE$) {
                return false;
            }
            var heard = heard();
            var here =
                    heard.here().stream().map(UniqueAddress::address).collect(Collectors.toSet());
            return waiting.waits(
                    heard.isMajority(),
                    pairs.filter(known -> known.isAnyWithin(here)).isPresent(),
                    pairs.filter(PairsTogether::hearsQuorum).isPresent(),
                    Duration.ofNanos(System.nanoTime()));
        }

        private HeardNodes heard() {
            return new HeardNodes(
                    selfUniqueAddress(),
                    addresses(strategy().members()),
                    addresses(strategy().membersWithRole()),
                    strategy().reachability());
        }

        /** Nobody when Pekko finds no answer: what it does then stays its own. */
        private java.util.Set<UniqueAddress> nodesToDown(DowningStrategy.Decision decision) {
            try {
                return CollectionConverters.asJava(strategy().nodesToDown(decision));
            } catch (IllegalStateException _) {
                return java.util.Set.of();
            }
        }

        /** See {@link HeardNodes}. Whoever is on a side that has to go goes. */
        private boolean spares(UniqueAddress node, DowningStrategy.Decision decision) {
            if (!decision.isIndirectlyConnected()
                    && decision != DowningStrategy.DownUnreachable$.MODULE$) {
                return false;
            }
            var heard = heard();
            boolean isAnyDowned =
                    hasDowned()
                            || nodesToDown(decision).stream()
                                    .anyMatch(other -> !heard.contains(other));
            return heard.spares(node, isAnyDowned);
        }

        /** By whoever it was: a process that starts anew has its earlier one downed, say. */
        private boolean hasDowned() {
            return CollectionConverters.asJava(strategy().allMembersInDC()).stream()
                    .anyMatch(member -> member.status() == MemberStatus.down());
        }

        private static java.util.Set<UniqueAddress> addresses(
                scala.collection.Set<Member> members) {
            return CollectionConverters.asJava(members).stream()
                    .map(Member::uniqueAddress)
                    .collect(Collectors.toSet());
        }

        @Override
        public void down(UniqueAddress node, DowningStrategy.Decision decision) {
            if (spares(node, decision)) {
                log().info("not downing {}, as some of us hear it", node.address());
                return;
            }
            log().info("downing {}: {}", node.address(), decision);
            if (node.equals(selfUniqueAddress())) {
                context().system().eventStream().publish(new TakenOut());
            }
            cluster.down(node.address());
        }
    }
}
