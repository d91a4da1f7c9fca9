package dev.belay.decision;

import dev.belay.decision.VmState.Absent;
import dev.belay.decision.VmState.BackingOff;
import dev.belay.decision.VmState.FailingOver;
import dev.belay.decision.VmState.GoingSolo;
import dev.belay.decision.VmState.Lockstep;
import dev.belay.decision.VmState.Pairing;
import dev.belay.decision.VmState.Placing;
import dev.belay.decision.VmState.Present;
import dev.belay.decision.VmState.Raising;
import dev.belay.decision.VmState.Refusal;
import dev.belay.decision.VmState.Running;
import dev.belay.decision.VmState.Starting;
import dev.belay.decision.VmState.Stopped;
import dev.belay.decision.VmState.Stopping;
import dev.belay.decision.VmState.Waiting;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import java.util.List;
import java.util.stream.Collectors;

/** A VM's state in plain words: where it stands, why, and what the operator can do. */
public final class Explanation {
    private Explanation() {}

    /** How well the VM is covered against the next failure, measured by its own level. */
    public enum Protection {
        /** A second server is getting its disks and memory. */
        SYNCING,
        /** Not running, or nothing could take over. */
        UNPROTECTED,
        /** The next failure that the level speaks of is covered. */
        PROTECTED,
        /** Runs, but the next failure is not covered; the explanation says why. */
        DEGRADED
    }

    /** The state's name as the API and the CLI show it. */
    public static String name(VmState state) {
        return switch (state) {
            case Absent _ -> "Absent";
            case Stopped _ -> "Stopped";
            case Waiting _ -> "Waiting";
            case Placing _, Starting _ -> "Starting";
            case Running _, Pairing _ -> "Running";
            case Raising _ -> "Raising";
            case Lockstep _ -> "Lockstep";
            case GoingSolo _ -> "GoingSolo";
            case Stopping _ -> "Stopping";
            case FailingOver _ -> "FailingOver";
            case BackingOff _ -> "BackingOff";
        };
    }

    public static Protection protection(VmState state, ClusterView view) {
        return switch (state) {
            case Running running when running.vm().wantsPair() -> Protection.DEGRADED;
            case Lockstep s ->
                    OutOfReach.isSo(s, view) ? Protection.DEGRADED : Protection.PROTECTED;
            case Pairing _, GoingSolo _ -> Protection.DEGRADED;
            case Raising _ -> Protection.SYNCING;
            case Running running ->
                    refuge(running, running.right(), view) && view.disarming().isEmpty()
                            ? Protection.PROTECTED
                            : Protection.DEGRADED;
            case Absent _,
                    Stopped _,
                    Waiting _,
                    Placing _,
                    Starting _,
                    Stopping _,
                    FailingOver _,
                    BackingOff _ ->
                    Protection.UNPROTECTED;
        };
    }

    public static String of(VmState state, ClusterView view) {
        var text = where(state, view);
        return state instanceof Present s
                ? VmLevels.untried(s.vm().spec()).map(note -> text + " " + note).orElse(text)
                : text;
    }

    private static String where(VmState state, ClusterView view) {
        return switch (state) {
            case Absent _ -> "There is no VM of this name.";
            case Stopped _ ->
                    "Stopped, as desired. Start it with: belay vm start " + name((Present) state);
            case Waiting s -> waiting(s, view);
            case Placing s -> "Asking server " + s.candidate() + " to keep memory for it.";
            case Starting s -> "Starting on server " + s.right().server() + ".";
            case Running s -> running(s, view);
            case Pairing s ->
                    "Runs on server %s alone. Asking server %s to keep memory for a second copy of it."
                            .formatted(s.right().server(), s.candidate());
            case Raising s ->
                    "Runs on server %s. Server %s is getting %s: %d %%."
                            .formatted(
                                    s.primary().server(),
                                    s.secondary().server(),
                                    inWords(s.stage()),
                                    s.percent());
            case Lockstep s when OutOfReach.isSo(s, view) ->
                    "Ran on servers %s and %s in lockstep, and neither answers. %s"
                            .formatted(s.primary().server(), s.secondary().server(), outOfReach());
            case Lockstep s ->
                    "Runs on servers %s and %s in lockstep: if either fails, the other goes on with the same memory."
                            .formatted(s.primary().server(), s.secondary().server());
            case GoingSolo s ->
                    "Server %s alone goes on with it; its copy on server %s is given up."
                            .formatted(s.winner().server(), s.loser().server());
            case Stopping s ->
                    s.kill()
                            ? "Being killed on server " + s.right().server() + "."
                            : "Shutting down on server %s; it is killed when that takes too long, or at once with: belay vm stop %s --kill"
                                    .formatted(s.right().server(), name((Present) s));
            case FailingOver s when isOtherLost(s, view) ->
                    "Servers %s and %s are lost. They may still run it, by each other's word: it starts anew when one of them is back. One that was seen off, by its fence agent or by you, cannot run it: belay server confirm-off <server> --yes-i-checked"
                            .formatted(s.lost().server(), s.vm().ending().getLast().server());
            case FailingOver s ->
                    "Server %s is lost. The VM starts elsewhere as soon as it is proved that nothing of it runs there any more."
                            .formatted(s.lost().server());
            case BackingOff s ->
                    "Failed %d times in a row; starts again after a pause of %d s. Its console log on server %s may say why."
                            .formatted(s.vm().failures(), s.pause().toSeconds(), s.last().server());
        };
    }

