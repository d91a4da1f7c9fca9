package dev.belay.decision;

import static dev.belay.decision.Samples.after;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What holds of each decision about a VM, whatever led to it. */
final class VmRules {
    private VmRules() {}

    static void check(VmState before, VmInput input, Accepted<VmEvent, VmAction> decision) {
        var state = before;
        Optional<RunRight> out = VmLife.right(before);
        Optional<RunRight> granted = Optional.empty();
        for (var event : decision.events()) {
            var epoch = VmLife.last(state);
            var stateBefore = state;
            state = VmHistory.apply(state, event);
            switch (event) {
                case VmEvent.RightGranted(_, var right) -> {
                    var legs = newest(stateBefore);
                    assertThat(legs.isEmpty() || legs.contains(right.server()))
                            .as("%s finds its newest bytes on %s", right, legs)
                            .isTrue();
                    assertThat(out).as("a right is out while %s is granted", right).isEmpty();
                    assertThat(right.epoch()).as("one more").isEqualTo(epoch.next());
                    assertThat(VmLife.last(state)).isEqualTo(right.epoch());
                    out = Optional.of(right);
                    granted = out;
                }
                case VmEvent.ReplicaEnded(_, var right, _, _) -> {
                    assertThat(out).contains(right);
                    assertThat(toldOfItsEnd(input, right)).as("%s ends %s", input, right).isTrue();
                    assertOnlyThere(state, right);
                    out = Optional.empty();
                }
                case VmEvent.StartFailed(_, var right, _, _) -> {
                    assertThat(out).contains(right);
                    assertThat(input)
                            .isInstanceOfSatisfying(
                                    VmInput.ReplicaStartFailed.class,
                                    failed -> {
                                        assertThat(failed.right()).isEqualTo(right);
                                        assertThat(failed.neverRan()).isTrue();
                                    });
                    assertThat(newest(state)).isEqualTo(newest(stateBefore));
                    out = Optional.empty();
                }
                case VmEvent.FailoverBegan(_, _, _, var lost, var fencing)
                        when fencing
                                && (stateBefore instanceof VmState.Starting
                                        || stateBefore instanceof VmState.Stopping) ->
                        assertOnlyThere(state, lost);
                case VmEvent.VmStarted(_, var right, _) -> assertOnlyThere(state, right);
                case VmEvent.LossProved(_, var right, _) -> {
                    assertThat(out).contains(right);
                    assertThat(input)
                            .isInstanceOfSatisfying(
                                    VmInput.FenceProved.class,
                                    proved -> {
                                        assertThat(proved.server()).isEqualTo(right.server());
                                        assertThat(
                                                        right.incarnation()
                                                                .isAfter(proved.incarnation()))
                                                .isFalse();
                                    });
                    out = Optional.empty();
                }
                case VmEvent.PairGranted(_, var primary, var secondary) -> {
                    assertThat(out).contains(primary);
                    assertThat(secondary.epoch()).isEqualTo(epoch.next());
                    assertThat(secondary.server()).isNotEqualTo(primary.server());
                }
                case VmEvent.LockstepReached(_, var primary, var secondary) ->
                        assertThat(input)
                                .isInstanceOfSatisfying(
                                        VmInput.LockstepSeen.class,
                                        seen -> {
                                            assertThat(seen.primary()).isEqualTo(primary);
                                            assertThat(seen.secondary()).isEqualTo(secondary);
                                        });
                case VmEvent.SoloGranted(_, var winner, var loser, _) -> {
                    assertThat(stateBefore)
                            .isInstanceOfSatisfying(
                                    VmState.Lockstep.class,
                                    pair ->
                                            assertThat(List.of(winner, loser))
                                                    .containsExactlyInAnyOrder(
                                                            pair.primary(), pair.secondary()));
                    assertThat(newest(state)).isEqualTo(Set.of(winner.server()));
                    out = Optional.of(winner);
                }
                case VmEvent.LoserEnded(_, var right, _) -> {
                    assertThat(VmLife.vm(stateBefore).ending()).contains(right);
                    assertThat(
                                    stateBefore instanceof VmState.FailingOver
                                            ? input.equals(new VmInput.Outlived(right))
                                            : toldOfItsEnd(input, right)
                                                    || input instanceof VmInput.ServerLost
                                                    || input instanceof VmInput.FenceProved)
                            .as("%s ends %s", input, right)
                            .isTrue();
                }
                case VmEvent.FailoverEnded(_, var report) -> {
                    assertThat(report.steps()).isNotEmpty();
                    boolean unwanted =
                            report.steps().getLast().what().startsWith("not wanted any more");
                    assertThat(report.endedAt().isPresent() && report.to().isPresent())
                            .as("an end: it runs again, or is not wanted any more: %s", report)
                            .isNotEqualTo(unwanted);
                }
                default -> assertThat(VmLife.last(state)).as("%s", event).isEqualTo(epoch);
            }
            assertThat(VmLife.right(state))
                    .as("the right that is out after %s", event)
                    .isEqualTo(out);
            if (state instanceof VmState.Present present) {
                assertThat(present.vm().ending())
                        .as("what lost never comes back: %s", state)
                        .noneMatch(right ->
                                VmLife.right(present).filter(right::equals).isPresent()
                                        || VmLife.secondary(present)
                                                .filter(right::equals)
                                                .isPresent());
            }
        }
        for (var action : decision.actions()) {
            switch (action) {
                case VmAction.StartReplica(var right, _) -> assertThat(granted).contains(right);
                case VmAction.StopReplica(var right, _) ->
                        assertThat(right.epoch().isAfter(VmLife.last(before))).isFalse();
                case VmAction.GoSolo(var winner, var loser) -> {
                    assertThat(out).as("%s", action).contains(winner);
                    assertThat(loser).isNotEqualTo(winner);
                    assertThat(VmLife.secondary(state)).isEmpty();
                }
                case VmAction.PrepareSecondary(var secondary, var primary, _) -> {
                    assertThat(out).contains(primary);
                    assertThat(VmLife.secondary(state)).contains(secondary);
                }
                // Or its answer would not say that the primary has said so, too.
                case VmAction.AwaitLockstep(var secondary, var primary) ->
                        assertThat(input)
                                .isInstanceOfSatisfying(
                                        VmInput.PairRaised.class,
                                        raised -> {
                                            assertThat(raised.primary()).isEqualTo(primary);
                                            assertThat(raised.secondary()).isEqualTo(secondary);
                                        });
                case VmAction.RaisePair(var primary, var secondary, _) -> {
                    assertThat(out).contains(primary);
                    assertThat(VmLife.secondary(state)).contains(secondary);
                }
                default -> {}
            }
        }
        assertThat(after(before, decision.events())).as("replay").isEqualTo(state);
    }

    /** Its guest may have written there, so no other copy may ever be started from. */
    private static void assertOnlyThere(VmState state, RunRight right) {
        if (VmLife.vm(state).spec().isMirrored()) {
            assertThat(newest(state)).as("%s may have written", right).containsOnly(right.server());
        }
    }

    private static Set<ServerName> newest(VmState state) {
        return state instanceof VmState.Present present ? present.vm().legs() : Set.of();
    }

    private static boolean toldOfItsEnd(VmInput input, RunRight right) {
        return switch (input) {
            case VmInput.ReplicaGone(var gone, _, _) -> gone.equals(right);
            case VmInput.ReplicaStartFailed(var failed, _, _, _) -> failed.equals(right);
            default -> false;
        };
    }
}
