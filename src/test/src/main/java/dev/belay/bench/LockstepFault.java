package dev.belay.bench;

import dev.belay.lab.Lab;
import java.time.Instant;
import java.util.OptionalDouble;

/** How the server is lost that a VM in lockstep runs on, or only its QEMU. */
enum LockstepFault {
    QEMU("primary's QEMU killed", Bars.TOLD) {
        @Override
        Instant happen(PairStage stage, String primary) {
            var pid = stage.pid(primary);
            var at = Instant.now();
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
            return at;
        }
    },
    /** Its kernel lives and refuses. */
    PROCESSES("all processes of the primary's server killed", Bars.TOLD) {
        @Override
        Instant happen(PairStage stage, String primary) {
            return stage.lab().killProcesses(primary);
        }
    },
    POWER_CUT("power of the primary's server cut", Bars.SILENT) {
        @Override
        Instant happen(PairStage stage, String primary) {
            return stage.lab().kill(primary);
        }
    },
    /** It lives, and so does its half of the VM, but nobody hears it. */
    CUT("cluster network of the primary's server cut", Bars.SILENT) {
        @Override
        Instant happen(PairStage stage, String primary) {
            var at = Instant.now();
            stage.lab().cut(primary, Lab.Direction.BOTH);
            return at;
        }

        @Override
        void mend(Lab lab, String server) {
            lab.heal(server);
            super.mend(lab, server);
        }
    },
    /** All that runs there stops, and goes on later. */
    PAUSE("the primary's server paused", Bars.SILENT) {
        @Override
        Instant happen(PairStage stage, String primary) {
            var at = Instant.now();
            stage.lab().pause(primary);
            return at;
        }

        @Override
        void mend(Lab lab, String server) {
            lab.resume(server);
            super.mend(lab, server);
        }
    };

    /**
     * What is wanted, in ms: of the medians, and of the 99th percentile of Belay's own share.
     *
     * @param own until the other one's output is open
     * @param fresh until a fresh connection is answered
     * @param held the longest wait on a connection held open
     */
    record Bars(double own, double fresh, double held, OptionalDouble ownP99) {
        /** The loss tells of itself, by what the kernel closes and refuses. */
        private static final Bars TOLD = new Bars(60, 100, 260, OptionalDouble.of(200));

        /** Nothing tells of it but that nothing comes any more. */
        private static final Bars SILENT = new Bars(1000, 1000, 1000, OptionalDouble.empty());

        Bars plus(double more) {
            return new Bars(own + more, fresh + more, held + more, OptionalDouble.empty());
        }
    }

    private final String words;
    private final Bars bars;

    LockstepFault(String words, Bars bars) {
        this.words = words;
        this.bars = bars;
    }

    String words() {
        return words;
    }

    Bars bars() {
        return bars;
    }

    boolean losesTheServer() {
        return this != QEMU;
    }

    /** Returns a time not after the fault. */
    abstract Instant happen(PairStage stage, String primary);

    /** Gives the server back; does not wait till it is ready. */
    void mend(Lab lab, String server) {
        lab.start(server);
    }
}
