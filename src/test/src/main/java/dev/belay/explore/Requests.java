package dev.belay.explore;

import dev.belay.decision.VmInput;
import dev.belay.model.Level;
import dev.belay.model.VmSpec;

/** What a user may ask of a VM, by number in a {@link Step}. */
enum Requests {
    CREATE,
    START,
    STOP,
    KILL,
    DELETE,
    DELETE_RUNNING,
    PROTECT_RESTART,
    PROTECT_SYSTEM,
    SWITCHOVER;

    /** Whether it means nothing to a VM that is never on two servers. */
    boolean isOfPairs() {
        return ordinal() >= PROTECT_RESTART.ordinal();
    }

    VmInput.Request of(VmSpec spec) {
        return switch (this) {
            case CREATE -> new VmInput.Create(spec, true);
            case START -> new VmInput.Start();
            case STOP -> new VmInput.Stop(false);
            case KILL -> new VmInput.Stop(true);
            case DELETE -> new VmInput.Delete(false);
            case DELETE_RUNNING -> new VmInput.Delete(true);
            case PROTECT_RESTART -> new VmInput.Protect(Level.RESTART);
            case PROTECT_SYSTEM -> new VmInput.Protect(Level.SYSTEM);
            case SWITCHOVER -> new VmInput.Switchover();
        };
    }
}