    /** Why a server gets no new VMs; goes on from "server alpha:". */
    public static String quarantined(ServerName server) {
        return "it is quarantined: lost %d times within an hour. It gets no new VMs until it has been up for the cool-down, or you say so: belay server release %s"
                .formatted(Losses.LIMIT, server);
    }

    /** Why a server gets no new VMs while somebody works on it; goes on from "server alpha:". */
    public static String maintained(ServerName server) {
        return "it is in maintenance and gets no VMs until you say so: belay server activate "
                + server;
    }

    /** A reason that went on from something, by itself. */
    public static String asSentence(String why) {
        return Character.toUpperCase(why.charAt(0)) + why.substring(1) + ".";
    }

    /** Why a server that does not answer is not fenced, and what to do; one sentence and more. */
    public static String frozen(ServerName server) {
        return "More than half of the servers vanished at once, which is more likely the network than all of them, so none is fenced. When they come back, all goes on by itself. If this one is certainly off, say so: belay server confirm-off %s --yes-i-checked"
                .formatted(server);
    }

    /** Whether neither of the two that ran it in lockstep is there. */
    private static boolean isOtherLost(FailingOver s, ClusterView view) {
        return !s.vm().ending().isEmpty()
                && view.server(s.vm().ending().getLast().server())
                        .filter(ClusterView.ServerView::live)
                        .isEmpty();
    }

    /** Why a server is not fenced of which nothing can start elsewhere; sentences. */
    public static String outOfReach() {
        return "Pair out of reach: it may still run there, by each other's word, and nobody else has its disks, so neither is fenced. It goes on when they are back. If one of them is certainly off, say so: belay server confirm-off <server> --yes-i-checked";
    }

    private static String running(Running s, ClusterView view) {
        var server = s.right().server();
        var away = view.server(server).filter(there -> there.live() && !there.reachable());
        if (away.isEmpty() && s.vm().wantsPair()) {
            return "Runs on server " + server + " alone. " + alone(s.vm(), view);
        }
        if (away.isEmpty()) {
            return "Runs on server "
                    + server
                    + "."
                    + (refuge(s, s.right(), view) ? disarmed(view) : " " + uncovered(s, view));
        }
        var why =
                away.get().frozen()
                        ? " " + frozen(server) + "."
                        : view.disarming().isPresent()
                                ? disarmed(view)
                                : " If no other node hears it either, it is fenced and the VM starts elsewhere, unless it comes back.";
        return "Last known to run on server %s, which does not answer this node.%s"
                .formatted(server, why);
    }

    /** Why it does not run on two, and what comes next. */
    static String alone(VmState.Vm vm, ClusterView view) {
        var refusals = vm.pursuit().refusals();
        boolean tried = refusals.isEmpty() || !VmPlacement.asked(refusals).isEmpty();
        if (vm.pursuit().failures() > 0 && tried) {
            return refusals.isEmpty()
                    ? "It had a second server for a short while only; a second one is looked for after a pause."
                    : "The last try to run it on a second one failed: %s. The next try comes after a pause."
                            .formatted(sentence(refusals));
        }
        if (refusals.isEmpty()) {
            return view.servers().size() < 2
                    ? "There is no other server for a second copy of it: the failure of this one is not covered."
                    : "A second server is looked for.";
        }
        return "No other server can take a second copy of it, for which it needs %d MiB: %s. It is raised as soon as one can."
                .formatted(VmPair.secondaryMiB(vm.spec()), sentence(refusals));
    }

    private static String inWords(RaiseStage stage) {
        return switch (stage) {
            case DISKS -> "a copy of its disks";
            case MEMORY -> "its memory";
            case LOCKSTEP -> "into step with it";
        };
    }

    private static String disarmed(ClusterView view) {
        return view.disarming()
                .map(disarming -> " The next failure is not covered: " + disarming.inWords() + ".")
                .orElse("");
    }

    private static String waiting(Waiting s, ClusterView view) {
        if (s.refusals().isEmpty()) {
            return view.servers().isEmpty()
                    ? "Waits for a first server to join the cluster."
                    : "Waits for a server that can take it.";
        }
        return "No server can take it: "
                + sentence(s.refusals())
                + ". It starts as soon as one can.";
    }

    static String sentence(List<Refusal> refusals) {
        return refusals.stream()
                .map(refusal -> refusal.server() + ": " + withoutStop(refusal.why()))
                .collect(Collectors.joining("; "));
    }

    /** What goes on in our own sentence. */
    private static String withoutStop(String why) {
        return why.endsWith(".") ? why.substring(0, why.length() - 1) : why;
    }

    /** Whether another server could take it now. */
    private static boolean refuge(Present state, RunRight right, ClusterView view) {
        var here = List.of(new Refusal(right.server(), "it runs there", true));
        return VmPlacement.best(state.vm(), view, here)
                .filter(to -> VmPlacement.hasNewest(state.vm(), to))
                .isPresent();
    }

    private static String uncovered(Present state, ClusterView view) {
        if (state.vm().spec().isPinned()) {
            return "A local disk pins it to this server: when the server fails, the VM waits for it to come back.";
        }
        if (state.vm().spec().isMirrored()) {
            return "Only this server has its disks: when it fails, the VM waits for it to come back. To cover that: belay vm protect %s --level system"
                    .formatted(name(state));
        }
        return view.servers().size() < 2
                ? "There is no other server: the failure of this one is not covered."
                : "No other server could take it now: the failure of this one is not covered.";
    }

    private static String name(Present state) {
        return state.vm().spec().name().value();
    }
}
