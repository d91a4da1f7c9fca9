package dev.belay.cluster;

import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.DowningProvider;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.sbr.DowningStrategy;
import org.apache.pekko.cluster.sbr.KeepMajority;
import org.apache.pekko.cluster.sbr.SplitBrainResolverBase;
import org.apache.pekko.cluster.sbr.SplitBrainResolverSettings;
import org.apache.pekko.remote.artery.ThisActorSystemQuarantinedEvent;
import scala.Option;
import scala.concurrent.duration.FiniteDuration;

/**
 * Pekko's own keep-majority strategy (safety.md 17), looked at every 100 ms: the stock provider's
 * fixed tick of a second would more than double the time until a lost node is downed.
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

        @Override
        public void down(UniqueAddress node, DowningStrategy.Decision decision) {
            log().info("downing {}: {}", node.address(), decision);
            cluster.down(node.address());
        }
    }
}
