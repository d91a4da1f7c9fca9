package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.I3;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.WEB;
import static dev.belay.decision.Samples.afterAll;
import static dev.belay.decision.ServerLifeTest.FENCED;
import static dev.belay.decision.ServerLifeTest.FENCING;
import static dev.belay.decision.ServerLifeTest.LIVE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.Decision.Reason;
import dev.belay.decision.Decision.Rejected;
import dev.belay.decision.ServerState.Live;
import dev.belay.model.Incarnation;
import dev.belay.model.VmName;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers that flap, vanish together, or are said to be off. */
class ServerCalmTest {
    private static final Losses QUARANTINE = new Losses(3, List.of(1L, 2L, 3L), true);

    private ServerState state = LIVE;
    private List<ServerAction> actions = List.of();

    private Decision<ServerEvent, ServerAction> hear(ServerInput input) {
        var decision = ServerLife.decide(ALPHA, state, AT, input);
        if (decision instanceof Accepted<ServerEvent, ServerAction> accepted) {
            state = afterAll(state, accepted.events());
            actions = accepted.actions();
        }
        return decision;
    }

    private Incarnation incarnation() {
        return ServerRules.incarnation(state);
    }

    private Losses losses() {
        return ((ServerState.Known) state).losses();
    }

    private static ServerInput.Lost lost(Incarnation incarnation, int vanished, int before) {
        return new ServerInput.Lost(incarnation, List.of(), vanished, before, true);
    }

    private void loseAndReturn(int times) {
        for (int time = 0; time < times; time++) {
            hear(lost(incarnation(), 1, 3));
            hear(new ServerInput.LeaseWaited(incarnation(), "waited"));
            hear(ServerLifeTest.join("boot-" + time, incarnation(), true));
        }
        assertThat(state).isInstanceOf(Live.class);
    }

    @Nested
    class Maintenance {
        private static final Optional<ServerState.Maintenance> BEGUN =
                Optional.of(new ServerState.Maintenance(AT, false));

        private Optional<ServerState.Maintenance> maintenance() {
            return ((ServerState.Known) state).maintenance();
        }

        @Test
        void itGetsNoNewVmAndKeepsThoseThatItHas() {
            hear(new ServerInput.BeginMaintenance(false));
            assertThat(maintenance()).isEqualTo(BEGUN);

            hear(new ServerInput.Reserve(new VmName("new"), E7, MEMORY));
            assertThat(actions)
                    .containsExactly(
                            new ServerAction.TellVm(
                                    new VmName("new"),
                                    new VmInput.ReservationRefused(
                                            ALPHA, E7, Explanation.maintained(ALPHA))));

            hear(new ServerInput.Reserve(WEB, E8, MEMORY));
            assertThat(actions)
                    .containsExactly(
                            new ServerAction.TellVm(WEB, new VmInput.Reserved(ALPHA, I2, E8)));

            hear(new ServerInput.EndMaintenance());
            hear(new ServerInput.Reserve(new VmName("new"), E7, MEMORY));
            assertThat(actions)
                    .containsExactly(
                            new ServerAction.TellVm(
                                    new VmName("new"), new VmInput.Reserved(ALPHA, I2, E7)));
        }

        @Test
        void askingAgainTakesNothingBack() {
            hear(new ServerInput.BeginMaintenance(true));

            assertThat(hear(new ServerInput.BeginMaintenance(false))).isInstanceOf(Ignored.class);
            assertThat(maintenance()).map(ServerState.Maintenance::restartVms).contains(true);
        }

        @Test
        void restartsCanBeAskedForLater() {
            hear(new ServerInput.BeginMaintenance(false));
            hear(new ServerInput.BeginMaintenance(true));

            assertThat(maintenance()).map(ServerState.Maintenance::restartVms).contains(true);
        }

        /** Five reboots for one firmware are no reason to distrust it. */
        @Test
        void itOutlastsItsLossesWhichDoNotCount() {
            hear(new ServerInput.BeginMaintenance(false));
            loseAndReturn(5);

            assertThat(losses()).isEqualTo(Losses.NONE);
            assertThat(maintenance()).isEqualTo(BEGUN);

            hear(new ServerInput.EndMaintenance());
            loseAndReturn(1);
            assertThat(losses().count()).isEqualTo(1);
        }

