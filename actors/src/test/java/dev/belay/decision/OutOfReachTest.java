package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.after;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.VmState.FailingOver;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Vm;
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.Desired;
import dev.belay.model.Epoch;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A half may live by the other one: what a lease does not prove then, and who is not fenced. */
class OutOfReachTest {
    private static final VmName WEB = new VmName("web");
    private static final RunRight FIRST = new RunRight(WEB, new Epoch(7), ALPHA, I2);
    private static final RunRight SECOND = new RunRight(WEB, new Epoch(8), BETA, I1);
    private static final Vm VM =
            new Vm(
                            Samples.PAIR_SPEC,
                            Desired.RUNNING,
                            false,
                            new Epoch(8),
                            0,
                            0,
                            Optional.empty(),
                            List.of())
                    .newestOn(ALPHA, BETA);
    private static final Lockstep PAIR = new Lockstep(VM, FIRST, SECOND);
    private static final ServerState.Live SERVER =
            new ServerState.Live(
                    new ServerState.Server(ALPHA, I2, "boot", 8192, Optional.of(Samples.TERMS)),
                    Map.of(WEB, new ServerState.Reservation(new Epoch(7), 1024)),
                    Losses.NONE,
                    Optional.empty());

    private static VmInput proved(RunRight right, Proof.Kind kind) {
        return new VmInput.FenceProved(
                right.server(), right.incarnation(), new Proof(kind, "so", Instant.EPOCH));
    }

    private static VmState hears(VmState state, VmInput input) {
        return VmLife.decide(state, Samples.NOBODY, input)
                        instanceof Accepted<VmEvent, VmAction>(var events, _)
                ? after(state, events)
                : state;
    }

    private static List<VmAction> answers(VmState state, VmInput input) {
        return VmLife.decide(state, Samples.NOBODY, input)
                        instanceof Accepted<VmEvent, VmAction>(_, var actions)
                ? actions
                : List.of();
    }

    private static VmState bothLost() {
        var lost = hears(PAIR, new VmInput.ServerLost(ALPHA, I2, List.of()));
        assertThat(lost).isInstanceOf(FailingOver.class);
        return lost;
    }

    @Test
    void theLeasesOfBothProveNothing() {
        var lost = hears(bothLost(), proved(FIRST, Proof.Kind.LEASE));
        lost = hears(lost, new VmInput.ServerLost(BETA, I1, List.of()));
        lost = hears(lost, proved(SECOND, Proof.Kind.LEASE));
        lost = hears(lost, proved(FIRST, Proof.Kind.LEASE));
        assertThat(lost)
                .isInstanceOfSatisfying(
                        FailingOver.class,
                        still -> assertThat(still.vm().ending()).containsExactly(SECOND));
        assertThat(Explanation.of(lost, ClusterView.EMPTY)).contains("by each other's word");
        assertThat(VmLife.pending(lost))
                .contains(new VmAction.AskStanding(BETA, I1), new VmAction.AskStanding(ALPHA, I2));
    }

    @ParameterizedTest
    @EnumSource(
            value = Proof.Kind.class,
            names = {"AGENT", "REBOOTED", "CLEANED"})
    void theEndOfTheFirstIsEnough(Proof.Kind kind) {
        assertThat(hears(bothLost(), proved(FIRST, kind))).isInstanceOf(Waiting.class);
    }

    @ParameterizedTest
    @EnumSource(
            value = Proof.Kind.class,
            names = {"AGENT", "REBOOTED", "CLEANED"})
    void theEndOfTheOtherOneIsOutlivedFirst(Proof.Kind kind) {
        var lost = bothLost();
        assertThat(answers(lost, proved(SECOND, kind)))
                .containsExactly(new VmAction.OutliveAfter(SECOND));
        lost = hears(lost, proved(SECOND, kind));
        assertThat(hears(lost, proved(FIRST, Proof.Kind.LEASE))).isEqualTo(lost);
        lost = hears(lost, new VmInput.Outlived(SECOND));
        assertThat(lost).isInstanceOf(FailingOver.class);
        assertThat(hears(lost, proved(FIRST, Proof.Kind.LEASE))).isInstanceOf(Waiting.class);
    }

    @Test
    void itsOwnServersWordCountsAsWell() {
        assertThat(answers(bothLost(), new VmInput.ReplicaGone(SECOND, VmInput.Cause.STOPPED, "")))
                .containsExactly(new VmAction.OutliveAfter(SECOND));
    }

