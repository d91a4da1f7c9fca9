package dev.belay.decision;

import dev.belay.decision.Decision.Reason;
import dev.belay.decision.Decision.Rejected;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Present;
import dev.belay.decision.VmState.Raising;
import dev.belay.model.DiskKind;
import dev.belay.model.Level;
import dev.belay.model.VmSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a VM's level asks of it, and what a change of the level does. */
public final class VmLevels {
    /** Of each kind of thing that a VM may have several of. */
    private static final int TRIED = 2;

    private VmLevels() {}

    /** Why no server could ever run a VM of this spec at its level. */
    public static Optional<String> whyNever(VmSpec spec) {
        return refusal(spec, spec.level()).map(Rejected::message);
    }

    /** Why a VM of this spec cannot have the level; it holds of every server. */
    static Optional<Rejected<VmEvent, VmAction>> refusal(VmSpec spec, Level level) {
        return switch (level) {
            case RESTART -> Optional.empty();
            case COMPONENT -> refused("Level COMPONENT is not built yet: choose RESTART or SYSTEM");
            case SYSTEM -> system(spec);
        };
    }

    private static Optional<Rejected<VmEvent, VmAction>> system(VmSpec spec) {
        var alone =
                spec.disks().stream().filter(disk -> disk.kind() != DiskKind.MIRRORED).findFirst();
        if (alone.isPresent()) {
            return refused(
                    "Level SYSTEM needs a copy of each disk on both servers, but disk '%s' is %s: create the VM with disks of kind MIRRORED, or leave it at RESTART"
                            .formatted(alone.get().name(), alone.get().kind()));
        }
        if (spec.placement().only().stream().distinct().count() == 1) {
            return refused(
                    "Level SYSTEM needs two servers, but placement.only names %s alone: name another one, or leave the VM at RESTART"
                            .formatted(spec.placement().only().getFirst()));
        }
        return Optional.empty();
    }

    /** What of a VM at its level nobody has seen work, though nothing speaks against it. */
    static Optional<String> untried(VmSpec spec) {
        if (spec.level() != Level.SYSTEM) {
            return Optional.empty();
        }
        var many = new ArrayList<String>();
        many(spec.cpus(), "processors", many);
        many(spec.disks().size(), "disks", many);
        many(spec.nics().size(), "network cards", many);
        return many.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "Lockstep was tried with %d processors, disks and network cards at most, and it has %s: see it fail over before you rely on that."
                                .formatted(TRIED, String.join(" and ", many)));
    }

    private static void many(int count, String what, List<String> many) {
        if (count > TRIED) {
            many.add(count + " " + what);
        }
    }

    private static Optional<Rejected<VmEvent, VmAction>> refused(String why) {
        return Optional.of(new Rejected<>(Reason.UNSUPPORTED, why));
    }

    static Decision<VmEvent, VmAction> protect(Present state, VmSteps steps, Level level) {
        var spec = state.vm().spec();
        if (spec.level() == level) {
            return VmLife.ignored("its level is %s already".formatted(level));
        }
        var refusal = refusal(spec, level);
        if (refusal.isPresent()) {
            return refusal.get();
        }
        if (state instanceof VmState.Pairing pairing) {
            steps.act(new VmAction.Release(pairing.candidate(), pairing.vm().epoch().next()));
        }
        steps.add(new VmEvent.LevelChanged(steps.now().at(), level));
        return switch (steps.state()) {
            case Raising s ->
                    VmPair.giveUp(steps, s, "the level is %s now".formatted(level), false)
                            .accepted();
            case Lockstep s -> VmSolo.windDown(steps, s).accepted();
            case GoingSolo _ -> steps.accepted();
            default -> VmPair.pursue(steps).accepted();
        };
    }

    /** Why the VM cannot go on at its second server now. */
    static Decision<VmEvent, VmAction> notOnTwo(Present state) {
        return new Rejected<>(
                Reason.CONFLICT,
                "VM '%s' does not run on two servers now, so it cannot go on at a second one"
                        .formatted(state.vm().spec().name()));
    }
}
