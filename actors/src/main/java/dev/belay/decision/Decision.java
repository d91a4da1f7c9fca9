package dev.belay.decision;

import java.util.List;

/** What a core answers. */
public sealed interface Decision<E, A> {
    /**
     * {@code events} are stored first; {@code actions} run only after that. Without events: only
     * something to tell.
     */
    record Accepted<E, A>(List<E> events, List<A> actions) implements Decision<E, A> {
        public Accepted {
            events = List.copyOf(events);
            actions = List.copyOf(actions);
        }
    }

    /** Nothing to do, on purpose: a repeat, or news that came too late. */
    record Ignored<E, A>(String why) implements Decision<E, A> {}

    /** A request that cannot be carried out now; nothing changes. */
    record Rejected<E, A>(Reason reason, String message) implements Decision<E, A> {}

    /** Why a request is refused, as the endpoint needs to know it. */
    enum Reason {
        /** No VM or server of that name. */
        NOT_FOUND,
        /** The name is taken. */
        EXISTS,
        /** Not in the state that it is in now. */
        CONFLICT,
        /** Asks for something that Belay does not do. */
        UNSUPPORTED
    }
}
