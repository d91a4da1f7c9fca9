package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.OTHER_QEMU;
import static dev.belay.decision.Samples.QEMU;
import static dev.belay.decision.Samples.TERMS;
import static dev.belay.decision.Samples.WEB;
import static dev.belay.decision.Samples.afterAll;
import static dev.belay.decision.ServerLifeTest.FENCED;
import static dev.belay.decision.ServerLifeTest.FENCING;
import static dev.belay.decision.ServerLifeTest.LIVE;
import static dev.belay.decision.ServerLifeTest.SERVER;
import static dev.belay.decision.ServerLifeTest.join;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.ServerState.Fenced;
import dev.belay.decision.ServerState.Reservation;
import dev.belay.model.VmName;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What proves that nothing of a server runs, what voids that, and what a join tells besides. */
class ServerProofTest {
    private static final ServerInput SEEN_OFF = new ServerInput.AgentAnswered(I2, true, "off");
    private static final ServerInput SAID_OFF = new ServerInput.ConfirmOff(I2, false);

    private static Fenced fencedBy(Proof.Kind kind) {
        return new Fenced(SERVER, new Proof(kind, "why", AT), Losses.NONE);
    }

    private static Decision<ServerEvent, ServerAction> decide(
            ServerState state, ServerInput input) {
        return ServerLife.decide(ALPHA, state, AT, input);
    }

    private static Accepted<ServerEvent, ServerAction> hears(ServerState state, ServerInput input) {
        return (Accepted<ServerEvent, ServerAction>) decide(state, input);
    }

    private static ServerInput.Join tellsQemu(boolean clean, Qemu qemu) {
        return new ServerInput.Join("boot-b", 4096, I2, clean, TERMS, Optional.of(qemu));
    }

    /** A lease that is over proves nothing about one of two in lockstep (safety.md 14). */
    @Nested
    class AfterTheLease {
        @Test
        void theAgentsWordIsStoredToo() {
            assertThat(hears(FENCED, SEEN_OFF).events())
                    .containsExactly(
                            new ServerEvent.FencingProved(
                                    AT, I2, new Proof(Proof.Kind.AGENT, "off", AT)));
        }

        @Test
        void aPersonsWordIsStoredToo() {
            assertThat(hears(FENCED, SAID_OFF).events())
                    .containsExactly(
                            new ServerEvent.FencingProved(
                                    AT,
                                    I2,
                                    new Proof(
                                            Proof.Kind.PERSON,
                                            "a person confirmed that it is off",
                                            AT)));
        }

        @Test
        void anAgentThatFailsOrSpeaksOfAnotherLifeAddsNothing() {
            assertThat(decide(FENCED, new ServerInput.AgentAnswered(I2, false, "no answer")))
                    .isInstanceOf(Ignored.class);
            assertThat(decide(FENCED, new ServerInput.AgentAnswered(I1, true, "off")))
                    .isInstanceOf(Ignored.class);
        }

        @ParameterizedTest
        @EnumSource(names = {"AGENT", "PERSON"})
        void whoWasSeenOffOnceIsNotProvedAgain(Proof.Kind kind) {
            assertThat(decide(fencedBy(kind), SEEN_OFF)).isInstanceOf(Ignored.class);
            assertThat(decide(fencedBy(kind), SAID_OFF)).isInstanceOf(Ignored.class);
        }
    }

    @ParameterizedTest
    @CsvSource({"AGENT,fence agent", "PERSON,person"})
    void aWordFromThatLifeVoidsWhatWasSeen(Proof.Kind kind, String who) {
        assertThat(hears(fencedBy(kind), join("boot-b", I2, false)).events())
                .singleElement()
                .isInstanceOfSatisfying(
                        ServerEvent.ProofVoided.class,
                        voided -> assertThat(voided.why()).contains(who));
    }

    /** It was waited out on the waiter's own clock: that somebody speaks late changes nothing. */
    @Test
    void aWordFromThatLifeDoesNotVoidItsLease() {
        assertThat(decide(FENCED, join("boot-b", I2, false)))
                .isEqualTo(
                        new Accepted<>(
                                List.of(), List.of(new ServerAction.TellClean(ALPHA, I2, true))));
    }

    @Test
    void anAgentThatFailedIsNotBelievedWhenItAnswersOff() {
        var failed =
                afterAll(
                        FENCING,
                        hears(FENCING, new ServerInput.AgentAnswered(I2, false, "no")).events());

        assertThat(decide(failed, SEEN_OFF)).isInstanceOf(Ignored.class);
        assertThat(hears(FENCING, SEEN_OFF).events())
                .containsExactly(
                        new ServerEvent.FencingProved(
                                AT, I2, new Proof(Proof.Kind.AGENT, "off", AT)));
    }

    @ParameterizedTest
    @CsvSource({"boot-b,CLEANED", "boot-c,REBOOTED"})
    void whoComesBackCleanIsTheProofOfTheLifeBefore(String boot, Proof.Kind kind) {
        var decision = hears(LIVE, join(boot, I2, true));

        assertThat(decision.events())
                .filteredOn(ServerEvent.FencingProved.class::isInstance)
                .singleElement()
                .extracting(event -> ((ServerEvent.FencingProved) event).proof().kind())
                .isEqualTo(kind);
        assertThat(decision.actions())
                .as("its VMs wait for it")
                .filteredOn(ServerAction.TellVm.class::isInstance)
                .singleElement()
                .extracting(action -> ((ServerAction.TellVm) action).news())
                .isInstanceOfSatisfying(
                        VmInput.FenceProved.class,
                        proved -> {
                            assertThat(proved.incarnation()).isEqualTo(I2);
                            assertThat(proved.proof().kind()).isEqualTo(kind);
                        });
    }

    @Nested
    class WhatAJoinTells {
        @Test
        void itsQemuWhenItIsAdmitted() {
            assertThat(hears(LIVE, tellsQemu(true, OTHER_QEMU)).events())
                    .contains(new ServerEvent.QemuTold(AT, OTHER_QEMU));
        }

        @Test
        void itsQemuOnceMoreOnlyWhenItIsAnotherOne() {
            assertThat(hears(LIVE, tellsQemu(false, OTHER_QEMU)).events())
                    .containsExactly(new ServerEvent.QemuTold(AT, OTHER_QEMU));
            assertThat(hears(LIVE, tellsQemu(false, QEMU)).events()).isEmpty();
        }

        @Test
        void itsVmsHearInOneOrderWhatIsKeptForThem() {
            var kept = new Reservation(E7, MEMORY);
            var names = List.of(new VmName("a"), new VmName("b"), new VmName("c"), new VmName("d"));
            var live =
                    ServerLifeTest.live(
                            Map.of(
                                    names.get(3),
                                    kept,
                                    names.get(1),
                                    kept,
                                    names.get(0),
                                    kept,
                                    names.get(2),
                                    kept));

            assertThat(hears(live, join("boot-b", I2, false)).actions())
                    .filteredOn(ServerAction.TellVm.class::isInstance)
                    .extracting(action -> ((ServerAction.TellVm) action).vm())
                    .containsExactlyElementsOf(names);
        }
    }

    @Test
    void allMemoryThatThereIsCanBeHad() {
        var empty = ServerLifeTest.live(Map.of());

        assertThat(hears(empty, new ServerInput.Reserve(WEB, E7, 4096)).events())
                .containsExactly(new ServerEvent.MemoryReserved(AT, WEB, E7, 4096));
    }
}