    @Test
    void oneThatWonAndWasNotHeardToBeAloneMayLiveByTheOther() {
        VmState solo = new GoingSolo(VM.newestOn(BETA).giveUp(FIRST), SECOND, FIRST);
        solo = hears(solo, new VmInput.ServerLost(ALPHA, I2, List.of()));
        solo = hears(solo, proved(FIRST, Proof.Kind.LEASE));
        assertThat(((GoingSolo) solo).vm().ending()).containsExactly(FIRST);
        var lost = hears(solo, proved(SECOND, Proof.Kind.LEASE));
        assertThat(lost).isInstanceOf(FailingOver.class);
        assertThat(hears(lost, proved(SECOND, Proof.Kind.LEASE))).isEqualTo(lost);
    }

    @Test
    void aloneItLivesByItsLeaseAndThatProvesItsEnd() {
        VmState solo = new GoingSolo(VM.newestOn(BETA).giveUp(FIRST), SECOND, FIRST);
        solo = hears(solo, new VmInput.SoloDone(SECOND, FIRST, List.of()));
        solo = hears(solo, new VmInput.ServerLost(ALPHA, I2, List.of()));
        assertThat(((VmState.Present) solo).vm().ending()).isEmpty();
        assertThat(hears(solo, proved(SECOND, Proof.Kind.LEASE))).isInstanceOf(Waiting.class);
    }

    @Test
    void bothAreToldWhatTheJournalSays() {
        assertThat(VmLife.pending(PAIR))
                .contains(
                        new VmAction.ConfirmLockstep(FIRST, SECOND),
                        new VmAction.ConfirmLockstep(SECOND, FIRST));
    }

    // ---- who is not fenced

    private static boolean isAll(VmState vm, Predicate<RunRight> away) {
        return OutOfReach.isAll(SERVER, _ -> vm, away);
    }

    @Test
    void aServerWithHalvesAloneWhosePartnersAreAwayIsLeft() {
        assertThat(isAll(PAIR, SECOND::equals)).isTrue();
        assertThat(isAll(PAIR, _ -> false)).isFalse();
        assertThat(isAll(new VmState.Running(VM, FIRST), _ -> true)).isFalse();
        assertThat(isAll(new GoingSolo(VM, FIRST, SECOND), _ -> true)).isFalse();
        var earlier = new RunRight(WEB, new Epoch(7), ALPHA, I1);
        assertThat(isAll(new Lockstep(VM, earlier, SECOND), _ -> true)).isFalse();
        var empty = new ServerState.Live(SERVER.server(), Map.of(), Losses.NONE, Optional.empty());
        assertThat(OutOfReach.isAll(empty, _ -> PAIR, _ -> true)).isFalse();
    }

    @Test
    void aPairIsWithinASideThatHoldsBothOfItsServers() {
        assertThat(OutOfReach.isWithin(PAIR, Set.of(ALPHA, BETA)::contains)).isTrue();
        assertThat(OutOfReach.isWithin(PAIR, Set.of(ALPHA)::contains)).isFalse();
        assertThat(OutOfReach.isWithin(new GoingSolo(VM, FIRST, SECOND), _ -> true)).isFalse();
    }

    @Test
    void toFenceItIsPutOffAndDoneWhenSomebodySaysThatItIsOff() {
        var lost = new ServerInput.Lost(I2, List.of(), 1, 4, true, true);
        assertThat(ServerLife.decide(ALPHA, SERVER, Instant.EPOCH, lost))
                .isInstanceOf(Ignored.class);
        var off = new ServerInput.ConfirmOff(I2, false);
        assertThat(ServerLife.decide(ALPHA, SERVER, Instant.EPOCH, off))
                .isInstanceOfSatisfying(
                        Accepted.class,
                        accepted ->
                                assertThat(accepted.events())
                                        .hasAtLeastOneElementOfType(
                                                ServerEvent.ServerFenced.class));
    }

    @Test
    void whoeverLooksIsTold() {
        assertThat(Explanation.of(PAIR, new ClusterView(List.of(away(ALPHA, I2), away(BETA, I1)))))
                .contains("out of reach", "confirm-off");
        assertThat(Explanation.of(PAIR, Samples.BOTH.view())).doesNotContain("out of reach");
        assertThat(VM.legs()).isEqualTo(Set.of(ALPHA, BETA));
    }

    private static ClusterView.ServerView away(
            dev.belay.model.ServerName name, dev.belay.model.Incarnation incarnation) {
        return new ClusterView.ServerView(
                name,
                incarnation,
                true,
                false,
                false,
                false,
                0,
                8192,
                Optional.empty(),
                Optional.empty());
    }
}
