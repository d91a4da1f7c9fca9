package dev.belay.calm;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.belay.decision.ClusterEvent;
import dev.belay.decision.ClusterInput;
import dev.belay.decision.ClusterState;
import dev.belay.entity.Reply;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** The cluster's shell: a disarming ends by a timer, also in a process that was not there then. */
class ClusterEntityTest {
    private static final ActorTestKit KIT =
            ActorTestKit.create(
                    ConfigFactory.parseString("pekko.loglevel = WARNING")
                            .withFallback(EventSourcedBehaviorTestKit.config()));
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final EventSourcedBehaviorTestKit<ClusterEntity.Message, ClusterEvent, ClusterState>
            cluster =
                    EventSourcedBehaviorTestKit.create(
                            KIT.system(),
                            ClusterEntity.create("cluster-" + NUMBER.incrementAndGet()),
                            EventSourcedBehaviorTestKit.disabledSerializationSettings());

    @AfterAll
    static void stop() {
        KIT.shutdownTestKit();
    }

    private Reply<ClusterState> ask(ClusterInput.Request request) {
        return cluster.<Reply<ClusterState>>runCommand((ActorRef<Reply<ClusterState>> replyTo) ->
                        new ClusterEntity.Request(request, replyTo))
                .reply();
    }

    private static ClusterInput.Disarm disarm(Duration length) {
        return new ClusterInput.Disarm(length, "ada", "new switch");
    }

    private void awaitArmed() {
        Awaitility.await()
                .untilAsserted(() ->
                        assertThat(cluster.getState()).isInstanceOf(ClusterState.Armed.class));
    }

    @Test
    void itArmsItselfWhenTheTimeIsOver() {
        assertThat(ask(disarm(Duration.ofSeconds(1)))).isInstanceOf(Reply.Done.class);
        assertThat(cluster.getState().disarming()).isPresent();
        awaitArmed();
    }

    @Test
    void aNewProcessCountsTheTimeToItsEnd() {
        ask(disarm(Duration.ofSeconds(1)));
        cluster.restart();
        awaitArmed();
    }

    @Test
    void anOperatorEndsItEarlierAndTooLongATimeIsRefused() {
        ask(disarm(Duration.ofHours(1)));
        ask(new ClusterInput.Arm());
        assertThat(cluster.getState()).isInstanceOf(ClusterState.Armed.class);

        assertThat(ask(disarm(Duration.ofDays(2)))).isInstanceOf(Reply.Refused.class);
        assertThat(cluster.getState()).isInstanceOf(ClusterState.Armed.class);
    }
}
