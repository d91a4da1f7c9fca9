package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.BOTH;
import static dev.belay.decision.Samples.E6;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.ONLY_BETA;
import static dev.belay.decision.Samples.PAIR_SPEC;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SECONDARY;
import static dev.belay.decision.Samples.SPEC;
import static dev.belay.decision.Samples.accepted;
import static dev.belay.decision.Samples.after;
import static dev.belay.decision.Samples.paired;
import static dev.belay.decision.Samples.right;
import static dev.belay.decision.Samples.wanted;
import static dev.belay.decision.Samples.wantedInFailover;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.VmInput.Cause;
import dev.belay.decision.VmState.BackingOff;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Running;
import dev.belay.decision.VmState.Starting;
import dev.belay.decision.VmState.Stopping;
import dev.belay.model.Desired;
import dev.belay.model.RunRight;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How often, after which pause and where a VM starts again, and what its report says of it. */
class VmRecoveryTest {
    private static final RunRight NEXT = right(E8, ALPHA, I2);
    private static final VmAction SETTLE = new VmAction.SettleAfter(Duration.ofSeconds(60), E7);

    private static Accepted<VmEvent, VmAction> hears(VmState state, Context now, VmInput input) {
        return (Accepted<VmEvent, VmAction>) VmLife.decide(state, now, input);
    }

    private static Accepted<VmEvent, VmAction> hears(VmState state, VmInput input) {
        return hears(state, BOTH, input);
    }

    private static VmInput gone(Cause cause) {
        return new VmInput.ReplicaGone(RIGHT, cause, "detail");
    }

    private static VmInput lost() {
        return new VmInput.ServerLost(ALPHA, I2, List.of());
    }

    @Nested
    class HowManyFailures {
        @ParameterizedTest
        @CsvSource({"DIED,1", "POWERED_OFF,1", "LEASE,0", "STOPPED,0"})
        void onlyWhatTheReplicaDidItselfCounts(Cause cause, int failures) {
            var state = new Running(wanted(), RIGHT);

            assertThat(VmLife.vm(after(state, hears(state, gone(cause)).events())).failures())
                    .isEqualTo(failures);
        }

        @Test
        void theyAreForgottenWhenItHasRunForAWhile() {
            var failed = new Running(wanted().failed(1), RIGHT);
            var started = new VmInput.ReplicaStarted(RIGHT, "pid 1", List.of());

            assertThat(hears(new Starting(wanted().failed(1), RIGHT), started).actions())
                    .containsExactly(SETTLE);
            assertThat(VmLife.pending(failed)).contains(SETTLE);
            assertThat(hears(failed, new VmInput.Settled(E7)).events())
                    .containsExactly(new VmEvent.VmSettled(AT, E7));
            assertThat(VmLife.decide(failed, BOTH, new VmInput.Settled(E6)))
                    .as("of an earlier run")
                    .isInstanceOf(Ignored.class);
        }

        @Test
        void whereNoneIsHeldAgainstItNobodyCountsTheTime() {
            var running = new Running(wanted(), RIGHT);
            var started = new VmInput.ReplicaStarted(RIGHT, "pid 1", List.of());

            assertThat(hears(new Starting(wanted(), RIGHT), started).actions()).isEmpty();
            assertThat(VmLife.pending(running)).doesNotContain(SETTLE);
            assertThat(VmLife.decide(running, BOTH, new VmInput.Settled(E7)))
                    .isInstanceOf(Ignored.class);
        }

        @ParameterizedTest
        @CsvSource({"1,1", "2,2", "3,4", "4,8", "5,16", "6,30", "40,30"})
        void eachMakesThePauseLonger(int before, int seconds) {
            var pause = Duration.ofSeconds(seconds);
            var decision = hears(new Running(wanted().failed(before), RIGHT), gone(Cause.DIED));

            assertThat(decision.events()).contains(new VmEvent.BackOffBegan(AT, RIGHT, pause));
            assertThat(decision.actions()).containsExactly(new VmAction.WakeAfter(pause, E7));
        }
    }

    @Nested
    class Where {
        @Test
        void aStartThatFailedThreeTimesIsTriedElsewhereAtOnce() {
            var failed = new VmInput.ReplicaStartFailed(RIGHT, "no QEMU", true, false);

            assertThat(hears(new Starting(wanted().failed(2), RIGHT), failed).actions())
                    .containsExactly(
                            new VmAction.Release(ALPHA, E7),
                            new VmAction.Reserve(BETA, E8, MEMORY));
        }

        @Test
        void afterThePauseItStartsHereUpToTheThirdFailure() {
            var state = new BackingOff(wanted().failed(3), RIGHT, Duration.ofSeconds(2));

            assertThat(hears(state, new VmInput.BackOffOver(E7)).actions())
                    .containsExactly(new VmAction.StartReplica(NEXT, SPEC));
        }

        /** Whatever its failures: nobody else has the newest bytes of its disks. */
        @Test
        void itNeverLeavesItsDisks() {
            var state = new BackingOff(paired().failed(9), RIGHT, Duration.ofSeconds(30));

            assertThat(hears(state, new VmInput.BackOffOver(E7)).actions())
                    .containsExactly(new VmAction.StartReplica(NEXT, PAIR_SPEC));
        }

