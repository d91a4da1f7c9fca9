package dev.belay.vm;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.belay.decision.ClusterView;
import dev.belay.decision.VmAction;
import dev.belay.decision.VmEvent;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmState;
import dev.belay.entity.Reply;
import dev.belay.model.Desired;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.Level;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The VM's shell: what is stored and what is done, and in which order. */
class VmEntityTest {
    private static final ServerName ALPHA = new ServerName("alpha");
    private static final Incarnation I1 = new Incarnation(1);
    private static final Epoch E1 = new Epoch(1);
    private static final ActorTestKit KIT =
            ActorTestKit.create(
                    ConfigFactory.parseString("pekko.loglevel = WARNING")
                            .withFallback(EventSourcedBehaviorTestKit.config()));

    /** A new id per test keeps tests apart; clearing the store would restart the actor. */
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final TestProbe<VmAction> outside = KIT.createTestProbe();
    private final TestProbe<ClusterSharding.ShardCommand> shard = KIT.createTestProbe();
    private final VmName name = new VmName("vm-" + NUMBER.incrementAndGet());
    private final RunRight right = new RunRight(name, E1, ALPHA, I1);
    private final VmSpec spec =
            new VmSpec(
                    name,
                    1,
                    256,
                    Optional.empty(),
                    List.of(),
                    List.of(),
                    Level.RESTART,
                    Placement.ANYWHERE,
                    0);
    private EventSourcedBehaviorTestKit<VmEntity.Message, VmEvent, VmState> vm;

    /** Tells the probe what goes out. */
    private static final class Outside implements VmSurroundings {
        private final ActorRef<VmAction> probe;

        Outside(ActorRef<VmAction> probe) {
            this.probe = probe;
        }

        @Override
        public long newest(String persistenceId) {
            return 0;
        }

        @Override
        public ServerName self() {
            return new ServerName("witness");
        }

        @Override
        public ClusterView view() {
            return new ClusterView(
                    List.of(
                            new ClusterView.ServerView(
                                    ALPHA,
                                    I1,
                                    true,
                                    true,
                                    false,
                                    false,
                                    4096,
                                    4096,
                                    Optional.empty(),
                                    Optional.empty())));
        }

        @Override
        public Duration longestLeaseWait() {
            return Duration.ofMillis(100);
        }

        @Override
        public void carryOut(VmName vm, VmAction action) {
            probe.tell(action);
        }
    }

    @BeforeEach
    void spawn() {
        vm =
                EventSourcedBehaviorTestKit.create(
                        KIT.system(),
                        VmEntity.create(name, new Outside(outside.ref()), shard.ref()),
                        EventSourcedBehaviorTestKit.disabledSerializationSettings());
    }

    @AfterAll
    static void stop() {
        KIT.shutdownTestKit();
    }

    @Test
    void theRightIsStoredBeforeTheServerIsToldToStart() {
        var created =
                vm.<Reply<VmState>>runCommand((ActorRef<Reply<VmState>> replyTo) ->
                        new VmEntity.Request(new VmInput.Create(spec, true), replyTo));
        assertThat(created.events())
                .hasSize(2)
                .first()
                .isInstanceOfSatisfying(
                        VmEvent.VmCreated.class,
                        event -> assertThat(event.desired()).isEqualTo(Desired.RUNNING));
        outside.expectMessage(new VmAction.Reserve(ALPHA, E1, 256));

        var granted = vm.runCommand(new VmEntity.News(new VmInput.Reserved(ALPHA, I1, E1)));

        assertThat(granted.event())
                .isInstanceOfSatisfying(
                        VmEvent.RightGranted.class,
                        event -> assertThat(event.right()).isEqualTo(right));
        assertThat(granted.state()).isInstanceOf(VmState.Starting.class);
        outside.fishForMessage(
                Duration.ofSeconds(3),
                action ->
                        action.equals(new VmAction.StartReplica(right, spec))
                                ? FishingOutcomes.complete()
                                : FishingOutcomes.continueAndIgnore());
    }

    @Test
    void theReportSaysHowLongItTookToDecide() {
        vm.<Reply<VmState>>runCommand((ActorRef<Reply<VmState>> replyTo) ->
                new VmEntity.Request(new VmInput.Create(spec, true), replyTo));
        hears(new VmInput.Reserved(ALPHA, I1, E1));
        hears(new VmInput.ReplicaStarted(right, "pid 1", List.of()));
        hears(new VmInput.ReplicaGone(right, VmInput.Cause.DIED, "signal 9"));

        var again = new RunRight(name, E1.next(), ALPHA, I1);
        var state = hears(new VmInput.ReplicaStarted(again, "pid 2", List.of()));

        assertThat(((VmState.Running) state).vm().reports().getLast().steps())
                .filteredOn(step -> step.what().equals("stored that and told alpha"))
                .singleElement()
                .satisfies(step -> assertThat(step.where()).isEqualTo("witness"))
                .satisfies(step -> assertThat(step.tookMs()).isNotNegative());
    }

    private VmState hears(VmInput input) {
        return vm.runCommand(new VmEntity.News(input)).state();
    }

    @Test
    void unfinishedWorkIsSentAgainAfterARecovery() {
        vm.<Reply<VmState>>runCommand((ActorRef<Reply<VmState>> replyTo) ->
                new VmEntity.Request(new VmInput.Create(spec, true), replyTo));
        outside.expectMessage(new VmAction.Reserve(ALPHA, E1, 256));
        vm.runCommand(new VmEntity.News(new VmInput.Reserved(ALPHA, I1, E1)));

        vm.restart();

        int again = 0;
        while (again < 2) { // Once when the right was granted, once more after the restart.
            if (outside.receiveMessage() instanceof VmAction.StartReplica start) {
                assertThat(start).isEqualTo(new VmAction.StartReplica(right, spec));
                again++;
            }
        }
    }
}
