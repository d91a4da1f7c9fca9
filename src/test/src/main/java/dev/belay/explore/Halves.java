package dev.belay.explore;

import dev.belay.decision.RaiseStage;
import dev.belay.decision.ReplicaInput;
import dev.belay.decision.VmInput;
import dev.belay.model.PairAddress;
import dev.belay.model.RunRight;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a server's hypervisor does with halves of pairs, as the QEMU adapter does, and how COLO
 * holds back what a primary says.
 */
final class Halves {
    private static final PairAddress SOMEWHERE = new PairAddress("192.0.2.1", 1, 2, List.of());

    private final World world;
    private final Machine machine;
    private final List<Qemu> all;

    Halves(World world, Machine machine) {
        this.world = world;
        this.machine = machine;
        all = machine.processes.all;
    }

    // ---- how the two are to each other

    /** The process of that right, wherever it is. */
    private @Nullable Qemu find(RunRight right) {
        var there = there(right);
        return there.powered ? there.processes.find(right) : null;
    }

    private Machine there(RunRight right) {
        return world.machines[world.setup.server(right.server())];
    }

    private boolean reaches(RunRight right) {
        return world.linked(machine.index, there(right).index);
    }

    /** Their connections stand, whether or not anything goes over them. */
    boolean isConnected(Qemu qemu) {
        var right = qemu.part().partner();
        var other = right.isPresent() && reaches(right.get()) ? find(right.get()) : null;
        return other != null
                && other.part().partner().filter(qemu.right()::equals).isPresent()
                && (qemu.part().isFirst()
                        ? other.part().isSecond()
                        : qemu.part().isSecond() && other.part().isFirst());
    }

    /** What one of them does the other one does, too. */
    private boolean isInStep(Qemu qemu) {
        return isConnected(qemu)
                && !qemu.stopped()
                && !Objects.requireNonNull(find(qemu.part().partner().orElseThrow())).stopped();
    }

    /** What its guest says comes as far as its tap. */
    boolean speaks(Qemu qemu) {
        return switch (qemu.part()) {
            case Part.Alone _, Part.Raises _, Part.Takes _ -> !qemu.stopped();
            case Part.Joins _, Part.Leads _ ->
                    !qemu.stopped()
                            && (isInStep(qemu) || !world.setup.holds(Rule.HELD_FOR_THE_SECOND));
            case Part.Waits _, Part.Filled _, Part.Follows _ -> false;
        };
    }

    // ---- what the guest does

    /** Its guest writes. False: nothing changed. */
    void write(Qemu qemu) {
        int vm = world.setup.vm(qemu.right().vm());
        var part = qemu.part();
        if (qemu.stopped() || part instanceof Part.Waits || part.isSecond()) {
            return;
        }
        world.legs.write(machine.index, vm);
        if (isConnected(qemu)) {
            world.legs.writeThrough(machine.index, second(qemu).index, vm);
        } else if (part.isFirst() && !world.setup.holds(Rule.LOCKED_OUT)) {
            intrude(qemu, part.partner().orElseThrow());
        }
    }

    private void intrude(Qemu qemu, RunRight second) {
        var other = reaches(second) ? find(second) : null;
        if (other != null && !other.part().isSecond() && !(other.part() instanceof Part.Waits)) {
            throw new Broken("two writers of one disk: " + qemu.right() + " and " + second);
        }
    }

    private Machine second(Qemu qemu) {
        return there(qemu.part().partner().orElseThrow());
    }

    /** The outside world hears of what it has written, if it hears it. */
    void speak(Qemu qemu) {
        int vm = world.setup.vm(qemu.right().vm());
        boolean unheld = qemu.part().isFirst() && !world.setup.holds(Rule.ONLY_IPV4);
        boolean heard = machine.processes.isActive(world, qemu);
        if (!heard && !(unheld && machine.processes.isOpen(world, qemu) && !qemu.stopped())) {
            return;
        }
        if (!unheld && isConnected(qemu)) {
            world.legs.follow(machine.index, second(qemu).index, vm);
        }
        lacksNothing(qemu.right(), "is heard");
        world.legs.tell(machine.index, vm);
    }

    void lacksNothing(RunRight right, String what) {
        if (world.legs.isStale(machine.index, world.setup.vm(right.vm()))) {
            throw new Broken("%s %s without an acknowledged write".formatted(right, what));
        }
    }

