package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.BOTH;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.EMPTYING_ALPHA;
import static dev.belay.decision.Samples.GAMMA;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.RESTARTING_ALPHA;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SECONDARY;
import static dev.belay.decision.Samples.SPEC;
import static dev.belay.decision.Samples.WEB;
import static dev.belay.decision.Samples.after;
import static dev.belay.decision.Samples.claim;
import static dev.belay.decision.Samples.context;
import static dev.belay.decision.Samples.maintained;
import static dev.belay.decision.Samples.paired;
import static dev.belay.decision.Samples.view;
import static dev.belay.decision.Samples.wanted;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.ClusterView.ServerView;
import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.VmInput.Cause;
import dev.belay.decision.VmState.BackingOff;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Pairing;
import dev.belay.decision.VmState.Placing;
import dev.belay.decision.VmState.Present;
import dev.belay.decision.VmState.Raising;
import dev.belay.decision.VmState.Refusal;
import dev.belay.decision.VmState.Running;
import dev.belay.decision.VmState.Starting;
import dev.belay.decision.VmState.Stopping;
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Level;
import dev.belay.model.VmSpec;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** How VMs leave a server that somebody is about to work on. */
class EmptyingTest {
    private static final Lockstep LOCKSTEP =
            new Lockstep(paired().at(E8).newestOn(ALPHA, BETA), RIGHT, SECONDARY);
    private static final VmInput TICK = new VmInput.Tick();

    /** Both have passed a checkpoint. */
    private static final VmInput LEAVES = new VmInput.HandOver(RIGHT, SECONDARY, false);

    private static final ServerView NO_ALPHA = maintained(ALPHA, I2, false);
    private static final ServerView NO_BETA = maintained(BETA, I1, false);

    private static VmState hear(VmState state, Context now, VmInput input) {
        return VmLife.decide(state, now, input) instanceof Accepted<VmEvent, VmAction> accepted
                ? after(state, accepted.events())
                : state;
    }

    private static List<VmAction> actions(VmState state, Context now, VmInput input) {
        return VmLife.decide(state, now, input) instanceof Accepted<VmEvent, VmAction> accepted
                ? accepted.actions()
                : List.of();
    }

    private static Departure departure(Present state, Context now) {
        var all = departures(state, now);
        assertThat(all).hasSize(1);
        return all.getFirst();
    }

    private static List<Departure> departures(Present state, Context now) {
        var server =
                new ServerState.Live(
                        new ServerState.Server(ALPHA, I2, "boot", 8192, Optional.of(Samples.TERMS)),
                        Map.of(),
                        Losses.NONE,
                        Optional.empty(),
                        now.view().server(ALPHA).orElseThrow().maintenance(),
                        Optional.of(Samples.QEMU));
        return Departure.of(server, server.maintenance().orElseThrow(), List.of(state), now.view());
    }

    @Nested
    class OfAVmOnTwoServers {
        @Test
        void thePrimarysServerIsLeftForTheOther() {
            assertThat(actions(LOCKSTEP, EMPTYING_ALPHA, TICK))
                    .contains(new VmAction.PassCheckpoint(RIGHT, SECONDARY, false));
            assertThat(hear(LOCKSTEP, EMPTYING_ALPHA, TICK)).isEqualTo(LOCKSTEP);
            var state = hear(LOCKSTEP, EMPTYING_ALPHA, LEAVES);

            assertThat(state)
                    .isInstanceOfSatisfying(
                            GoingSolo.class,
                            solo -> assertThat(solo.winner()).isEqualTo(SECONDARY));
            assertThat(actions(LOCKSTEP, EMPTYING_ALPHA, LEAVES))
                    .containsExactly(
                            new VmAction.GoSolo(SECONDARY, RIGHT),
                            new VmAction.StopReplica(RIGHT, true));
            assertThat(((GoingSolo) state).vm().failover())
                    .map(Failover::cause)
                    .contains("server alpha is in maintenance");
        }

