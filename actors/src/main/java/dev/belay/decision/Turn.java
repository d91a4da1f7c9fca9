package dev.belay.decision;

import java.util.List;

/**
 * What a core on a server answers: how it stands from here on, and what to do, in this order. A
 * command that cannot be carried out takes the rest, and the new state, with it: the input is as if
 * it had not come, and will come again.
 */
public record Turn<S, C>(S state, List<C> commands) {
    public Turn {
        commands = List.copyOf(commands);
    }

    @SafeVarargs
    static <S, C> Turn<S, C> of(S state, C... commands) {
        return new Turn<>(state, List.of(commands));
    }
}
