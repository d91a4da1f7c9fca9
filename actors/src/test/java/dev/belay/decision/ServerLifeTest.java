package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.E6;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.I3;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.WEB;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.ServerState.Fenced;
import dev.belay.decision.ServerState.Fencing;
import dev.belay.decision.ServerState.Live;
import dev.belay.decision.ServerState.Reservation;
import dev.belay.decision.ServerState.Server;
import dev.belay.decision.ServerState.Unknown;
import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.model.VmName;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** One example per rule of a server's life. */
class ServerLifeTest {
    static final Server SERVER = new Server(ALPHA, I2, "boot-b", 4096, Optional.of(Samples.TERMS));
    static final ServerAction AWAIT_LEASE =
            new ServerAction.AwaitLease(I2, Optional.of(Samples.TERMS.proofWait()));
    static final Live LIVE = live(Map.of(WEB, new Reservation(E7, MEMORY)));
    static final Fencing FENCING =
            new Fencing(SERVER, List.of(WEB), List.of(), Optional.empty(), Losses.NONE);
    static final Fenced FENCED = new Fenced(SERVER, Samples.PROOF, Losses.NONE);

    static Live live(Map<VmName, Reservation> reservations) {
        return new Live(
                SERVER,
                reservations,
                Losses.NONE,
                Optional.empty(),
                Optional.empty(),
                Optional.of(Samples.QEMU));
    }

    private static Decision<ServerEvent, ServerAction> decide(
            ServerState state, ServerInput input) {
        return ServerLife.decide(ALPHA, state, AT, input);
    }

    private static Accepted<ServerEvent, ServerAction> accepted(
            List<ServerEvent> events, List<ServerAction> actions) {
        return new Accepted<>(events, actions);
    }

    static ServerInput.Join join(String boot, Incarnation holding, boolean clean) {
        return join(boot, holding, clean, Samples.TERMS);
    }

    private static ServerInput.Join join(
            String boot, Incarnation holding, boolean clean, LeaseTerms terms) {
        return new ServerInput.Join(boot, 4096, holding, clean, terms, Optional.empty());
    }

    private static Server server(Incarnation incarnation, String boot) {
        return new Server(ALPHA, incarnation, boot, 4096, Optional.of(Samples.TERMS));
    }

    private static ServerInput.Lost lost(Incarnation incarnation, int vanished, int before) {
        return new ServerInput.Lost(incarnation, List.of(), vanished, before, true);
    }

    private static ServerAction tell(VmInput news) {
        return new ServerAction.TellVm(WEB, news);
    }

    @Test
    void aNodeThatWasNeverAdmittedCleansFirst() {
        assertThat(decide(new Unknown(), join("boot-b", Incarnation.NONE, false)))
                .isEqualTo(
                        accepted(
                                List.of(),
                                List.of(
                                        new ServerAction.TellClean(
                                                ALPHA, Incarnation.NONE, true))));
        assertThat(decide(new Unknown(), join("boot-b", Incarnation.NONE, true)))
                .isEqualTo(
                        accepted(
                                List.of(new ServerEvent.ServerAdmitted(AT, server(I1, "boot-b"))),
                                List.of(new ServerAction.Welcome(server(I1, "boot-b")))));
    }

    @Nested
    class WhenItsFenceAgentSawItOff {
        private static final Fenced BY_AGENT =
                new Fenced(SERVER, new Proof(Proof.Kind.AGENT, "off", AT), Losses.NONE);

        private final ServerState voided =
                Samples.afterAll(
                        BY_AGENT,
                        ((Accepted<ServerEvent, ServerAction>)
                                        decide(BY_AGENT, join("boot-b", I2, false)))
                                .events());

        @Test
        void aWordFromThatLifeVoidsTheProofAndTheLeaseIsWaitedOut() {
            assertThat(
                            ((Accepted<ServerEvent, ServerAction>)
                                            decide(BY_AGENT, join("boot-b", I2, false)))
                                    .actions())
                    .containsExactly(AWAIT_LEASE, new ServerAction.TellClean(ALPHA, I2, true));
            assertThat(voided).isInstanceOf(Fencing.class);
            assertThat(ServerLife.pending(voided))
                    .as("not called again")
                    .containsExactly(AWAIT_LEASE);
            assertThat(decide(voided, new ServerInput.AskStanding(WEB, I2)))
                    .as("what a VM hears that has not started elsewhere yet")
                    .isEqualTo(
                            accepted(
                                    List.of(),
                                    List.of(
                                            tell(
                                                    new VmInput.ServerLost(
                                                            ALPHA,
                                                            I2,
                                                            ((Fencing) voided).evidence())))));
        }