        @Test
        void itStaysWhenTheServerWasActivatedMeanwhile() {
            assertThat(VmLife.decide(LOCKSTEP, BOTH, LEAVES)).isInstanceOf(Ignored.class);
        }

        @Test
        void theSecondarysCopyIsGivenUpAlsoWithoutAnother() {
            var now = context(view(ALPHA, I2, 4096), NO_BETA);
            var solo = hear(LOCKSTEP, now, TICK);
            assertThat(solo)
                    .isInstanceOfSatisfying(
                            GoingSolo.class, s -> assertThat(s.winner()).isEqualTo(RIGHT));

            var alone = hear(solo, now, new VmInput.SoloDone(RIGHT, SECONDARY, List.of()));
            assertThat(alone).isInstanceOf(Running.class);
            assertThat(Explanation.of(alone, now.view()))
                    .contains("beta: it is in maintenance", "belay server activate beta");
            assertThat(Departure.unprotected(BETA, List.of((Present) alone))).containsExactly(WEB);
            assertThat(hear(ended(alone, now), BOTH, TICK))
                    .as("activated again")
                    .isInstanceOf(Pairing.class);
        }

        private VmState ended(VmState state, Context now) {
            return hear(state, now, new VmInput.ReplicaGone(SECONDARY, Cause.STOPPED, ""));
        }

        @Test
        void theNextSecondCopyIsMadeElsewhere() {
            var now = context(NO_ALPHA, view(BETA, I1, 4096), view(GAMMA, I1, 4096));
            var solo = hear(LOCKSTEP, now, LEAVES);

            assertThat(hear(solo, now, new VmInput.SoloDone(SECONDARY, RIGHT, List.of())))
                    .isInstanceOfSatisfying(
                            Pairing.class,
                            pairing -> assertThat(pairing.candidate()).isEqualTo(GAMMA));
        }

        @Test
        void whenBothAreToBeEmptyItStaysAndSaysSo() {
            var now = context(NO_ALPHA, NO_BETA);

            assertThat(VmLife.decide(LOCKSTEP, now, TICK)).isInstanceOf(Ignored.class);
            var departure = departure(LOCKSTEP, now);
            assertThat(departure.moves()).isFalse();
            assertThat(departure.why()).contains("belay server activate beta");
        }

        @Test
        void whenBothAreToBeEmptyItGoesOnOnAThird() {
            var now = context(NO_ALPHA, NO_BETA, view(GAMMA, I1, 4096));
            assertThat(departure(LOCKSTEP, now).moves()).isTrue();

            var solo = hear(LOCKSTEP, now, TICK);
            assertThat(solo)
                    .isInstanceOfSatisfying(
                            GoingSolo.class, s -> assertThat(s.winner()).isEqualTo(RIGHT));
            assertThat(hear(solo, now, new VmInput.SoloDone(RIGHT, SECONDARY, List.of())))
                    .isInstanceOfSatisfying(
                            Pairing.class,
                            pairing -> assertThat(pairing.candidate()).isEqualTo(GAMMA));
        }

        /** Two copies are worth more than a way off. */
        @Test
        void itKeepsBothCopiesWhenOthersWaitForTheThirdsRoom() {
            var servers = List.of(NO_ALPHA, NO_BETA, view(GAMMA, I1, 4096));
            var now =
                    new Context(
                            AT,
                            "witness",
                            new ClusterView(
                                    servers,
                                    Optional.empty(),
                                    List.of(claim("db", 0, 4096 - 2 * MEMORY + 1))));

            assertThat(VmLife.decide(LOCKSTEP, now, TICK)).isInstanceOf(Ignored.class);
            assertThat(departure(LOCKSTEP, now).moves()).isFalse();
        }

