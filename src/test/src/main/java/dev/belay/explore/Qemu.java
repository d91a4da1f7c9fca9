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
 * @param part what it is to one on another server
 * @param muted nothing it sends gets out, whatever is granted
 * @param stored its server knows that the journal says that it is in lockstep
 */
record Qemu(
        RunRight right,
        boolean starting,
        boolean stopped,
        Leash leash,
        int deadline,
        int gate,
        Part part,
        boolean muted,
        boolean stored) {
    enum Leash {
        WATCHES,
        STOPPED,
        /** Killed, and QEMU lives on; only without {@link Rule#LEASH}. */
        GONE
    }

    static Qemu started(RunRight right, boolean unfinished, int until) {
        return new Qemu(
                right, unfinished, false, Leash.WATCHES, until, until, Part.ALONE, false, false);
    }

    static Qemu waiting(RunRight right, boolean unfinished, int until, RunRight first) {
        return new Qemu(
                right,
                unfinished,
                false,
                Leash.WATCHES,
                until,
                until,
                new Part.Waits(first),
                true,
                false);
    }

    Qemu stopped(boolean now) {
        return new Qemu(right, starting, now, leash, deadline, gate, part, muted, stored);
    }

    Qemu leash(Leash now) {
        return new Qemu(right, starting, stopped, now, deadline, gate, part, muted, stored);
    }

    Qemu part(Part now) {
        return new Qemu(
                right,
                starting,
                stopped,
                leash,
                deadline,
                gate,
                now,
                muted,
                stored && now.isKnownInLockstep());
    }

    Qemu muted(boolean now) {
        return new Qemu(right, starting, stopped, leash, deadline, gate, part, now, stored);
    }

    Qemu asStored() {
        return new Qemu(right, starting, stopped, leash, deadline, gate, part, muted, true);
    }

    Qemu granted(int until) {
        return new Qemu(
                right,
                starting,
                stopped,
                leash,
                leash == Leash.WATCHES ? Math.max(deadline, until) : deadline,
                Math.max(gate, until),
                part,
                muted,
                stored);
    }

    /** With times as they are left, for telling worlds apart. */
    Qemu relativeTo(int clock) {
        return new Qemu(
                right,
                starting,
                stopped,
                leash,
                Math.max(0, deadline - clock),
                Math.max(0, gate - clock),
                part,
                muted,
                stored);
    }
}
