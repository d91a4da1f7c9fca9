package dev.belay.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.belay.cluster.Membership;
import dev.belay.decision.Losses;
import dev.belay.decision.ServerAction;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerState;
import dev.belay.decision.VmInput;
import dev.belay.entity.Reply;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The server's shell: what is stored and what is done, and in which order. */
class ServerEntityTest {
    private static final Incarnation I1 = new Incarnation(1);
    private static final LeaseTerms TERMS =
            new LeaseTerms(Duration.ofMillis(250), Duration.ofMillis(50), Duration.ofMillis(50));
    private static final VmName WEB = new VmName("web");
    private static final ActorTestKit KIT =
            ActorTestKit.create(
                    ConfigFactory.parseString("pekko.loglevel = WARNING")
                            .withFallback(EventSourcedBehaviorTestKit.config()));
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final ServerName name = new ServerName("server-" + NUMBER.incrementAndGet());
    private final TestProbe<ServerAction> outside = KIT.createTestProbe();
    private final CompletableFuture<FenceAgent.Result> agent = new CompletableFuture<>();
    private final List<String> refusals = new CopyOnWriteArrayList<>();
    private boolean hasAgent;
    private boolean answers;
    private EventSourcedBehaviorTestKit<ServerEntity.Message, ServerEvent, ServerState> server;

    /** Tells the probe what goes out. */
    private final class Outside implements ServerSurroundings {
        private final ActorRef<ServerAction> probe;

        Outside(ActorRef<ServerAction> probe) {
            this.probe = probe;
        }

        @Override
        public long newest(String persistenceId) {
            return 0;
        }

        @Override
        public String address(ServerName server) {
            return "10.0.0.1";
        }

        @Override
        public Duration longestLeaseWait() {
            throw new AssertionError("the journal says it");
        }

        @Override
        public CompletionStage<LeaseTerms> agree(LeaseTerms offered, boolean change) {
            return CompletableFuture.completedFuture(TERMS);
        }

        @Override
        public void refuse(ServerName server, String why) {
            refusals.add(why);
        }

        @Override
        public Duration coolDown() {
            return Duration.ofMillis(300);
        }

        @Override
        public boolean isArmed() {
            return true;
        }

        @Override
        public boolean isFencingInVain(ServerName server) {
            return false;
        }

        @Override
        public boolean answers(ServerName server) {
            return answers;
        }

        @Override
        public FenceAgent fenceAgent() {
            return new FenceAgent() {
                @Override
                public boolean handles(ServerName server) {
                    return hasAgent;
                }

                @Override
                public CompletableFuture<Result> off(ServerName server) {
                    return agent;
                }
            };
        }

        @Override
        public void watch(ServerName server, ActorRef<Membership.Lost> listener) {}

        @Override
        public void carryOut(ServerAction action) {
            probe.tell(action);
        }
    }

    @BeforeEach
    void spawn() {
        server =
                EventSourcedBehaviorTestKit.create(
                        KIT.system(),
                        ServerEntity.create(name, new Outside(outside.ref())),
                        EventSourcedBehaviorTestKit.disabledSerializationSettings());
        server.runCommand(
                new ServerEntity.Join(
                        new ServerInput.Join(
                                "boot-a", 4096, Incarnation.NONE, true, TERMS, Optional.empty()),
                        "10.0.0.1",
                        false));
        outside.expectMessage(
                new ServerAction.Welcome(
                        new ServerState.Server(name, I1, "boot-a", 4096, Optional.of(TERMS))));
        server.runCommand(new ServerEntity.News(new ServerInput.Reserve(WEB, new Epoch(1), 256)));
        outside.expectMessage(
                new ServerAction.TellVm(WEB, new VmInput.Reserved(name, I1, new Epoch(1))));
    }

    @AfterAll
    static void stop() {
        KIT.shutdownTestKit();
    }

    @Test
    void theFencingIsStoredBeforeAVmHearsOfIt() {
        var fenced = server.runCommand(lost());

        assertThat(fenced.event()).isInstanceOf(ServerEvent.ServerFenced.class);
        outside.expectMessage(
                new ServerAction.TellVm(WEB, new VmInput.ServerLost(name, I1, List.of())));
        assertThat(outside.receiveMessage())
                .isInstanceOfSatisfying(
                        ServerAction.TellVm.class,
                        told -> assertThat(told.news()).isInstanceOf(VmInput.FenceProved.class));
    }

