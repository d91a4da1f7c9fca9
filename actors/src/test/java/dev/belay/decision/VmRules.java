package dev.belay.decision;

import static dev.belay.decision.Samples.after;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.decision.Decision.Accepted;
import dev.belay.model.RunRight;
import java.util.Optional;

/** What holds of each decision about a VM, whatever led to it. */
final class VmRules {
    private VmRules() {}

    static void check(VmState before, VmInput input, Accepted<VmEvent, VmAction> decision) {
        var state = before;
        Optional<RunRight> out = VmLife.right(before);
        Optional<RunRight> granted = Optional.empty();
        for (var event : decision.events()) {
            var epoch = VmLife.last(state);
            state = VmHistory.apply(state, event);
            switch (event) {
                case VmEvent.RightGranted(_, var right) -> {
                    assertThat(out).as("a right is out while %s is granted", right).isEmpty();
                    assertThat(right.epoch()).as("one more").isEqualTo(epoch.next());
                    assertThat(VmLife.last(state)).isEqualTo(right.epoch());
                    out = Optional.of(right);
                    granted = out;
                }
                case VmEvent.ReplicaEnded(_, var right, _, _) -> {
                    assertThat(out).contains(right);
                    assertThat(toldOfItsEnd(input, right)).as("%s ends %s", input, right).isTrue();
                    out = Optional.empty();
                }
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
        }
        for (var action : decision.actions()) {
            switch (action) {
                case VmAction.StartReplica(var right, _) -> assertThat(granted).contains(right);
                case VmAction.StopReplica(var right, _) ->
                        assertThat(right.epoch().isAfter(VmLife.last(before))).isFalse();
                default -> {}
            }
        }
        assertThat(after(before, decision.events())).as("replay").isEqualTo(state);
    }

    private static boolean toldOfItsEnd(VmInput input, RunRight right) {
        return switch (input) {
            case VmInput.ReplicaGone(var gone, _, _) -> gone.equals(right);
            case VmInput.ReplicaStartFailed(var failed, _, _) -> failed.equals(right);
            default -> false;
        };
    }
}