        @Test
        void nobodySwitchesAnEmptyServerOffThatSomebodyWorksOn() {
            state = ServerLifeTest.live(java.util.Map.of());
            hear(new ServerInput.BeginMaintenance(false));
            hear(lost(I2, 1, 3));

            assertThat(actions).containsExactly(ServerLifeTest.AWAIT_LEASE);
            assertThat(ServerLife.pending(state)).containsExactly(ServerLifeTest.AWAIT_LEASE);
        }

        @Test
        void aVmThatIsStillOnItIsFailedOverAsFastAsEver() {
            hear(new ServerInput.BeginMaintenance(false));
            hear(lost(I2, 1, 3));

            assertThat(actions).contains(new ServerAction.CallFenceAgent(ALPHA, I2));
        }

        @Test
        void itBeginsAndEndsWhereverTheServerIs() {
            for (var somewhere : List.of(LIVE, FENCING, FENCED)) {
                state = somewhere;
                hear(new ServerInput.BeginMaintenance(false));
                assertThat(maintenance()).isEqualTo(BEGUN);
                hear(new ServerInput.EndMaintenance());
                assertThat(state).isEqualTo(somewhere);
                assertThat(hear(new ServerInput.EndMaintenance())).isInstanceOf(Ignored.class);
            }
            state = ServerHistory.NEW;
            assertThat(hear(new ServerInput.BeginMaintenance(false))).isInstanceOf(Rejected.class);
        }
    }

    @Nested
    class Quarantine {
        @Test
        void theThirdLossWithinTheWindowPutsTheServerIntoIt() {
            loseAndReturn(2);
            assertThat(losses().quarantined()).isFalse();
            loseAndReturn(1);

            assertThat(losses()).isEqualTo(QUARANTINE);
            assertThat(actions)
                    .as("counted from when it is up again")
                    .contains(new ServerAction.CoolDown(incarnation()));
        }

        @Test
        void aLossThatIsOldDoesNotCount() {
            loseAndReturn(2);
            hear(new ServerInput.LossAged(1));
            loseAndReturn(1);

            assertThat(losses()).isEqualTo(new Losses(3, List.of(2L, 3L), false));
        }

        /** As after a power cut of everything: nobody saw it missing. */
        @Test
        void aServerThatRebootsUnmissedWasNotLost() {
            for (int time = 0; time < 5; time++) {
                hear(ServerLifeTest.join("boot-" + time, incarnation(), true));
            }

            assertThat(incarnation()).isEqualTo(new Incarnation(7));
            assertThat(losses()).isEqualTo(Losses.NONE);
        }

        @Test
        void itGetsNoNewVmAndKeepsThoseThatItHas() {
            state = LIVE.with(QUARANTINE);

            hear(new ServerInput.Reserve(new VmName("new"), E7, MEMORY));
            assertThat(actions)
                    .singleElement()
                    .isInstanceOfSatisfying(
                            ServerAction.TellVm.class,
                            told ->
                                    assertThat(told.news())
                                            .isEqualTo(
                                                    new VmInput.ReservationRefused(
                                                            ALPHA,
                                                            E7,
                                                            Explanation.quarantined(ALPHA))));

            hear(new ServerInput.Reserve(WEB, E8, MEMORY));
            assertThat(actions)
                    .containsExactly(
                            new ServerAction.TellVm(WEB, new VmInput.Reserved(ALPHA, I2, E8)));
        }

        @Test
        void beingUpForTheWholeCoolDownEndsIt() {
            state = LIVE.with(QUARANTINE);

            assertThat(hear(new ServerInput.CooledDown(I1))).isInstanceOf(Ignored.class);
            hear(new ServerInput.CooledDown(I2));

            assertThat(losses()).isEqualTo(new Losses(3, List.of(), false));
        }