        @Test
        void anOtherThatDoesNotAnswerIsWaitedFor() {
            var now =
                    context(
                            NO_ALPHA,
                            new ServerView(
                                    BETA,
                                    I1,
                                    true,
                                    false,
                                    false,
                                    false,
                                    4096,
                                    8192,
                                    Optional.empty(),
                                    Optional.empty()));

            assertThat(VmLife.decide(LOCKSTEP, now, TICK)).isInstanceOf(Ignored.class);
            assertThat(departure(LOCKSTEP, now).moves()).isTrue();
        }
    }

    @Nested
    class OfAVmThatIsToBeOnTwo {
        private static final Running ALONE = new Running(paired(), RIGHT);

        /** The way to move without being noticed. */
        @Test
        void itGetsItsSecondCopyElsewhereFirst() {
            assertThat(hear(ALONE, EMPTYING_ALPHA, TICK)).isInstanceOf(Pairing.class);
            assertThat(departure(ALONE, EMPTYING_ALPHA).moves()).isTrue();
        }

        @Test
        void withNowhereToGoItStaysAndSaysWhy() {
            var now = context(NO_ALPHA, view(BETA, I1, MEMORY));
            var stuck = hear(ALONE, now, TICK);

            assertThat(stuck).isInstanceOf(Running.class);
            var departure = departure((Present) stuck, now);
            assertThat(departure.moves()).isFalse();
            assertThat(departure.why()).contains("beta: it has %d MiB free".formatted(MEMORY));
            assertThat(departure.why()).contains("Stop it, or make room");
        }

        /** A pair that had not lasted counts as a failure; that brings no second server nearer. */
        @Test
        void itStaysWhenItsOtherServerIsLostSoonAfterLockstep() {
            var now = context(NO_ALPHA, Samples.down(BETA, I1));
            var refused = List.of(new Refusal(BETA, "it is fenced and has not come back", false));
            var lost = new Running(paired().pursuing(1, refused), RIGHT);
            assertThat(departure(lost, now))
                    .matches(stays -> !stays.moves())
                    .matches(stays -> stays.why().contains("No other server can take"));

            var told = List.of(new Refusal(BETA, "its disk is full", true));
            assertThat(departure(new Running(paired().pursuing(1, told), RIGHT), EMPTYING_ALPHA))
                    .as("asked again after a pause")
                    .matches(Departure::moves);
            var clearing = new Running(paired().giveUp(SECONDARY).pursuing(1, refused), RIGHT);
            assertThat(departure(clearing, EMPTYING_ALPHA))
                    .as("its earlier copy on beta is being ended")
                    .matches(Departure::moves);
        }

        @Test
        void aCopyThatIsBeingMadeThereIsGivenUp() {
            var raising = new Raising(paired().at(E8), RIGHT, SECONDARY, RaiseStage.DISKS, 40);
            var now = context(view(ALPHA, I2, 4096), NO_BETA);

            assertThat(hear(raising, now, TICK)).isInstanceOf(GoingSolo.class);
            assertThat(hear(raising, EMPTYING_ALPHA, TICK))
                    .as("its way off alpha")
                    .isEqualTo(raising);
        }

        @Test
        void onlyWhatMaintenanceKeepsFromItsSecondCopyIsToldAsUnprotected() {
            for (var other : List.of("the VM may not run there (placement.only)", "no image")) {
                var refused = List.of(new Refusal(BETA, other, true));
                var state = new Running(paired().pursuing(1, refused), RIGHT);
                assertThat(Departure.unprotected(BETA, List.of(state))).as(other).isEmpty();
            }
            for (var kept : List.of(Explanation.maintained(BETA), Emptying.why(BETA))) {
                var refused = List.of(new Refusal(BETA, kept, true));
                var state = new Running(paired().pursuing(1, refused), RIGHT);
                assertThat(Departure.unprotected(BETA, List.of(state))).containsExactly(WEB);
            }
        }

        @Test
        void aServerThatWasAskedForRoomIsAskedNoMore() {
            var pairing = new Pairing(paired(), RIGHT, BETA, List.of());
            var now = context(view(ALPHA, I2, 4096), NO_BETA);

            assertThat(hear(pairing, now, TICK)).isInstanceOf(Running.class);
            assertThat(actions(pairing, now, TICK)).contains(new VmAction.Release(BETA, E8));
        }
    }

