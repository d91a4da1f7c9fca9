package dev.belay.qemu;

import dev.belay.clock.BootClock;
import dev.belay.decision.RaiseStage;
import dev.belay.decision.VmInput.Timing;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.PairAddress;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import dev.belay.replica.Hypervisor.HypervisorException;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.LockstepFigures;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The halves of pairs on this server, and what is done with them. Whoever calls does so for one VM
 * at a time, except where it says otherwise.
 */
final class Pairs {
    private static final Logger log = LoggerFactory.getLogger(Pairs.class);

    /** Far less than a lease: nobody asks for words any more when this process waits for them. */
    private static final Duration KEEPING = Duration.ofSeconds(1);

    private final QemuSettings settings;
    private final Gate gate;
    private final LegFiles legs;

    /** The deadline of a right's lease; fails when it is over. */
    private final ToLongFunction<RunRight> lease;

    private final Consumer<ReplicaEvent> tell;
    private final Map<RunRight, PairHalf> halves = new ConcurrentHashMap<>();

    /** By the secondary, which is used for one raise only. */
    private final Map<RunRight, Raise> raises = new ConcurrentHashMap<>();

    /** Secondaries that were let go: nobody is raised with them again. */
    private final Set<RunRight> spent = ConcurrentHashMap.newKeySet();

    Pairs(
            QemuSettings settings,
            Gate gate,
            LegFiles legs,
            ToLongFunction<RunRight> lease,
            Consumer<ReplicaEvent> tell) {
        this.settings = settings;
        this.gate = gate;
        this.legs = legs;
        this.lease = lease;
        this.tell = tell;
    }

    /** One raise, going on or over, which a stop or the pair's end must be able to overtake. */
    static final class Raise {
        private final RunRight primary;
        private final RunRight secondary;
        private final CompletableFuture<List<Timing>> done = new CompletableFuture<>();
        private volatile boolean aborted;

        private Raise(RunRight primary, RunRight secondary) {
            this.primary = primary;
            this.secondary = secondary;
        }

        CompletableFuture<List<Timing>> done() {
            return done;
        }

        private void check() {
            if (aborted) {
                throw new HypervisorException("it was given up for a later order", false);
            }
        }
    }

    // --- Knowing -------------------------------------------------------------------------------

    /**
     * Makes the replica the half that its folder says, if any. Of a secondary no packet gets out
     * from here on.
     */
    Optional<PairHalf> adopt(Replica replica) throws IOException {
        var state = PairState.read(replica.files());
        return state.map(known -> begin(replica, known));
    }

    private PairHalf begin(Replica replica, PairState state) {
        var half = new PairHalf(settings, replica, legs, gate, tell, state);
        halves.put(replica.right(), half);
        half.begin();
        return half;
    }

    /** Where the prepared secondary waits. */
    PairAddress address(RunRight secondary) {
        var half = halves.get(secondary);
        if (half == null || !half.state().isSecondary()) {
            throw new HypervisorException(
                    secondary + " runs here already, and is nobody's second.", false);
        }
        return half.state().at();
    }

    /** Done when it is seen to follow that primary. Any thread. */
    CompletionStage<Void> following(RunRight secondary, RunRight primary) {
        var half = halves.get(secondary);
        return half != null && half.state().partner().equals(primary)
                ? half.following()
                : CompletableFuture.failedFuture(
                        new HypervisorException(
                                secondary + " does not follow " + primary + " here.", false));
    }

    /** How many checkpoints the primary has passed in lockstep. Any thread. */
    long checkpoints(RunRight primary) {
        var half = halves.get(primary);
        return half == null ? 0 : half.checkpoints().count();
    }

    /** Now; fails when they do not. Blocks. Any thread. */
    void passCheckpoint(RunRight primary, RunRight secondary) {
        var half = halves.get(primary);
        if (half == null || !half.state().partner().equals(secondary)) {
            throw new HypervisorException(
                    primary + " is in no pair with " + secondary + " here.", false);
        }
        half.passCheckpoint();
    }

    /** Of all primaries in lockstep. Any thread. */
    List<LockstepFigures> figures() {
        return halves.values().stream().flatMap(half -> half.figures().stream()).toList();
    }

    /** Any thread. */
    void partnerSilent(RunRight right) {
        var half = halves.get(right);
        if (half != null && half.state().isLockstep()) {
            half.mute();
        }
    }

    /** Whether it is one of two, or about to be. Any thread. */
    boolean isHalf(RunRight right) {
        return halves.containsKey(right);
    }

