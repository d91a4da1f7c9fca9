package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.BOTH;
import static dev.belay.decision.Samples.CROWDED;
import static dev.belay.decision.Samples.DISARMED;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.PROOF;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SPEC;
import static dev.belay.decision.Samples.after;
import static dev.belay.decision.Samples.claim;
import static dev.belay.decision.Samples.context;
import static dev.belay.decision.Samples.down;
import static dev.belay.decision.Samples.view;
import static dev.belay.decision.Samples.vm;
import static dev.belay.decision.Samples.wanted;
import static dev.belay.decision.Samples.wantedInFailover;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.ClusterView.Claim;
import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.VmState.BackingOff;
import dev.belay.decision.VmState.FailingOver;
import dev.belay.decision.VmState.Placing;
import dev.belay.decision.VmState.Running;
import dev.belay.decision.VmState.Starting;
import dev.belay.decision.VmState.Stopped;
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.Desired;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What a VM does while servers are quarantined, the cluster is disarmed, or room is short. */
class VmCalmTest {
    private static final FailingOver LOST = new FailingOver(wantedInFailover(), RIGHT);
    private static final VmInput PROVED = new VmInput.FenceProved(ALPHA, I2, PROOF);

    private static VmState hear(VmState state, Context now, VmInput input) {
        return VmLife.decide(state, now, input) instanceof Accepted<VmEvent, VmAction> accepted
                ? after(state, accepted.events())
                : state;
    }

    private static Context disarmed(ServerView... servers) {
        return withView(
                new ClusterView(List.of(servers), Optional.of(Samples.DISARMING), List.of()));
    }

    private static Context withView(ClusterView view) {
        return new Context(Samples.AT, "witness", view);
    }

    @Nested
    class WhenAServerIsQuarantined {
        private static final ServerView FLAPPING =
                new ServerView(
                        BETA,
                        I1,
                        true,
                        true,
                        true,
                        false,
                        8192,
                        8192,
                        Optional.empty(),
                        Optional.empty());

        @Test
        void anotherServerIsTaken() {
            assertThat(hear(LOST, context(FLAPPING, view(ALPHA, I2, 2048)), PROVED))
                    .isInstanceOfSatisfying(
                            Placing.class,
                            placing -> assertThat(placing.candidate()).isEqualTo(ALPHA));
        }

        @Test
        void aVmThatFitsNowhereElseWaitsAndSaysWhy() {
            var now = context(down(ALPHA, I2), FLAPPING);
            var state = hear(LOST, now, PROVED);

            assertThat(state).isInstanceOf(Waiting.class);
            assertThat(Explanation.of(state, now.view()))
                    .contains("beta: it is quarantined: lost 3 times within an hour")
                    .contains("belay server release beta");
        }

        @Test
        void aVmThatRunsThereRunsOnAndStartsThereAgainWhenItDied() {
            var running =
                    new Running(wanted(), new dev.belay.model.RunRight(SPEC.name(), E7, BETA, I1));
            var now = context(FLAPPING, down(ALPHA, I2));

            assertThat(hear(running, now, new VmInput.Tick())).isEqualTo(running);
            assertThat(
                            hear(
                                    running,
                                    now,
                                    new VmInput.ReplicaGone(
                                            running.right(), VmInput.Cause.DIED, "signal 9")))
                    .isInstanceOfSatisfying(
                            Starting.class,
                            starting -> assertThat(starting.right().server()).isEqualTo(BETA));
        }
    }

    @Nested
    class WhenTheClusterIsDisarmed {
        @Test
        void aVmWhoseServerWasLostWaitsAndSaysUntilWhen() {
            var now = disarmed(down(ALPHA, I2), view(BETA, I1, 4096));
            var state = hear(LOST, now, PROVED);

            assertThat(state).isInstanceOf(Waiting.class);
            assertThat(Explanation.of(state, now.view()))
                    .contains(
                            "beta: automatic moves are disarmed until 2026-11-01T12:30:00Z by ada: new switch");
            assertThat(hear(state, BOTH, new VmInput.Tick()))
                    .as("armed again")
                    .isInstanceOf(Placing.class);
        }

        @Test
        void itStartsOnItsOwnServerWhenThatIsBack() {
            assertThat(hear(LOST, DISARMED, PROVED))
                    .isInstanceOfSatisfying(
                            Placing.class,
                            placing -> assertThat(placing.candidate()).isEqualTo(ALPHA));
        }

        @Test
        void aVmThatDiesStartsAgainWhereItWas() {
            var died = new VmInput.ReplicaGone(RIGHT, VmInput.Cause.DIED, "signal 9");

            assertThat(hear(new Running(wanted(), RIGHT), DISARMED, died))
                    .isInstanceOf(Starting.class);
        }