    @Nested
    class OfAVmOnOneServer {
        private static final Running RUNNING = new Running(wanted(), RIGHT);

        @Test
        void itStaysAndIsListed() {
            assertThat(hear(RUNNING, EMPTYING_ALPHA, TICK)).isEqualTo(RUNNING);
            assertThat(departure(RUNNING, EMPTYING_ALPHA))
                    .matches(stays -> !stays.moves())
                    .matches(stays -> stays.why().contains("--restart-vms"));
        }

        @Test
        void asWishedItIsShutDownAndStartsElsewhere() {
            assertThat(actions(RUNNING, RESTARTING_ALPHA, TICK))
                    .as("as its guest likes")
                    .containsExactly(new VmAction.StopReplica(RIGHT, false));
            var stopping = hear(RUNNING, RESTARTING_ALPHA, TICK);
            assertThat(stopping).isInstanceOf(Stopping.class);
            assertThat(VmPriority.claim(stopping, Optional.empty()))
                    .as("the room is promised to it")
                    .isPresent();

            var placing =
                    hear(
                            stopping,
                            RESTARTING_ALPHA,
                            new VmInput.ReplicaGone(RIGHT, Cause.STOPPED, ""));
            assertThat(placing)
                    .isInstanceOfSatisfying(
                            Placing.class,
                            p -> {
                                assertThat(p.candidate()).isEqualTo(BETA);
                                assertThat(p.vm().failures()).as("no failure").isZero();
                            });
        }

        /** What another server lacks to run it shows only when it is to start there. */
        @Test
        void oneThatStartsNowhereElseIsListedUntilItDoes() {
            var placing =
                    hear(
                            hear(RUNNING, RESTARTING_ALPHA, TICK),
                            RESTARTING_ALPHA,
                            new VmInput.ReplicaGone(RIGHT, Cause.STOPPED, ""));
            assertThat(departure((Present) placing, RESTARTING_ALPHA))
                    .matches(Departure::moves)
                    .matches(placed -> placed.why().contains("server beta is asked"));

            var starting = hear(placing, RESTARTING_ALPHA, new VmInput.Reserved(BETA, I1, E8));
            assertThat(departure((Present) starting, RESTARTING_ALPHA))
                    .matches(Departure::moves)
                    .matches(started -> started.why().contains("started on server beta"));

            var stranded =
                    hear(
                            starting,
                            RESTARTING_ALPHA,
                            new VmInput.ReplicaStartFailed(SECONDARY, "no image", true, true));
            assertThat(stranded).isInstanceOf(Waiting.class);
            assertThat(departure((Present) stranded, RESTARTING_ALPHA))
                    .matches(stays -> !stays.moves())
                    .matches(stays -> stays.why().contains("beta: no image"))
                    .matches(stays -> stays.why().contains("belay server activate alpha"));

            var moved =
                    hear(
                            starting,
                            RESTARTING_ALPHA,
                            new VmInput.ReplicaStarted(SECONDARY, "", List.of()));
            assertThat(departures((Present) moved, RESTARTING_ALPHA)).isEmpty();
        }

        @Test
        void oneThatFailsElsewhereAgainAndAgainIsNotWaitedFor() {
            var open = Samples.wantedInFailover();
            var few = new BackingOff(open.failed(2), SECONDARY, Duration.ofSeconds(1));
            var many = new BackingOff(open.failed(4), SECONDARY, Duration.ofSeconds(4));

            assertThat(departure(few, RESTARTING_ALPHA).moves()).isTrue();
            assertThat(departure(many, RESTARTING_ALPHA))
                    .matches(stays -> !stays.moves())
                    .matches(stays -> stays.why().contains("Failed 4 times"));
            assertThat(departures(new Waiting(wanted(), List.of()), RESTARTING_ALPHA))
                    .as("one that never was there")
                    .isEmpty();
        }

