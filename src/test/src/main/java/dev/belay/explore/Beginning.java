package dev.belay.explore;

import dev.belay.decision.VmState;
import dev.belay.explore.Step.Verb;
import java.util.List;

/** From where a search takes all orders. */
enum Beginning {
    /** Everything runs as desired; at level SYSTEM in lockstep. */
    RUNNING("that runs"),
    /** A second server was granted its right, and nothing has been done about it yet. */
    RAISING("that is about to be raised"),
    /** The wire between the two is cut; both have closed their output, and ask. */
    PARTED("whose two halves have lost each other");

    static final List<Beginning> OF_PAIRS = List.of(RUNNING, RAISING, PARTED);

    private final String words;

    Beginning(String words) {
        this.words = words;
    }

    String words() {
        return words;
    }

    void reach(World world, Stepper stepper) {
        var calm = new Calm(world, stepper);
        if (this == RAISING) {
            calm.allows = _ -> !(world.journal.vm(0) instanceof VmState.Raising);
        }
        calm.begin();
        if (this == PARTED) {
            calm.take(Verb.CUT_WIRE, 0, 1);
            for (int server = 0; server < 2; server++) {
                calm.take(Verb.NOTICE, server, 0);
            }
        }
    }
}
