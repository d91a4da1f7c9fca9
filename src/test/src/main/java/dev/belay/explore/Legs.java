package dev.belay.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the servers' copies of the VMs' mirrored disks hold, and what of it the outside world knows.
 * A copy is not its bytes but what it lacks: whether it lacks a write that the outside world knows
 * of, and which of the others it has. They survive everything but the VM.
 */
final class Legs {
    /** Why a copy alone is not the disk. */
    enum Mark {
        NONE,
        /** It is half a copy. */
        FILLING,
        /** The newest bytes lie above it. */
        OVERLAID
    }

    /**
     * @param stale lacks a write that the outside world knows of
     * @param writes those that it does not know of yet
     */
    record Bytes(boolean stale, int writes) {
        boolean lacks(int others) {
            return (others & ~writes) != 0;
        }

        Bytes with(int more) {
            return new Bytes(stale, writes | more);
        }

        Bytes known(int told) {
            return new Bytes(stale || lacks(told), writes & ~told);
        }
    }

    /**
     * @param whole as its guest sees it
     * @param raw without what lies above it: a secondary's guest sees less than that in lockstep,
     *     and more once it took over
     */
    record Leg(Bytes whole, Bytes raw, Mark mark) {}

    private final @Nullable Leg[][] legs;

    /** Whether the outside world knows of any write of the VM. */
    private final boolean[] known;

    Legs(int servers, int vms) {
        legs = new Leg[servers][vms];
        known = new boolean[vms];
    }

    Legs(Legs other) {
        legs = new Leg[other.legs.length][];
        for (int i = 0; i < legs.length; i++) {
            legs[i] = other.legs[i].clone();
        }
        known = other.known.clone();
    }

    /** What a server has that never had the VM. */
    private Bytes empty(int vm) {
        return new Bytes(known[vm], 0);
    }

    private Leg leg(int server, int vm) {
        var leg = legs[server][vm];
        return leg != null ? leg : new Leg(empty(vm), empty(vm), Mark.NONE);
    }

    // ---- what servers do with them

    /**
     * Makes it the whole disk for a guest that starts; false: it is half a copy.
     *
     * @param overlays whether what lies above it is known to be part of it
     */
    boolean readyToBoot(int server, int vm, boolean overlays) {
        var leg = leg(server, vm);
        if (leg.mark() == Mark.FILLING) {
            return false;
        }
        var bytes = leg.mark() == Mark.OVERLAID && overlays ? leg.whole() : leg.raw();
        legs[server][vm] = new Leg(bytes, bytes, Mark.NONE);
        return true;
    }

    void makeAnew(int server, int vm) {
        legs[server][vm] = new Leg(empty(vm), empty(vm), Mark.FILLING);
    }

    void fill(int from, int to, int vm) {
        var bytes = leg(from, vm).whole();
        legs[to][vm] = new Leg(bytes, bytes, Mark.FILLING);
    }

    void filled(int server, int vm) {
        var leg = leg(server, vm);
        if (leg.mark() == Mark.FILLING) {
            legs[server][vm] = new Leg(leg.whole(), leg.raw(), Mark.NONE);
        }
    }

    void takeOver(int server, int vm) {
        var leg = leg(server, vm);
        legs[server][vm] = new Leg(leg.whole(), leg.raw(), Mark.OVERLAID);
    }

    void writeBack(int server, int vm) {
        var leg = leg(server, vm);
        legs[server][vm] = new Leg(leg.whole(), leg.whole(), Mark.NONE);
    }

    void forget(int vm) {
        for (int server = 0; server < legs.length; server++) {
            legs[server][vm] = null;
        }
        known[vm] = false;
    }

    // ---- what guests do with them

    /** One that the outside world does not know of, if there is none yet. */
    void write(int server, int vm) {
        var leg = leg(server, vm);
        int next = 0;
        for (var other : legs) {
            if (other[vm] != null) {
                next |= other[vm].whole().writes() | other[vm].raw().writes();
            }
        }
        if (leg.whole().writes() == 0 && next != -1) {
            int bit = Integer.lowestOneBit(~next);
            var whole = leg.whole().with(bit);
            boolean above = leg.mark() == Mark.OVERLAID;
            legs[server][vm] = new Leg(whole, above ? leg.raw() : whole, leg.mark());
        }
    }

    /** What the primary wrote is below its second one's overlays at once. */
    void writeThrough(int first, int second, int vm) {
        var leg = leg(second, vm);
        legs[second][vm] =
                new Leg(leg.whole(), leg.raw().with(leg(first, vm).whole().writes()), leg.mark());
    }

    /** The second one's guest did the same. */
    void follow(int first, int second, int vm) {
        var leg = leg(second, vm);
        int writes = leg(first, vm).whole().writes();
        legs[second][vm] = new Leg(leg.whole().with(writes), leg.raw().with(writes), leg.mark());
    }

    /** The outside world knows all that was written there. */
    void tell(int server, int vm) {
        int told = leg(server, vm).whole().writes();
        if (told == 0) {
            return;
        }
        known[vm] = true;
        for (var other : legs) {
            var leg = other[vm];
            if (leg != null) {
                other[vm] = new Leg(leg.whole().known(told), leg.raw().known(told), leg.mark());
            }
        }
    }

    /** Whether a guest on it has written what the outside world does not know of. */
    boolean isAhead(int server, int vm) {
        return leg(server, vm).whole().writes() != 0;
    }

    boolean isFilling(int server, int vm) {
        return leg(server, vm).mark() == Mark.FILLING;
    }

    boolean isStale(int server, int vm) {
        return leg(server, vm).whole().stale();
    }

    /** Whether what the outside world knows of is still somewhere. */
    boolean isWhole(int vm) {
        for (int server = 0; server < legs.length; server++) {
            var leg = leg(server, vm);
            if (leg.mark() != Mark.FILLING && (!leg.whole().stale() || !leg.raw().stale())) {
                return true;
            }
        }
        return false;
    }

    List<Object> key() {
        var all = new ArrayList<Object>();
        for (var server : legs) {
            all.addAll(Arrays.asList(server));
        }
        for (boolean one : known) {
            all.add(one);
        }
        return all;
    }
}