    /** COLO's own clean-up: what was held for the second one gets out. */
    void flush(Qemu qemu) {
        int vm = world.setup.vm(qemu.right().vm());
        if (qemu.part().isFirst()
                && !qemu.stopped()
                && qemu.gate() > machine.clock(world)
                && world.legs.isAhead(machine.index, vm)) {
            Laws.mayBeHeard(world, machine, qemu);
            world.legs.tell(machine.index, vm);
        }
    }

    // ---- what the hypervisor is told to do

    /**
     * @param outcome as of {@link Processes#end}
     */
    void prepare(Work.Prepare work, int outcome) {
        var right = work.right();
        machine.works.remove(work);
        int until = machine.leaseOf(world, right);
        if (machine.processes.find(right) != null) {
            tell(new ReplicaInput.Prepared(right, work.primary(), SOMEWHERE));
        } else if (outcome == 1 || until <= machine.clock(world)) {
            tell(new ReplicaInput.StartFailed(right, "it could not", true, true));
        } else if (machine.processes.newer(right)) {
            tell(new ReplicaInput.StartFailed(right, "it comes too late", true, false));
        } else {
            machine.processes.killUpTo(world, right.vm(), right.epoch());
            world.legs.makeAnew(machine.index, world.setup.vm(right.vm()));
            all.add(Qemu.waiting(right, outcome == 2, until, work.primary()));
            tell(
                    outcome == 2
                            ? new ReplicaInput.StartFailed(right, "no answer in time", true, true)
                            : new ReplicaInput.Prepared(right, work.primary(), SOMEWHERE));
        }
    }

    /** Outcome 2: it failed, and could not be undone. */
    void raise(Work.Raise work, int outcome) {
        var qemu = machine.processes.find(work.right());
        if (qemu == null) {
            broke(work, null, true);
        } else if (qemu.part().equals(new Part.Leads(work.second()))) {
            machine.works.remove(work);
            tell(new ReplicaInput.Raised(work.right(), work.second(), List.of()));
        } else if (outcome == 2 || qemu.stopped()) {
            boolean touched = work.begun() || qemu.part().partner().isPresent();
            broke(work, touched ? null : qemu.part(new Part.Raises(work.second())), false);
        } else if (outcome == 1) {
            broke(work, alone(qemu), true);
        } else if (!work.begun()) {
            begin(work, alone(qemu));
        } else if (qemu.part() instanceof Part.Joins) {
            lead(work, qemu);
        } else {
            join(work, qemu);
        }
    }

    private static Qemu alone(Qemu qemu) {
        return qemu.part(Part.ALONE).muted(false);
    }

    private void begin(Work.Raise work, Qemu qemu) {
        boolean live = machine.leaseOf(world, work.right()) > machine.clock(world);
        if (!live || !isReady(work)) {
            broke(work, qemu, true);
            return;
        }
        put(qemu.part(new Part.Raises(work.second())));
        machine.works.remove(new Work.Undo(work.right()));
        machine.works.set(
                machine.works.indexOf(work), new Work.Raise(work.right(), work.second(), true));
        tell(new ReplicaInput.RaiseStep(work.right(), work.second(), RaiseStage.MEMORY, 0));
    }

    private boolean isReady(Work.Raise work) {
        var other = reaches(work.second()) ? find(work.second()) : null;
        return other != null
                && !other.stopped()
                && !other.starting()
                && other.part().equals(new Part.Waits(work.right()));
    }

    /** The last step: from here on both have everything. */
    private void join(Work.Raise work, Qemu qemu) {
        if (!isReady(work)) {
            broke(work, alone(qemu), true);
            return;
        }
        var there = there(work.second());
        int vm = world.setup.vm(work.right().vm());
        if (world.setup.holds(Rule.LEG_IN_AFTER_SYNC)) {
            world.legs.fill(machine.index, there.index, vm);
        }
        put(qemu.part(new Part.Joins(work.second())));
        there.processes.put(
                Objects.requireNonNull(find(work.second())).part(new Part.Filled(work.right())));
    }

    /** A second one's server sees that it is in lockstep. */
    private boolean see(RunRight right) {
        var qemu = machine.processes.find(right);
        if (qemu == null
                || !(qemu.part() instanceof Part.Filled(var first))
                || qemu.stopped()
                || !world.works(machine.node())) {
            return false;
        }
        put(qemu.part(new Part.Follows(first)));
        world.legs.filled(machine.index, world.setup.vm(right.vm()));
        return true;
    }

    /** It is not in lockstep as far as its server knows, and may come to be. */
    boolean mayStillSee(Work.Await work) {
        var qemu = machine.processes.find(work.right());
        return qemu != null
                && (qemu.part().equals(new Part.Waits(work.primary()))
                        || qemu.part().equals(new Part.Filled(work.primary())));
    }