        @Test
        void aPauseEndsWhenItsServerIsLostAndNotWhenAnotherOneIs() {
            var state = new BackingOff(wanted().failed(2), RIGHT, Duration.ofSeconds(1));

            assertThat(hears(state, ONLY_BETA, lost()).actions())
                    .containsExactly(new VmAction.Reserve(BETA, E8, MEMORY));
            for (var other :
                    List.of(
                            new VmInput.ServerLost(BETA, I1, List.of()),
                            new VmInput.ServerLost(ALPHA, I1, List.of()))) {
                assertThat(VmLife.decide(state, BOTH, other)).isInstanceOf(Ignored.class);
            }
        }

        @Test
        void aFailedDiskIsLeftOnceItsReplicaHasEnded() {
            var running = new Running(wanted(), RIGHT);
            var failed = hears(running, new VmInput.DiskFailed(RIGHT, "root", "EIO"));
            assertThat(failed.actions()).containsExactly(new VmAction.StopReplica(RIGHT, true));

            assertThat(hears(after(running, failed.events()), gone(Cause.STOPPED)))
                    .satisfies(decision ->
                            assertThat(decision.events())
                                    .contains(
                                            new VmEvent.PlacementTried(
                                                    AT,
                                                    BETA,
                                                    List.of(
                                                            new VmState.Refusal(
                                                                    ALPHA,
                                                                    "its disk failed there",
                                                                    true)))))
                    .satisfies(decision ->
                            assertThat(decision.actions())
                                    .containsExactly(
                                            new VmAction.Release(ALPHA, E7),
                                            new VmAction.Reserve(BETA, E8, MEMORY)));
        }

        @Test
        void aPanickedGuestStartsHereAtOnceAndTheNextTimeAfterAPause() {
            var first = new Stopping(wanted(), RIGHT, true, false);
            assertThat(hears(first, gone(Cause.STOPPED)).actions())
                    .containsExactly(new VmAction.StartReplica(NEXT, SPEC));

            var second = new Stopping(wanted().failed(1), RIGHT, true, false);
            assertThat(hears(second, gone(Cause.STOPPED)).actions())
                    .containsExactly(new VmAction.WakeAfter(Duration.ofSeconds(1), E7));
        }
    }

    @Nested
    class Report {
        private final VmState running = new Running(wanted(), RIGHT);

        private static VmEvent began(int number, String cause, boolean fencing) {
            return new VmEvent.FailoverBegan(AT, number, cause, RIGHT, fencing);
        }

        @ParameterizedTest
        @CsvSource(
                delimiter = '|',
                value = {
                    "DIED|QEMU ended: detail",
                    "LEASE|the leash killed it because the lease ran out: detail",
                    "POWERED_OFF|the guest switched itself off",
                    "STOPPED|stopped: detail"
                })
        void saysWhyAReplicaEnded(Cause cause, String words) {
            var decision = hears(running, gone(cause));

            assertThat(decision.events()).first().isEqualTo(began(1, words, false));
            assertThat(
                            VmLife.vm(after(running, decision.events()))
                                    .failover()
                                    .orElseThrow()
                                    .steps())
                    .first()
                    .isEqualTo(new Failover.Step(AT, "alpha", words, -1));
        }

        @Test
        void saysThatTheGuestPanicked() {
            assertThat(hears(running, new VmInput.GuestPanicked(RIGHT)).events())
                    .first()
                    .isEqualTo(began(1, "the guest's kernel panicked", false));
        }

        @Test
        void endsWhenItRunsAgainAndTheNextOneHasTheNextNumber() {
            var died = after(running, hears(running, gone(Cause.DIED)).events());
            var started = new VmInput.ReplicaStarted(NEXT, "pid 1", List.of());
            var again = after(died, hears(died, started).events());

            assertThat(VmLife.vm(again).failover()).isEmpty();
            assertThat(VmLife.vm(again).reports())
                    .singleElement()
                    .satisfies(report -> {
                        assertThat(report.number()).isEqualTo(1);
                        assertThat(report.to()).contains(ALPHA);
                    });
            assertThat(hears(again, new VmInput.GuestPanicked(NEXT)).events())
                    .first()
                    .isInstanceOfSatisfying(
                            VmEvent.FailoverBegan.class,
                            next -> assertThat(next.number()).isEqualTo(2));
        }

        @Test
        void goesOnWithWhatHappensMeanwhile() {
            var state = new Starting(wantedInFailover(), RIGHT);

            assertThat(hears(state, gone(Cause.DIED)).events())
                    .noneMatch(VmEvent.FailoverBegan.class::isInstance);
            assertThat(hears(state, lost()).events())
                    .contains(began(1, "server alpha is lost", true));
        }

        /** It lost the other one of two, is to be stopped, and dies before it was told. */
        @Test
        void isNotMadeOfAVmThatIsNotWanted() {
            var vm = paired().at(E8).giveUp(SECONDARY).desiring(Desired.STOPPED, false);

            assertThat(hears(new GoingSolo(vm, RIGHT, SECONDARY), gone(Cause.DIED)))
                    .isEqualTo(
                            accepted(
                                    List.of(
                                            new VmEvent.ReplicaEnded(
                                                    AT, RIGHT, "QEMU ended: detail", true),
                                            new VmEvent.VmStopped(AT)),
                                    List.of(new VmAction.Release(ALPHA, E7))));
        }
    }
}