        @Test
        void theAgentIsNotBelievedAgainButTheLeaseIs() {
            assertThat(decide(voided, new ServerInput.AgentAnswered(I2, true, "off")))
                    .isInstanceOf(Ignored.class);
            var waited =
                    (Accepted<ServerEvent, ServerAction>)
                            decide(voided, new ServerInput.LeaseWaited(I2, "waited"));
            assertThat(Samples.afterAll(voided, waited.events())).isInstanceOf(Fenced.class);
        }

        /** Its reboot, or its own word that it ended all, is as good. */
        @Test
        void comingBackAsTheNextOneVoidsNothing() {
            assertThat(decide(BY_AGENT, join("boot-c", I2, false)))
                    .isEqualTo(
                            accepted(
                                    List.of(),
                                    List.of(new ServerAction.TellClean(ALPHA, I2, true))));
            var back =
                    (Accepted<ServerEvent, ServerAction>)
                            decide(BY_AGENT, join("boot-b", I2, true));
            assertThat(Samples.afterAll(BY_AGENT, back.events())).isInstanceOf(Live.class);
        }
    }

    @Nested
    class WhenLive {
        @Test
        void aRestartOfTheProcessKeepsTheIncarnationAndEachVmHearsWhatIsKeptForIt() {
            assertThat(decide(LIVE, join("boot-b", I2, false)))
                    .isEqualTo(
                            accepted(
                                    List.of(),
                                    List.of(
                                            new ServerAction.Welcome(SERVER),
                                            tell(new VmInput.Reserved(ALPHA, I2, E7)))));
        }

        @Test
        void whoSaysThatItIsCleanIsNeverWelcomedToThatIncarnationAgain() {
            var decision =
                    (Accepted<ServerEvent, ServerAction>) decide(LIVE, join("boot-b", I2, true));

            assertThat(decision.actions())
                    .contains(new ServerAction.Welcome(server(I3, "boot-b")))
                    .doesNotContain(new ServerAction.Welcome(SERVER));
            assertThat(decision.events())
                    .hasSize(3)
                    .first()
                    .isInstanceOf(ServerEvent.ServerFenced.class);
        }

        @Test
        void anotherBootAloneProvesNothing() {
            assertThat(decide(LIVE, join("boot-c", I1, false)))
                    .isEqualTo(
                            accepted(
                                    List.of(),
                                    List.of(new ServerAction.TellClean(ALPHA, I2, false))));
        }

        /** Another machine with a copy of its disk has another boot, too. */
        @Test
        void anIncarnationLivesInOneBootAndWhoHoldsItInAnotherHasToClean() {
            assertThat(SERVER.admits("boot-c", Samples.TERMS)).isFalse();
            assertThat(decide(LIVE, join("boot-c", I2, false)))
                    .isEqualTo(
                            accepted(
                                    List.of(),
                                    List.of(new ServerAction.TellClean(ALPHA, I2, true))));
        }

        /** The node has rebooted since; its own joins name the incarnation before. */
        @Test
        void whatALateJoinOfTheBootBeforeGotIsSucceeded() {
            TenureState node = new TenureState.Asking(I1, true);
            assertThat(decide(LIVE, join("boot-c", I1, true)))
                    .isEqualTo(
                            accepted(
                                    List.of(),
                                    List.of(new ServerAction.TellClean(ALPHA, I2, false))));
            node = Tenure.decide(node, new TenureInput.MustClean(I2, false)).state();
            var cleaned = Tenure.decide(node, new TenureInput.CleanDone());
            assertThat(cleaned.commands()).contains(new TenureCommand.Join(I2, true));

            assertThat(decide(LIVE, join("boot-c", I2, true)))
                    .isInstanceOfSatisfying(
                            Accepted.class,
                            admitted ->
                                    assertThat(admitted.actions())
                                            .contains(
                                                    new ServerAction.Welcome(
                                                            server(I3, "boot-c"))));
        }

        @Test
        void aJoinOfALateBootIsNotTakenForAReboot() {
            assertThat(decide(LIVE, join("boot-a", I1, true)))
                    .isEqualTo(
                            accepted(
                                    List.of(),
                                    List.of(new ServerAction.TellClean(ALPHA, I2, false))));
        }