    /** Nothing is said of one that is something else by now. */
    void answer(Work.Await work, int outcome) {
        var qemu = machine.processes.find(work.right());
        if (outcome == 0 && qemu != null && qemu.part().equals(new Part.Follows(work.primary()))) {
            tell(new ReplicaInput.InLockstep(work.right(), work.primary()));
        }
    }

    private void lead(Work.Raise work, Qemu qemu) {
        if (!isConnected(qemu)) {
            broke(work, alone(qemu), true);
            return;
        }
        put(qemu.part(new Part.Leads(work.second())));
        machine.works.remove(work);
        tell(new ReplicaInput.Raised(work.right(), work.second(), List.of()));
    }

    /** Null: it stays as it is. */
    private void broke(Work.Raise work, @Nullable Qemu left, boolean undone) {
        machine.works.remove(work);
        if (left != null) {
            put(left);
        }
        tell(new ReplicaInput.RaiseBroke(work.right(), work.second(), "it broke off", undone));
    }

    /** What an earlier process of the node left in the middle. */
    void undo(Work.Undo work, int outcome) {
        machine.works.remove(work);
        var qemu = machine.processes.find(work.right());
        if (qemu != null
                && outcome == 0
                && !qemu.stopped()
                && (qemu.part() instanceof Part.Raises || qemu.part().isFirst())) {
            put(alone(qemu));
        }
    }

    void leave(Work.Leave work, int outcome) {
        var right = work.right();
        // Whatever else is being done with it gives up for that.
        machine.works.removeIf(
                other -> other instanceof Work.Raise raise && raise.right().equals(right));
        var qemu = machine.processes.find(right);
        if (qemu != null && !qemu.part().partner().filter(work.loser()::equals).isPresent()) {
            parted(work);
            return;
        }
        int until = soloLease(right);
        if (qemu == null
                || outcome != 0
                || qemu.stopped()
                || until <= machine.clock(world)
                || qemu.part() instanceof Part.Waits) {
            machine.works.remove(work);
            tell(new ReplicaInput.PartFailed(right, work.loser(), "it could not"));
            return;
        }
        goOn(work, qemu.granted(until));
    }

    private int soloLease(RunRight right) {
        return world.setup.holds(Rule.LEASE_BEFORE_SOLO)
                ? machine.leaseOf(world, right)
                : machine.clock(world) + world.setup.lease();
    }

    private void goOn(Work.Leave work, Qemu qemu) {
        int vm = world.setup.vm(work.right().vm());
        if (qemu.part() instanceof Part.Takes) {
            world.legs.writeBack(machine.index, vm);
            put(alone(qemu));
            parted(work);
            return;
        }
        lacksNothing(work.right(), "goes on alone");
        if (qemu.part().isSecond()) {
            world.legs.takeOver(machine.index, vm);
            put(qemu.part(new Part.Takes(work.loser())).muted(false));
        } else {
            put(alone(qemu));
            parted(work);
        }
    }

    private void parted(Work.Leave work) {
        machine.works.remove(work);
        tell(new ReplicaInput.Parted(work.right(), work.loser(), List.of()));
    }

    // ---- what is noticed

    /**
     * That the other one is gone, that QEMU hangs, or that they are in lockstep.
     *
     * @param wrongly its connections fail although the other one is there
     */
    boolean notice(Qemu qemu, boolean wrongly) {
        if (qemu.part() instanceof Part.Filled) {
            return see(qemu.right());
        }
        if (!qemu.part().isKnownInLockstep() || machine.isInTrouble(qemu.right())) {
            return false;
        }
        if (qemu.stopped()) {
            tell(
                    new ReplicaInput.InTrouble(
                            qemu.right(), new VmInput.ReplicaHung(qemu.right(), "no answer")));
            return true;
        }
        if (!wrongly && isConnected(qemu)) {
            return false;
        }
        lost(qemu.right(), qemu.part().partner().orElseThrow());
        return true;
    }

    /** It closes its output and asks whether it goes on alone. */
    void lost(RunRight right, RunRight partner) {
        var qemu = machine.processes.find(right);
        if (qemu != null
                && qemu.part().isKnownInLockstep()
                && world.setup.holds(Rule.HELD_FOR_THE_SECOND)) {
            put(qemu.muted(true));
        }
        tell(
                new ReplicaInput.InTrouble(
                        right, new VmInput.PartnerLost(right, partner, "it is gone")));
    }

    private void put(Qemu qemu) {
        machine.processes.put(qemu);
    }

    private void tell(ReplicaInput input) {
        machine.tell(world, input);
    }
}
