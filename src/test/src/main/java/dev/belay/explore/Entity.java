package dev.belay.explore;

import dev.belay.explore.Message.Pid;
import dev.belay.model.Incarnation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** An instance of a VM's or a server's entity on a node. Two of one may live at once. */
final class Entity {
    /**
     * @param key what was asked for: repeats of it do not set a timer back
     * @param due on the clock of the entity's node
     */
    record Timer(Object key, Object input, int due) {}

    final Pid pid;
    final int node;
    Object state;
    int seq;
    final List<Timer> timers;
    Incarnation agentCalledFor = Incarnation.NONE;

    Entity(Pid pid, int node, Object state, int seq) {
        this.pid = pid;
        this.node = node;
        this.state = state;
        this.seq = seq;
        timers = new ArrayList<>();
    }

    Entity copy() {
        var copy = new Entity(pid, node, state, seq);
        copy.timers.addAll(timers);
        copy.agentCalledFor = agentCalledFor;
        return copy;
    }

    void timer(Object key, Object input, int due) {
        for (var timer : timers) {
            if (timer.key().equals(key)) {
                return;
            }
        }
        timers.add(new Timer(key, input, due));
    }

    /**
     * @param behind how many events it does not know of
     */
    List<Object> key(int clock, int behind) {
        Set<Timer> left = new HashSet<>();
        for (var timer : timers) {
            left.add(new Timer(timer.key(), timer.input(), Math.max(0, timer.due() - clock)));
        }
        var known =
                state instanceof dev.belay.decision.VmState vm
                        ? Keys.of(vm)
                        : Keys.of((dev.belay.decision.ServerState) state);
        return List.of(pid, node, behind, Objects.requireNonNull(known), left, agentCalledFor);
    }
}