        @Test
        void aVmThatFailsAgainAndAgainIsNotTriedElsewhere() {
            var tired = new BackingOff(wantedInFailover().failed(4), RIGHT, Duration.ofSeconds(1));

            assertThat(hear(tired, BOTH, new VmInput.BackOffOver(E7))).isInstanceOf(Placing.class);
            assertThat(hear(tired, DISARMED, new VmInput.BackOffOver(E7)))
                    .isInstanceOfSatisfying(
                            Starting.class,
                            starting -> assertThat(starting.right().server()).isEqualTo(ALPHA));
        }

        @Test
        void aUsersStartIsNoMove() {
            var now = disarmed(down(ALPHA, I2), view(BETA, I1, 4096));

            assertThat(hear(new Stopped(vm(Desired.STOPPED)), now, new VmInput.Start()))
                    .isInstanceOf(Placing.class);
            assertThat(hear(VmHistory.NEW, now, new VmInput.Create(SPEC, true)))
                    .isInstanceOf(Placing.class);
        }

        @Test
        void aRunningVmSaysThatItsNextFailureIsNotCovered() {
            var running = new Running(wanted(), RIGHT);

            assertThat(Explanation.protection(running, BOTH.view()))
                    .isEqualTo(Explanation.Protection.PROTECTED);
            assertThat(Explanation.protection(running, DISARMED.view()))
                    .isEqualTo(Explanation.Protection.DEGRADED);
            assertThat(Explanation.of(running, DISARMED.view())).contains("belay arm");
        }
    }

    @Test
    void aVmOnAFrozenServerSaysWhatAPersonCanDo() {
        var frozen =
                new ServerView(
                        ALPHA,
                        I2,
                        true,
                        false,
                        false,
                        true,
                        0,
                        8192,
                        Optional.empty(),
                        Optional.empty());

        assertThat(Explanation.of(new Running(wanted(), RIGHT), context(frozen).view()))
                .startsWith("Last known to run on server alpha, which does not answer this node.")
                .contains("belay server confirm-off alpha --yes-i-checked");
    }

    @Nested
    class WhenRoomIsShort {
        private final VmInput again = new VmInput.BackOffOver(E7);
        private final Waiting waiting = new Waiting(wanted(), List.of());

        private Context betaWith(int freeMiB, Claim... claims) {
            return withView(
                    new ClusterView(
                            List.of(view(BETA, I1, freeMiB)), Optional.empty(), List.of(claims)));
        }

        @Test
        void itIsLeftToTheVmOfHigherPriority() {
            var state = hear(waiting, CROWDED, again);

            assertThat(state).isInstanceOf(Waiting.class);
            assertThat(Explanation.of(state, CROWDED.view()))
                    .contains("beta: its room is left to VM 'db' of higher priority for now");
        }

        @Test
        void roomForBothIsTaken() {
            assertThat(hear(waiting, betaWith(4096 + MEMORY, claim("db", 10, 4096)), again))
                    .isInstanceOf(Placing.class);
        }

        @Test
        void theRoomOfAllOfHigherPriorityCountsTogether() {
            var claims = new Claim[] {claim("db", 10, 2048), claim("mail", 5, 2048)};

            assertThat(hear(waiting, betaWith(4096, claims), again)).isInstanceOf(Waiting.class);
            assertThat(hear(waiting, betaWith(4096 + MEMORY, claims), again))
                    .isInstanceOf(Placing.class);
        }

        @Test
        void nobodyWaitsForOneThatCouldNotHaveIt() {
            for (var claim :
                    List.of(
                            claim("equal", 0, 4096),
                            claim("refused-there", 10, 4096, BETA),
                            claim("too-big", 10, 4097))) {
                assertThat(hear(waiting, betaWith(4096, claim), again))
                        .as("%s", claim)
                        .isInstanceOf(Placing.class);
            }
        }

        @Test
        void nobodyWaitsForLong() {
            assertThat(VmLife.pending(waiting))
                    .contains(new VmAction.InsistAfter(VmPriority.PATIENCE, E7));
            assertThat(hear(waiting, CROWDED, new VmInput.Insist(E8))).isEqualTo(waiting);
            assertThat(hear(waiting, CROWDED, new VmInput.Insist(E7))).isInstanceOf(Placing.class);
        }

        @Test
        void aVmClaimsRoomFromTheMomentThatItsServerIsLost() {
            assertThat(VmPriority.claim(LOST, Optional.empty()))
                    .hasValue(claim("web", 0, MEMORY, ALPHA));
            assertThat(VmPriority.claim(waiting, Optional.empty()))
                    .hasValue(claim("web", 0, MEMORY));
            assertThat(VmPriority.claim(new Running(wanted(), RIGHT), Optional.empty())).isEmpty();
            assertThat(
                            VmPriority.claim(
                                    new FailingOver(vm(Desired.STOPPED), RIGHT), Optional.empty()))
                    .isEmpty();
        }

        @Test
        void aVmThatMayNotMoveClaimsNothingElsewhere() {
            assertThat(VmPriority.claim(LOST, Optional.of(Samples.DISARMING)))
                    .hasValueSatisfying(
                            claim -> assertThat(claim.wish().only()).containsExactly(ALPHA));
        }
    }
}
