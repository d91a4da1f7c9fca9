package dev.belay.explore;

import dev.belay.model.RunRight;

/**
 * A replica's processes on a server: QEMU and the leash that is its parent.
 *
 * @param starting its start was not finished: a process of the node that finds it ends it
 * @param stopped QEMU is stopped (SIGSTOP)
 * @param leash whether the leash watches; stopped it neither acts nor hears of grants
 * @param deadline of the leash, on the server's clock
 * @param gate until when the kernel lets the guest's output pass
 */
record Qemu(
        RunRight right, boolean starting, boolean stopped, Leash leash, int deadline, int gate) {
    enum Leash {
        WATCHES,
        STOPPED,
        /** Killed, and QEMU lives on; only without {@link Rule#LEASH}. */
        GONE
    }

    Qemu stopped(boolean now) {
        return new Qemu(right, starting, now, leash, deadline, gate);
    }

    Qemu leash(Leash now) {
        return new Qemu(right, starting, stopped, now, deadline, gate);
    }

    Qemu granted(int until) {
        return new Qemu(
                right,
                starting,
                stopped,
                leash,
                leash == Leash.WATCHES ? Math.max(deadline, until) : deadline,
                Math.max(gate, until));
    }

    /** With times as they are left, for telling worlds apart. */
    Qemu relativeTo(int clock) {
        return new Qemu(
                right,
                starting,
                stopped,
                leash,
                Math.max(0, deadline - clock),
                Math.max(0, gate - clock));
    }
}