        @Test
        void anotherLossStartsTheCoolDownAfresh() {
            state = LIVE.with(QUARANTINE);
            loseAndReturn(1);

            assertThat(hear(new ServerInput.CooledDown(I2))).isInstanceOf(Ignored.class);
            assertThat(losses().quarantined()).isTrue();
            assertThat(ServerLife.pending(state)).containsExactly(new ServerAction.CoolDown(I3));
        }

        @Test
        void inItNoLossAges() {
            state = LIVE.with(QUARANTINE);

            assertThat(hear(new ServerInput.LossAged(1))).isInstanceOf(Ignored.class);
        }

        @Test
        void anOperatorEndsItAtAnyTime() {
            for (var quarantined :
                    List.of(
                            LIVE.with(QUARANTINE),
                            FENCING.with(QUARANTINE),
                            FENCED.with(QUARANTINE))) {
                state = quarantined;
                hear(new ServerInput.EndQuarantine());
                assertThat(losses()).isEqualTo(new Losses(3, List.of(), false));
            }
            assertThat(hear(new ServerInput.EndQuarantine())).isInstanceOf(Ignored.class);
        }

        @Test
        void aNewProcessCountsTheTimeAfresh() {
            state = LIVE.with(new Losses(5, List.of(4L, 5L), false));

            assertThat(ServerLife.pending(state))
                    .containsExactly(new ServerAction.AgeLoss(4), new ServerAction.AgeLoss(5));
        }
    }

    @Nested
    class Freeze {
        @Test
        void whoIsFrozenIsNotFencedAndSaysSoOnce() {
            hear(lost(I2, 2, 3));
            assertThat(((Live) state).freeze()).hasValue(new ServerState.Freeze(2, 3));

            assertThat(hear(lost(I2, 2, 3))).isInstanceOf(Ignored.class);
        }

        @Test
        void itEndsWhenTheServerAnswers() {
            hear(lost(I2, 2, 3));
            hear(ServerLifeTest.join("boot-b", I2, false));

            assertThat(state).isEqualTo(LIVE);
        }

        @Test
        void whenTheOthersAreBackTheOneThatIsNotIsFenced() {
            hear(lost(I2, 2, 3));
            hear(lost(I2, 1, 3));

            assertThat(state).isInstanceOf(ServerState.Fencing.class);
        }
    }

    @Test
    void whileTheClusterIsDisarmedNobodyIsFenced() {
        assertThat(hear(new ServerInput.Lost(I2, List.of(), 1, 3, false)))
                .isInstanceOf(Ignored.class);
        hear(lost(I2, 1, 3));
        assertThat(state).as("armed again").isInstanceOf(ServerState.Fencing.class);
    }

    @Nested
    class APersonSaysThatItIsOff {
        @Test
        void isFencedAlthoughFrozenAndItsLeaseIsWaitedOutAllTheSame() {
            hear(lost(I2, 2, 3));
            hear(new ServerInput.ConfirmOff(I2, false));

            assertThat(state)
                    .isInstanceOfSatisfying(
                            ServerState.Fencing.class,
                            fencing ->
                                    assertThat(fencing.evidence())
                                            .extracting(Evidence::what)
                                            .containsExactly(
                                                    "a person confirmed that alpha is off"));
            assertThat(actions).contains(ServerLifeTest.AWAIT_LEASE);
        }

        @Test
        void whileItIsBeingFencedTheWordChangesNothing() {
            state = FENCING;
            assertThat(hear(new ServerInput.ConfirmOff(I2, false))).isInstanceOf(Ignored.class);
        }

        @Test
        void isNotBelievedWhenTheServerAnswers() {
            assertThat(hear(new ServerInput.ConfirmOff(I2, true)))
                    .isInstanceOfSatisfying(
                            Rejected.class,
                            no -> assertThat(no.reason()).isEqualTo(Reason.CONFLICT));
            assertThat(state).isEqualTo(LIVE);
        }

        @ParameterizedTest
        @ValueSource(longs = {0, 1, 3})
        void isNotBelievedOfAnotherLifeOfIt(long other) {
            assertThat(hear(new ServerInput.ConfirmOff(new Incarnation(other), false)))
                    .isInstanceOf(Rejected.class);
            assertThat(state).isEqualTo(LIVE);
        }
    }
}
