package dev.belay.explore;

import dev.belay.decision.VmInput;
import dev.belay.model.VmSpec;

/** What a user may ask of a VM, by number in a {@link Step}. */
enum Requests {
    CREATE,
    START,
    STOP,
    KILL,
    DELETE,
    DELETE_RUNNING;

    VmInput.Request of(VmSpec spec) {
        return switch (this) {
            case CREATE -> new VmInput.Create(spec, true);
            case START -> new VmInput.Start();
            case STOP -> new VmInput.Stop(false);
            case KILL -> new VmInput.Stop(true);
            case DELETE -> new VmInput.Delete(false);
            case DELETE_RUNNING -> new VmInput.Delete(true);
        };
    }
}
