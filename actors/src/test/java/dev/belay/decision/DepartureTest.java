package dev.belay.decision;

import static dev.belay.decision.Samples.ALPHA;
import static dev.belay.decision.Samples.AT;
import static dev.belay.decision.Samples.BETA;
import static dev.belay.decision.Samples.E7;
import static dev.belay.decision.Samples.E8;
import static dev.belay.decision.Samples.EMPTYING_ALPHA;
import static dev.belay.decision.Samples.I1;
import static dev.belay.decision.Samples.I2;
import static dev.belay.decision.Samples.MEMORY;
import static dev.belay.decision.Samples.RIGHT;
import static dev.belay.decision.Samples.SECONDARY;
import static dev.belay.decision.Samples.WEB;
import static dev.belay.decision.Samples.paired;
import static dev.belay.decision.Samples.right;
import static dev.belay.decision.Samples.vm;
import static dev.belay.decision.Samples.wanted;
import static dev.belay.decision.Samples.wantedInFailover;
import static dev.belay.decision.ServerLifeTest.FENCED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.ServerState.Reservation;
import dev.belay.decision.VmState.Present;
import dev.belay.model.Desired;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is told of a VM in each state while alpha is to be empty. */
class DepartureTest {
    private static final RunRight THERE = right(E7, BETA, I1);
    private static final RunRight SECOND_HERE = right(E8, ALPHA, I2);

    private static List<Departure> of(ServerState.Known server, Present... vms) {
        return Departure.of(
                server,
                new ServerState.Maintenance(AT, false),
                List.of(vms),
                EMPTYING_ALPHA.view());
    }

    static Stream<Arguments> here() {
        var two = paired().at(E8);
        var unwanted = vm(Desired.STOPPED);
        return Stream.of(
                Arguments.of(
                        new VmState.Pairing(paired(), RIGHT, BETA, List.of()),
                        "server beta is asked to keep memory for a second copy, which then goes on with it"),
                Arguments.of(
                        new VmState.Raising(two, RIGHT, SECONDARY, RaiseStage.DISKS, 0),
                        "it goes on on server beta as soon as that has a second copy of it"),
                Arguments.of(
                        new VmState.Raising(two, THERE, SECOND_HERE, RaiseStage.DISKS, 0),
                        "its second copy here is given up"),
                Arguments.of(
                        new VmState.Lockstep(two, RIGHT, SECONDARY), "it goes on on server beta"),
                Arguments.of(
                        new VmState.Lockstep(two, THERE, SECOND_HERE),
                        "its second copy here is given up"),
                Arguments.of(
                        new VmState.GoingSolo(two, RIGHT, SECONDARY),
                        "it lost its other server just now"),
                Arguments.of(new VmState.Starting(wanted(), RIGHT), "it is being started"),
                Arguments.of(
                        new VmState.Stopping(wanted(), RIGHT, false, true),
                        "it is being shut down, to start elsewhere"),
                Arguments.of(
                        new VmState.Stopping(unwanted, RIGHT, false, false),
                        "it is being shut down"),
                Arguments.of(
                        new VmState.BackingOff(wanted(), RIGHT, Duration.ofSeconds(1)),
                        "it failed, and pauses before the next try"),
                Arguments.of(
                        new VmState.FailingOver(wantedInFailover(), RIGHT),
                        "the server is lost, and it starts elsewhere"),
                Arguments.of(
                        new VmState.Stopped(unwanted.giveUp(RIGHT)),
                        "its earlier copy here is being ended"));
    }

    @ParameterizedTest
    @MethodSource("here")
    void whatIsHereLeavesByItself(Present state, String why) {
        assertThat(of(FENCED, state)).containsExactly(new Departure(WEB, true, why));
    }

    static Stream<Present> elsewhere() {
        var vm = wantedInFailover();
        return Stream.of(
                new VmState.Stopped(vm(Desired.STOPPED)),
                new VmState.Running(vm, THERE),
                new VmState.Pairing(vm, THERE, ALPHA, List.of()),
                new VmState.Raising(vm, THERE, SECONDARY, RaiseStage.DISKS, 0),
                new VmState.Lockstep(vm, THERE, SECONDARY),
                new VmState.GoingSolo(vm, THERE, SECONDARY),
                new VmState.Stopping(vm, THERE, true, false),
                new VmState.Waiting(wanted(), List.of()),
                new VmState.Waiting(paired().giveUp(SECONDARY), List.of()));
    }

    @ParameterizedTest
    @MethodSource("elsewhere")
    void whatIsElsewhereIsNotTold(Present state) {
        assertThat(of(FENCED, state)).isEmpty();
    }

    @Test
    void whatIsStillKeptIsToldOncePerVmAndInTheirOrder() {
        var kept = new Reservation(E7, MEMORY);
        var first = new VmName("a");
        var last = new VmName("z");
        var live = ServerLifeTest.live(Map.of(last, kept, WEB, kept, first, kept));

        assertThat(of(live, new VmState.Starting(wanted(), RIGHT)))
                .containsExactly(
                        new Departure(first, true, "its memory is about to be given back"),
                        new Departure(WEB, true, "it is being started"),
                        new Departure(last, true, "its memory is about to be given back"));
    }
}