        @Test
        void itIsNotEndedWithoutRoomThatNobodyElseWaitsFor() {
            var crowded =
                    new Context(
                            AT,
                            "witness",
                            new ClusterView(
                                    RESTARTING_ALPHA.view().servers(),
                                    Optional.empty(),
                                    List.of(claim("db", 0, 4096 - MEMORY + 1))));

            assertThat(hear(RUNNING, crowded, TICK)).isEqualTo(RUNNING);
            assertThat(departure(RUNNING, crowded).moves()).isFalse();
        }

        @Test
        void noneIsEndedWhileTheClusterIsDisarmed() {
            var disarmed =
                    new Context(
                            AT,
                            "witness",
                            new ClusterView(
                                    RESTARTING_ALPHA.view().servers(),
                                    Optional.of(Samples.DISARMING),
                                    List.of()));

            assertThat(hear(RUNNING, disarmed, TICK)).isEqualTo(RUNNING);
            assertThat(departure(RUNNING, disarmed).why()).contains("disarmed");
        }

        @Test
        void whenTheRoomIsGoneMeanwhileItStartsWhereItWas() {
            var stopping = hear(RUNNING, RESTARTING_ALPHA, TICK);
            var full = context(maintained(ALPHA, I2, true), view(BETA, I1, MEMORY - 1));

            assertThat(hear(stopping, full, new VmInput.ReplicaGone(RIGHT, Cause.STOPPED, "")))
                    .isInstanceOfSatisfying(
                            Starting.class,
                            starting -> assertThat(starting.right().server()).isEqualTo(ALPHA));
        }

        @Test
        void oneThatDiesThereStartsElsewhere() {
            assertThat(
                            hear(
                                    RUNNING,
                                    EMPTYING_ALPHA,
                                    new VmInput.ReplicaGone(RIGHT, Cause.DIED, "signal 9")))
                    .isInstanceOfSatisfying(
                            Placing.class, p -> assertThat(p.candidate()).isEqualTo(BETA));
        }

        @Test
        void oneThatLostItsServerDoesNotComeBackToIt() {
            var waiting = new Waiting(wanted(), List.of());
            var now = context(NO_ALPHA);

            var state = hear(waiting, now, TICK);
            assertThat(state).isInstanceOf(Waiting.class);
            assertThat(Explanation.of(state, now.view())).contains("belay server activate alpha");
        }

        @Test
        void itsDisksKeepItThere() {
            var mirrored =
                    new Running(
                            new VmState.Vm(
                                            with(DiskKind.MIRRORED),
                                            dev.belay.model.Desired.RUNNING,
                                            false,
                                            Samples.E7,
                                            0,
                                            0,
                                            Optional.empty(),
                                            List.of())
                                    .newestOn(ALPHA),
                            RIGHT);
            assertThat(hear(mirrored, RESTARTING_ALPHA, TICK)).isEqualTo(mirrored);
            assertThat(departure(mirrored, RESTARTING_ALPHA).why())
                    .contains("belay vm protect web --level system");

            var local =
                    new Running(
                            new VmState.Vm(
                                    with(DiskKind.LOCAL),
                                    dev.belay.model.Desired.RUNNING,
                                    false,
                                    Samples.E7,
                                    0,
                                    0,
                                    Optional.empty(),
                                    List.of()),
                            RIGHT);
            assertThat(hear(local, RESTARTING_ALPHA, TICK)).isEqualTo(local);
            assertThat(departure(local, RESTARTING_ALPHA).why()).contains("pins it");
        }

        private VmSpec with(DiskKind kind) {
            return new VmSpec(
                    SPEC.name(),
                    1,
                    MEMORY,
                    Optional.empty(),
                    List.of(new DiskSpec("root", kind, Optional.of("/srv/web.raw"), "raw", 0)),
                    List.of(),
                    Level.RESTART,
                    SPEC.placement(),
                    0);
        }
    }
}