    /** The half that should note that the journal says so, once. Any thread. */
    Optional<PairHalf> toNote(RunRight right, RunRight partner) {
        return Optional.ofNullable(halves.get(right)).filter(half -> half.beginsToNote(partner));
    }

    /** Any thread. */
    boolean vouchesFor(RunRight right, RunRight partner) {
        var half = halves.get(right);
        return half != null && half.vouchesFor(partner);
    }

    /** Any thread. */
    void extendByPartner(RunRight right, RunRight partner, long deadline) {
        var half = halves.get(right);
        if (half != null) {
            half.extendByPartner(partner, deadline);
        }
    }

    /** All at once; what hangs or fails is told and left. Blocks for a second at most. */
    void keep(Incarnation incarnation, Duration longer) {
        var keepers =
                halves.values().stream()
                        .filter(half -> half.replica().right().incarnation().equals(incarnation))
                        .map(half ->
                                Thread.ofPlatform()
                                        .daemon()
                                        .name("keep-" + half.replica().right().vm())
                                        .start(() -> keep(half, longer)))
                        .toList();
        var end = System.nanoTime() + KEEPING.toNanos();
        for (var keeper : keepers) {
            try {
                if (!keeper.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())))) {
                    log.warn("{} takes too long, its VM is not waited for", keeper.getName());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private static void keep(PairHalf half, Duration longer) {
        try {
            half.keep(longer);
        } catch (IOException | RuntimeException e) {
            log.warn("{} is not kept while this process starts anew", half.replica().right(), e);
        }
    }

    /** Whether an earlier process left it alive until some time that has not come. Any thread. */
    boolean isKept(RunRight right) {
        var half = halves.get(right);
        return half != null && half.state().keptUntil() > BootClock.nanos();
    }

    /** Its QEMU is gone. Any thread. */
    void ended(RunRight right) {
        var half = halves.remove(right);
        if (half != null) {
            half.leave();
        }
    }

    void close() {
        halves.values().forEach(PairHalf::leave);
        halves.clear();
    }

    // --- Raising -------------------------------------------------------------------------------

    /** A raise to be done now; empty: it is known, and {@link #raiseOf} it answers. Any thread. */
    Optional<Raise> newRaise(RunRight primary, RunRight secondary) {
        raises.values()
                .removeIf(old ->
                        old.primary.vm().equals(primary.vm())
                                && !old.secondary.equals(secondary)
                                && old.done.isDone());
        if (spent.contains(secondary)) {
            return Optional.empty();
        }
        var fresh = new Raise(primary, secondary);
        return raises.putIfAbsent(secondary, fresh) == null ? Optional.of(fresh) : Optional.empty();
    }

    CompletableFuture<List<Timing>> raiseOf(RunRight secondary) {
        var raise = raises.get(secondary);
        return raise == null
                ? CompletableFuture.failedFuture(
                        new HypervisorException("The raise with " + secondary + " is over.", false))
                : raise.done.copy();
    }

    /** Has the raise with this secondary give up soon. Any thread. */
    void abort(RunRight secondary) {
        var raise = raises.get(secondary);
        if (raise != null) {
            raise.aborted = true;
        }
    }

    /** Has the VM's raises give up soon. Any thread. */
    void abort(VmName vm, Epoch upTo) {
        raises.values().stream()
                .filter(r -> r.primary.vm().equals(vm) && !r.primary.epoch().isAfter(upTo))
                .forEach(r -> r.aborted = true);
    }

    void abortAll() {
        raises.values().forEach(raise -> raise.aborted = true);
    }

    List<Timing> raise(
            Raise raise, Replica replica, PairAddress at, BiConsumer<RaiseStage, Integer> progress)
            throws IOException {
        var known = undoneFirst(raise);
        if (known != null) {
            if (known.state().isLockstep() && known.state().partner().equals(raise.secondary)) {
                return List.of();
            }
            throw new HypervisorException(
                    raise.primary
                            + " is in a pair with "
                            + known.state().partner()
                            + " and cannot be raised with "
                            + raise.secondary
                            + " before that is over.",
                    false);
        }
        raise.check();
        replica.extendLeashes(lease.applyAsLong(raise.primary));
        var state = new PairState(PairState.Stage.RAISING, raise.secondary, at);
        state.write(replica.files());
        var half = begin(replica, state);
        try {
            gate.letOut(replica.taps(), true);
            var timings =
                    new ColoRaise(
                                    settings,
                                    replica,
                                    half.qmp(),
                                    state,
                                    raise::check,
                                    (stage, percent) -> {
                                        if (stage == RaiseStage.LOCKSTEP) {
                                            half.joining();
                                        }
                                        progress.accept(stage, percent);
                                    })
                            .run();
            half.to(PairState.Stage.LEADING);
            return timings;
        } catch (IOException | RuntimeException e) {
            throw failed(half, raise, e);
        }
    }

    /** What a raise left that could not be undone then is undone now. */
    private @Nullable PairHalf undoneFirst(Raise raise) throws IOException {
        var known = halves.get(raise.primary);
        if (known == null || known.state().stage() != PairState.Stage.RAISING) {
            return known;
        }
        try {
            endRaise(known);
            return null;
        } catch (IOException | RuntimeException e) {
            throw new HypervisorException(
                            raise.primary
                                    + " cannot be made an ordinary replica after its raise with "
                                    + known.state().partner()
                                    + " failed: "
                                    + e.getMessage()
                                    + ". That is tried again; if its guest does not answer, stop and start it.",
                            true)
                    .notUndone();
        }
    }

    private HypervisorException failed(PairHalf half, Raise raise, Exception why) {
        log.warn("{} could not be raised with {}", raise.primary, raise.secondary, why);
        var what =
                raise.primary
                        + " could not be brought into lockstep with "
                        + raise.secondary
                        + ": "
                        + why.getMessage();
        try {
            endRaise(half);
        } catch (IOException | RuntimeException e) {
            log.error("{} could not be made an ordinary replica again", raise.primary, e);
            return new HypervisorException(
                            what
                                    + ". It could not be made an ordinary VM again either: "
                                    + e.getMessage()
                                    + ". That is tried again; if its guest does not answer, stop and start it.",
                            true)
                    .notUndone();
        }
        return new HypervisorException(
                what
                        + ". It runs on as an ordinary VM; nothing of it was lost, and Belay tries again.",
                !(why instanceof HypervisorException expected) || expected.worthTryingElsewhere());
    }

    /** A raise that failed, or that an earlier process of the node left in the middle. */
    void endRaise(PairHalf half) throws IOException {
        half.leave();
        new ColoPrimary(half.replica(), half.qmp(), half.state())
                .leave(new Laps(), () -> gate.unmute(half.replica().taps()));
        over(half);
    }

    /** Like endRaise, unless somebody has done so since, and perhaps raised it again. */
    void endRaiseOnce(PairHalf half) throws IOException {
        if (halves.get(half.replica().right()) == half) {
            endRaise(half);
        }
    }

    private void over(PairHalf half) throws IOException {
        half.over();
        halves.remove(half.replica().right(), half);
    }

    // --- Going on alone ------------------------------------------------------------------------

    List<Timing> goSolo(RunRight winner, RunRight loser) throws IOException {
        var half = halves.get(winner);
        if (half == null || !half.state().partner().equals(loser)) {
            // That pair is over.
            return List.of();
        }
        var replica = half.replica();
        replica.extendLeashes(lease.applyAsLong(winner));
        var secondary = half.state().isSecondary();
        if (secondary) {
            refuseWhenNotFilled(half);
        }
        half.leave();
        var begun = new Laps();
        List<Timing> timings;
        if (secondary) {
            timings =
                    new ColoSecondary(settings, replica)
                            .promote(
                                    half.qmp(),
                                    legs,
                                    () -> join(replica),
                                    () -> openOutput(replica));
        } else {
            new ColoPrimary(replica, half.qmp(), half.state())
                    .leave(begun, () -> openOutput(replica));
            timings = begun.all();
        }
        over(half);
        // A late repeat of the order to raise must not be told that they are in lockstep.
        raises.remove(loser);
        spent.removeIf(older -> older.vm().equals(loser.vm()));
        spent.add(loser);
        log.info("{} goes on alone: {}", winner, timings);
        return timings;
    }

    private static void refuseWhenNotFilled(PairHalf half) {
        if (half.state().stage() == PairState.Stage.PREPARED
                && !half.qmp().migration().equals("colo")) {
            throw new HypervisorException(
                    half.replica().right()
                            + " cannot take over: it was never in lockstep with "
                            + half.state().partner()
                            + ", so it has neither its memory nor its disks. Nothing was done; start the VM where its disks are whole.",
                    false);
        }
    }

    private static void join(Replica replica) {
        var nics = replica.manifest().spec().nics();
        for (var k = 0; k < nics.size(); k++) {
            Taps.join(replica.taps().get(k), nics.get(k).bridge());
        }
    }

    private void openOutput(Replica replica) {
        gate.unmute(replica.taps());
        gate.openNow(replica.taps(), lease.applyAsLong(replica.right()));
    }
}
