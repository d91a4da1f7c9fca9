package dev.belay.decision;

import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Failover.Step;
import dev.belay.decision.VmState.Present;
import dev.belay.decision.VmState.Vm;
import java.util.ArrayList;
import java.util.List;

/**
 * A decision under construction: each event is applied as it is added, so that the next rule sees
 * its effect.
 */
final class VmSteps {
    private final Context now;
    private final List<VmEvent> events = new ArrayList<>();
    private final List<VmAction> actions = new ArrayList<>();
    private VmState state;

    VmSteps(Context now, VmState state) {
        this.now = now;
        this.state = state;
    }

    Context now() {
        return now;
    }

    VmState state() {
        return state;
    }

    Vm vm() {
        return ((Present) state).vm();
    }

    VmSteps add(VmEvent event) {
        events.add(event);
        state = VmHistory.apply(state, event);
        return this;
    }

    VmSteps act(VmAction action) {
        actions.add(action);
        return this;
    }

    /** A line in the report of the failover that goes on; nothing when none does. */
    VmSteps step(String what) {
        return steps(List.of(new Step(now.at(), now.where(), what, -1)));
    }

    VmSteps steps(List<Step> steps) {
        return vm().failover().isPresent() && !steps.isEmpty()
                ? add(new VmEvent.FailoverAdvanced(now.at(), steps))
                : this;
    }

    Decision<VmEvent, VmAction> accepted() {
        return events.isEmpty() && actions.isEmpty()
                ? VmLife.ignored("nothing has changed")
                : new Accepted<>(events, actions);
    }
}