        @Test
        void aLostServerIsFencedAndItsLeaseWaitedOut() {
            assertThat(decide(LIVE, lost(I2, 1, 2)))
                    .isEqualTo(
                            accepted(
                                    List.of(
                                            new ServerEvent.ServerFenced(AT, ALPHA, I2, List.of()),
                                            new ServerEvent.LossCounted(AT, 1)),
                                    List.of(
                                            AWAIT_LEASE,
                                            new ServerAction.CallFenceAgent(ALPHA, I2),
                                            tell(new VmInput.ServerLost(ALPHA, I2, List.of())),
                                            new ServerAction.AgeLoss(1))));
        }

        @Test
        void aSingleLossNeverFreezes() {
            for (var lost : List.of(lost(I2, 1, 1), lost(I2, 2, 4))) {
                assertThat(((Accepted<ServerEvent, ServerAction>) decide(LIVE, lost)).events())
                        .first()
                        .isInstanceOf(ServerEvent.ServerFenced.class);
            }
        }

        @Test
        void whenMostServersVanishNoneIsFenced() {
            for (var lost : List.of(lost(I2, 2, 2), lost(I2, 2, 3), lost(I2, 3, 5))) {
                assertThat(decide(LIVE, lost))
                        .isEqualTo(
                                accepted(
                                        List.of(
                                                new ServerEvent.FreezeBegan(
                                                        AT, lost.vanished(), lost.before())),
                                        List.of()));
            }
        }

        @Test
        void theLossOfAnEarlierIncarnationFencesNobody() {
            assertThat(decide(LIVE, lost(I1, 1, 2))).isInstanceOf(Ignored.class);
        }

        @Test
        void moreMemoryThanThereIsIsRefused() {
            assertThat(decide(LIVE, new ServerInput.Reserve(Samples.spec(WEB).name(), E7, 5000)))
                    .isEqualTo(
                            accepted(
                                    List.of(),
                                    List.of(
                                            tell(
                                                    new VmInput.ReservationRefused(
                                                            ALPHA,
                                                            E7,
                                                            "it has 4096 MiB free of 4096, and 5000 are needed")))));
        }

        @Test
        void aLateReservationDoesNotReplaceANewerOne() {
            assertThat(decide(LIVE, new ServerInput.Reserve(WEB, E6, 2048)))
                    .isInstanceOf(Ignored.class);
        }

        @Test
        void aLateReleaseLeavesANewerReservation() {
            assertThat(decide(LIVE, new ServerInput.Release(WEB, E6))).isInstanceOf(Ignored.class);
            assertThat(decide(LIVE, new ServerInput.Release(WEB, E7)))
                    .isEqualTo(
                            accepted(List.of(new ServerEvent.MemoryReleased(AT, WEB)), List.of()));
        }

        @Test
        void whoAsksAboutAnEarlierIncarnationLearnsThatNothingOfItRuns() {
            var decision =
                    (Accepted<ServerEvent, ServerAction>)
                            decide(LIVE, new ServerInput.AskStanding(WEB, I1));

            assertThat(decision.events()).isEmpty();
            assertThat(decision.actions())
                    .singleElement()
                    .isInstanceOfSatisfying(
                            ServerAction.TellVm.class,
                            told ->
                                    assertThat(told.news())
                                            .isInstanceOf(VmInput.FenceProved.class));
        }
    }

    /** Whoever waits may have shorter terms, or be the last to hear of longer ones. */
    @Nested
    class ItsLeaseIsWaitedOutByItsOwnTerms {
        private static final LeaseTerms LONGER = Samples.LONGER_TERMS;
        private static final LeaseTerms SHORTER =
                new LeaseTerms(
                        Duration.ofSeconds(1), Samples.TERMS.renewal(), Samples.TERMS.margin());

        private ServerState state = LIVE;
        private List<ServerAction> actions = List.of();

        private void hear(ServerInput input) {
            var decision = (Accepted<ServerEvent, ServerAction>) decide(state, input);
            state = Samples.afterAll(state, decision.events());
            actions = decision.actions();
        }

        private void assertAwaited(Incarnation incarnation, LeaseTerms terms) {
            hear(lost(incarnation, 1, 2));
            var wait = new ServerAction.AwaitLease(incarnation, Optional.of(terms.proofWait()));
            assertThat(actions).contains(wait);
            assertThat(ServerLife.pending(state)).contains(wait);
        }

        @Test
        void thoseThatItWasAdmittedWith() {
            hear(join("boot-b", I2, true, LONGER));

            assertAwaited(I3, LONGER);
        }

