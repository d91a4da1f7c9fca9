package dev.belay.vm;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.belay.decision.ClusterView;
import dev.belay.decision.Decision;
import dev.belay.decision.Qemu;
import dev.belay.decision.VmAction;
import dev.belay.decision.VmEvent;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmState;
import dev.belay.entity.Reply;
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
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whoever asks for a switchover hears what came of it, and nothing before. */
class SwitchoverTest {
    private static final ActorTestKit KIT =
            ActorTestKit.create(
                    ConfigFactory.parseString("pekko.loglevel = WARNING")
                            .withFallback(EventSourcedBehaviorTestKit.config()));
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final Incarnation I1 = new Incarnation(1);
    private static final ServerName ALPHA = new ServerName("alpha");
    private static final ServerName BETA = new ServerName("beta");
    private static final Qemu QEMU = new Qemu("11.1.3", "pc", "kvm", "default", Optional.empty());

    private final VmName name = new VmName("pair-" + NUMBER.incrementAndGet());
    private final RunRight primary = new RunRight(name, new Epoch(1), ALPHA, I1);
    private final RunRight secondary = new RunRight(name, new Epoch(2), BETA, I1);
    private final TestProbe<Reply<VmState>> asker = KIT.createTestProbe();
    private volatile boolean isBetaReachable = true;
    private EventSourcedBehaviorTestKit<VmEntity.Message, VmEvent, VmState> vm;

    @BeforeEach
    void raise() {
        var shard = KIT.<ClusterSharding.ShardCommand>createTestProbe();
        vm =
                EventSourcedBehaviorTestKit.create(
                        KIT.system(),
                        VmEntity.create(name, new Outside(), shard.ref()),
                        EventSourcedBehaviorTestKit.disabledSerializationSettings());
        var spec =
                new VmSpec(
                        name,
                        1,
                        256,
                        Optional.empty(),
                        List.of(),
                        List.of(),
                        Level.SYSTEM,
                        Placement.ANYWHERE,
                        0);
        vm.runCommand(
                new VmEntity.Request(
                        new VmInput.Create(spec, true),
                        KIT.<Reply<VmState>>createTestProbe().ref()));
        hears(new VmInput.Reserved(ALPHA, I1, primary.epoch()));
        hears(new VmInput.ReplicaStarted(primary, "pid 1", List.of()));
        hears(new VmInput.Reserved(BETA, I1, secondary.epoch()));
        hears(new VmInput.PairRaised(primary, secondary, List.of()));
        assertThat(hears(new VmInput.LockstepSeen(primary, secondary)))
                .isInstanceOf(VmState.Lockstep.class);
    }

    @AfterAll
    static void stop() {
        KIT.shutdownTestKit();
    }

    private VmState hears(VmInput input) {
        return vm.runCommand(new VmEntity.News(input)).state();
    }

    private void ask() {
        vm.runCommand(new VmEntity.Request(new VmInput.Switchover(), asker.ref()));
    }

    private void isRefused() {
        assertThat(asker.receiveMessage())
                .isInstanceOfSatisfying(
                        Reply.Refused.class,
                        no -> {
                            assertThat(no.reason()).isEqualTo(Decision.Reason.CONFLICT);
                            assertThat(no.message())
                                    .contains(
                                            "'%s' was not switched over to server beta"
                                                    .formatted(name));
                        });
    }

    @Test
    void itIsAnsweredWhenItIsStored() {
        ask();
        // The entity itself says HandOver after a second.
        asker.expectNoMessage(Duration.ofMillis(20));

        hears(new VmInput.HandOver(primary, secondary, true));

        assertThat(asker.receiveMessage())
                .isInstanceOfSatisfying(
                        Reply.Done.class,
                        done ->
                                assertThat(done.state())
                                        .isInstanceOfSatisfying(
                                                VmState.GoingSolo.class,
                                                solo ->
                                                        assertThat(solo.winner())
                                                                .isEqualTo(secondary)));
    }

    @Test
    void aSecondServerThatCannotBeReachedAnyMoreIsARefusal() {
        ask();
        isBetaReachable = false;

        // Of another pair, and the one that nobody asked for.
        hears(new VmInput.HandOver(secondary, primary, true));
        hears(new VmInput.HandOver(primary, secondary, false));
        asker.expectNoMessage(Duration.ofMillis(20));
        hears(new VmInput.HandOver(primary, secondary, true));

        isRefused();
    }

    @Test
    void aPairThatEndsOtherwiseMeanwhileIsARefusal() {
        ask();

        hears(new VmInput.PartnerLost(primary, secondary, "silence"));

        isRefused();
    }

    @Test
    void whoCannotBeSwitchedOverHearsItAtOnce() {
        isBetaReachable = false;

        ask();

        assertThat(asker.receiveMessage()).isInstanceOf(Reply.Refused.class);
    }

    private final class Outside implements VmSurroundings {
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
            return new ClusterView(List.of(server(ALPHA, true), server(BETA, isBetaReachable)));
        }

        private static ClusterView.ServerView server(ServerName name, boolean reachable) {
            return new ClusterView.ServerView(
                    name,
                    I1,
                    true,
                    reachable,
                    false,
                    false,
                    name.equals(ALPHA) ? 4096 : 2048,
                    4096,
                    Optional.empty(),
                    Optional.of(QEMU));
        }

        @Override
        public Duration longestLeaseWait() {
            return Duration.ofMillis(100);
        }

        @Override
        public void carryOut(VmName vm, VmAction action) {
            // Nobody is there.
        }
    }
}