    @Test
    void aLeaseIsWaitedOutAfreshAfterARecovery() {
        server.runCommand(lost());
        outside.expectMessage(
                new ServerAction.TellVm(WEB, new VmInput.ServerLost(name, I1, List.of())));

        server.restart();

        outside.expectMessage(
                new ServerAction.TellVm(WEB, new VmInput.ServerLost(name, I1, List.of())));
        assertThat(outside.receiveMessage())
                .isInstanceOfSatisfying(
                        ServerAction.TellVm.class,
                        told -> assertThat(told.news()).isInstanceOf(VmInput.FenceProved.class));
    }

    @Test
    void anAgentThatHasNotActedYetIsCalledOffWhenTheServerIsBack() {
        hasAgent = true;
        server.runCommand(lost());
        assertThat(agent).isNotDone();

        server.runCommand(
                new ServerEntity.Join(
                        new ServerInput.Join("boot-b", 4096, I1, true, TERMS, Optional.empty()),
                        "10.0.0.1",
                        false));

        assertThat(agent).isCancelled();
        assertThat(server.getState())
                .isInstanceOfSatisfying(
                        ServerState.Live.class,
                        live ->
                                assertThat(live.server().incarnation())
                                        .isEqualTo(new Incarnation(2)));
    }

    @Test
    void aServerWithOtherLeaseTermsIsToldWhatDiffersAndNotAdmitted() {
        var longer = new LeaseTerms(Duration.ofSeconds(5), TERMS.renewal(), TERMS.margin());

        var result =
                server.runCommand(
                        new ServerEntity.Join(
                                new ServerInput.Join(
                                        "boot-b", 4096, I1, true, longer, Optional.empty()),
                                "10.0.0.1",
                                false));

        assertThat(result.hasNoEvents()).isTrue();
        assertThat(refusals)
                .singleElement()
                .asString()
                .contains("duration = 5000 ms", "duration = 250 ms", "configuration file");
    }

    /** The next instance calls it again if it is still needed. */
    @Test
    void anAgentIsCalledOffWhenTheEntityEnds() {
        hasAgent = true;
        server.runCommand(lost());
        assertThat(agent).isNotDone();

        server.restart();

        assertThat(agent).isCancelled();
    }

    @Test
    void whatWasMissedOfTheLifeBeforeFencesNobody() {
        var missed = new Membership.Lost(name, List.of(), 1, 2);

        var result = server.runCommand(new ServerEntity.Missed(missed, Incarnation.NONE));

        assertThat(result.hasNoEvents()).isTrue();
        assertThat(server.runCommand(new ServerEntity.Missed(missed, I1)).events()).isNotEmpty();
    }

    @Test
    void aQuarantineEndsByItselfAndTheTimeIsCountedByATimer() {
        for (long life = 1; life <= Losses.LIMIT; life++) {
            var incarnation = new Incarnation(life);
            server.runCommand(
                    new ServerEntity.News(
                            new ServerInput.Lost(incarnation, List.of(), 1, 2, true)));
            server.runCommand(
                    new ServerEntity.Join(
                            new ServerInput.Join(
                                    "boot-" + life,
                                    4096,
                                    incarnation,
                                    true,
                                    TERMS,
                                    Optional.empty()),
                            "10.0.0.1",
                            false));
        }
        assertThat(((ServerState.Live) server.getState()).losses().quarantined()).isTrue();

        Awaitility.await()
                .untilAsserted(() ->
                        assertThat(((ServerState.Live) server.getState()).losses().quarantined())
                                .isFalse());
    }

    @Test
    void aPersonsWordIsNotTakenOfAServerThatThisNodeSees() {
        answers = true;

        var result =
                server.<Reply<ServerState>>runCommand((ActorRef<Reply<ServerState>> replyTo) ->
                        new ServerEntity.Request(new ServerInput.ConfirmOff(I1, false), replyTo));

        assertThat(result.hasNoEvents()).isTrue();
        assertThat(result.reply()).isInstanceOf(Reply.Refused.class);
    }

    @Test
    void aSecondNodeOfTheSameNameIsNotAdmitted() {
        var joined =
                server.runCommand(
                        new ServerEntity.Join(
                                new ServerInput.Join(
                                        "boot-x", 4096, I1, true, TERMS, Optional.empty()),
                                "10.0.0.9",
                                false));

        assertThat(joined.hasNoEvents()).isTrue();
    }

    private ServerEntity.Message lost() {
        return new ServerEntity.News(new ServerInput.Lost(I1, List.of(), 1, 2, true));
    }
}