        @Test
        void aProcessThatComesUpWithLongerOnesIsWelcomeWhenTheJournalHasThem() {
            hear(join("boot-b", I2, false, LONGER));

            assertThat(actions).first().isEqualTo(new ServerAction.Welcome(SERVER.with(LONGER)));
            assertAwaited(I2, LONGER);
        }

        @Test
        void leasesOfLongerOnesMayBeLiveWhenAProcessHasShorterOnes() {
            hear(join("boot-b", I2, false, SHORTER));

            assertAwaited(I2, Samples.TERMS);
        }

        @Test
        void aWelcomeWithShorterOnesIsForAnotherProcess() {
            assertThat(SERVER.admits("boot-b", Samples.TERMS)).isTrue();
            assertThat(SERVER.admits("boot-b", SHORTER)).isTrue();
            assertThat(SERVER.admits("boot-b", LONGER)).isFalse();
        }

        @Test
        void whereTheJournalDoesNotSayTheWaiterTakesTheLongestThatItKnows() {
            state = LIVE.with(new Server(ALPHA, I2, "boot-b", 4096, Optional.empty()));
            hear(lost(I2, 1, 2));

            assertThat(actions).contains(new ServerAction.AwaitLease(I2, Optional.empty()));
        }

        @Test
        void aServerThatWasAdmittedWithoutThemSaysThemAgain() {
            state = LIVE.with(new Server(ALPHA, I2, "boot-b", 4096, Optional.empty()));
            hear(join("boot-b", I2, false));

            assertThat(state).isEqualTo(LIVE);
        }
    }

    @Nested
    class WhenFencing {
        @Test
        void theWaitedLeaseIsProof() {
            var proof = new Proof(Proof.Kind.LEASE, "waited", AT);

            assertThat(decide(FENCING, new ServerInput.LeaseWaited(I2, "waited")))
                    .isEqualTo(
                            accepted(
                                    List.of(new ServerEvent.FencingProved(AT, I2, proof)),
                                    List.of(tell(new VmInput.FenceProved(ALPHA, I2, proof)))));
        }

        @Test
        void aWaitOrAnAgentOfAnEarlierFencingProvesNothing() {
            assertThat(decide(FENCING, new ServerInput.LeaseWaited(I1, "waited")))
                    .isInstanceOf(Ignored.class);
            assertThat(decide(FENCING, new ServerInput.AgentAnswered(I1, true, "off")))
                    .isInstanceOf(Ignored.class);
        }

        @Test
        void anAgentThatFailsProvesNothing() {
            assertThat(decide(FENCING, new ServerInput.AgentAnswered(I2, false, "no answer")))
                    .isEqualTo(
                            accepted(
                                    List.of(new ServerEvent.FenceAgentFailed(AT, "no answer")),
                                    List.of()));
        }

        @Test
        void aServerThatComesBackHasToClean() {
            assertThat(decide(FENCING, join("boot-b", I2, false)))
                    .isEqualTo(
                            accepted(
                                    List.of(),
                                    List.of(new ServerAction.TellClean(ALPHA, I2, true))));
        }

        @Test
        void nothingIsReservedThere() {
            var decision =
                    (Accepted<ServerEvent, ServerAction>)
                            decide(FENCING, new ServerInput.Reserve(WEB, E7, MEMORY));

            assertThat(decision.events()).isEmpty();
        }

        /** And nobody is switched off again who may be back already. */
        @Test
        void theWaitStartsAfreshAfterARestart() {
            assertThat(ServerLife.pending(FENCING))
                    .containsExactly(
                            AWAIT_LEASE, tell(new VmInput.ServerLost(ALPHA, I2, List.of())));
        }
    }

    @Nested
    class WhenFenced {
        @Test
        void aCleanServerComesBackAsTheNextIncarnation() {
            var decision =
                    (Accepted<ServerEvent, ServerAction>) decide(FENCED, join("boot-b", I2, true));

            assertThat(decision.actions())
                    .containsExactly(
                            new ServerAction.Welcome(server(I3, "boot-b")),
                            new ServerAction.CallOffFenceAgent(ALPHA));
        }

        @Test
        void aVmThatAsksGetsTheProof() {
            assertThat(decide(FENCED, new ServerInput.AskStanding(WEB, I2)))
                    .isEqualTo(
                            accepted(
                                    List.of(),
                                    List.of(
                                            tell(
                                                    new VmInput.FenceProved(
                                                            ALPHA, I2, Samples.PROOF)))));
        }
    }
}
