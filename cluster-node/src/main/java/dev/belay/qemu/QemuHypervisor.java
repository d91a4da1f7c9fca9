package dev.belay.qemu;

import dev.belay.clock.BootClock;
import dev.belay.decision.Qemu;
import dev.belay.decision.RaiseStage;
import dev.belay.decision.VmInput.Timing;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.Level;
import dev.belay.model.PairAddress;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.qemu.Manifest.Phase;
import dev.belay.replica.Hypervisor;
import dev.belay.replica.LockstepFigures;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The {@link Hypervisor} on QEMU. Work on one VM is done one piece at a time, work on several side
 * by side, all on virtual threads. What is true lies in the run folder and in the kernel; the
 * fields here only save looking it up.
 *
 * <p>Every replica whose start was answered with success ends with exactly one {@code Exited} or
 * {@code PoweredOff}, also when its end was asked for.
 */
public final class QemuHypervisor implements Hypervisor, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(QemuHypervisor.class);
    private static final Duration SHUTDOWN_LIMIT = Duration.ofSeconds(30);
    private static final Duration END_LIMIT = Duration.ofSeconds(12);
    private static final Duration ADOPT_LIMIT = Duration.ofSeconds(3);
    private static final Duration BURY_AGAIN = Duration.ofSeconds(2);
    private static final Duration TAPS_KEPT = Duration.ofSeconds(10);

    private record Key(VmName vm, Epoch epoch) {
        static Key of(RunRight right) {
            return new Key(right.vm(), right.epoch());
        }
    }

    /** A start under way or queued, which a stop must be able to overtake. */
    private static final class Attempt {
        private final RunRight right;
        private volatile boolean aborted;

        private Attempt(RunRight right) {
            this.right = right;
        }

        private void check() {
            if (aborted) {
                throw new HypervisorException(
                        "The start of " + right + " was given up: a stop came after it.", false);
            }
        }
    }

    private final QemuSettings settings;
    private final Installation installation;
    private final InstalledQemu installed;
    private final SpecCheck specCheck;
    private final TapNames names;
    private final Gate gate;
    private final Remains remains;
    private final LegFiles legs;
    private final Pairs pairs;
    private final CompletableFuture<List<String>> firstProblems = new CompletableFuture<>();
    private final AtomicBoolean looked = new AtomicBoolean();
    private final Map<Key, Replica> replicas = new ConcurrentHashMap<>();
    private final Set<Attempt> attempts = ConcurrentHashMap.newKeySet();
    private final Map<VmName, ReentrantLock> locks = new ConcurrentHashMap<>();
    private final Map<Incarnation, Long> leases = new ConcurrentHashMap<>();

    /**
     * Incarnations that a clean ended: nothing of them starts or is extended again (safety.md 1).
     */
    private final Set<Incarnation> over = ConcurrentHashMap.newKeySet();

    /** Replicas that do not run, but whose remains do not go away. */
    private final Map<ReplicaFiles, ReplicaStatus> unburied = new ConcurrentHashMap<>();

    /** What happened before anybody observed; the lock of {@code observer} too. */
    private final List<ReplicaEvent> unheard = new ArrayList<>();

    private @Nullable Consumer<ReplicaEvent> observer;

    public QemuHypervisor(QemuSettings settings) {
        this.settings = settings;
        this.installation = new Installation(settings);
        this.installed = new InstalledQemu(settings, installation);
        this.specCheck = new SpecCheck(settings);
        this.names = TapNames.of(settings);
        this.gate = new Gate(names.table(), settings.killBudget());
        this.legs = new LegFiles(settings);
        this.remains = new Remains(gate, legs);
        this.pairs = new Pairs(settings, gate, legs, this::lease, this::happened);
    }

    /**
     * As found by the first call, which waits a moment for that. Nobody looks before: it runs QEMU
     * several times, and until what runs here is adopted and its lease renewed, that is time that
     * its leashes do not have.
     */
    @Override
    public List<String> problems() {
        if (looked.compareAndSet(false, true)) {
            inBackground("look at the installation", installation::problems)
                    .whenComplete((problems, failure) -> {
                        if (failure == null) {
                            firstProblems.complete(problems);
                        } else {
                            firstProblems.completeExceptionally(failure);
                        }
                    });
        }
        return Waiting.reply(firstProblems);
    }

    /** Not before {@link #problems} is asked, for the same reason. */
    @Override
    public Optional<Qemu> qemu() {
        return looked.get() ? installed.now() : Optional.empty();
    }

    /** For tests. */
    boolean hasLooked() {
        return looked.get();
    }

    @Override
    public CompletionStage<List<String>> check(VmSpec spec) {
        return inBackground(
                "check " + spec.name(),
                () -> {
                    var lacking = lacking();
                    return lacking.isEmpty() ? specCheck.problems(spec) : lacking;
                });
    }

    /** Looked for again when something was or is missing: it may have come or gone since. */
    private List<String> lacking() {
        return problems().isEmpty() && installation.isComplete()
                ? List.of()
                : installation.problems();
    }

    @Override
    public CompletionStage<ReplicaStatus> start(RunRight right, VmSpec spec) {
        return attempted(
                "start " + right,
                right,
                attempt -> start(attempt, spec, ReplicaStart::run).status());
    }

    @Override
    public CompletionStage<PairAddress> prepareSecondary(
            RunRight secondary, RunRight primary, VmSpec spec) {
        return attempted(
                "prepare " + secondary,
                secondary,
                attempt -> {
                    var replica = start(attempt, spec, start -> start.runSecondary(primary));
                    if (replica.status().part() instanceof Part.Alone) {
                        pairs.adopt(replica);
                    }
                    return pairs.address(secondary);
                });
    }

    private interface AttemptedWork<T> {
        T run(Attempt attempt) throws IOException;
    }

    private <T> CompletionStage<T> attempted(String what, RunRight right, AttemptedWork<T> work) {
        var attempt = new Attempt(right);
        attempts.add(attempt);
        return inBackground(
                what,
                () -> {
                    try {
                        return alone(right.vm(), () -> work.run(attempt));
                    } finally {
                        attempts.remove(attempt);
                    }
                });
    }

    private interface Way {
        void take(ReplicaStart start) throws IOException;
    }

    private Replica start(Attempt attempt, VmSpec spec, Way way) throws IOException {
        var right = attempt.right;
        attempt.check();
        var known = replicas.get(Key.of(right));
        if (known != null && known.isRunning()) {
            return known;
        }
        var illegal = SpecCheck.illegal(spec);
        if (!illegal.isEmpty()) {
            throw new HypervisorException(String.join(" ", illegal), false).neverRan();
        }
        try {
            lease(right);
        } catch (HypervisorException e) {
            throw e.neverRan();
        }
        for (var files : ReplicaFiles.of(settings.runDir(), right.vm())) {
            if (files.epoch().isAfter(right.epoch())) {
                throw new HypervisorException(
                        "The start of "
                                + right
                                + " came too late: "
                                + files.epoch()
                                + " was here already.",
                        false);
            }
            end(files, StopMode.KILL, names.taps(spec));
        }
        var files = ReplicaFiles.of(settings.runDir(), right.vm(), right.epoch());
        var replica =
                new Replica(
                        Manifest.starting(
                                right,
                                spec,
                                names.taps(spec),
                                new DiskFiles(settings).overlaysOf(spec, right.epoch())),
                        files,
                        remains,
                        this::happened);
        // Known from here on, so that a grant during the start reaches its leashes.
        replicas.put(Key.of(right), replica);
        try {
            way.take(
                    new ReplicaStart(
                            settings,
                            installation,
                            gate,
                            remains,
                            replica,
                            () -> lease(right),
                            attempt::check));
        } catch (IOException | RuntimeException | Error e) {
            replicas.remove(Key.of(right), replica);
            throw e;
        }
        return replica;
    }

    @Override
    public CompletionStage<List<Timing>> raise(
            RunRight primary,
            RunRight secondary,
            PairAddress at,
            BiConsumer<RaiseStage, Integer> progress) {
        pairs.newRaise(primary, secondary)
                .ifPresent(raise ->
                        inBackground(
                                        "raise " + primary,
                                        () ->
                                                alone(
                                                        primary.vm(),
                                                        () -> {
                                                            var replica = running(primary);
                                                            installed.refuseUnlike(replica);
                                                            return pairs.raise(
                                                                    raise, replica, at, progress);
                                                        }))
                                .whenComplete((timings, failure) -> {
                                    if (failure == null) {
                                        raise.done().complete(timings);
                                    } else {
                                        raise.done().completeExceptionally(failure);
                                    }
                                }));
        return pairs.raiseOf(secondary);
    }

    @Override
    public CompletionStage<Void> inLockstep(RunRight secondary, RunRight primary) {
        return pairs.following(secondary, primary);
    }

    private Replica running(RunRight right) {
        var replica = replicas.get(Key.of(right));
        if (replica == null || !replica.right().equals(right) || !replica.isRunning()) {
            throw new HypervisorException(right + " does not run here.", false);
        }
        return replica;
    }

    @Override
    public CompletionStage<List<Timing>> goSolo(RunRight winner, RunRight loser) {
        pairs.abort(loser);
        return inBackground(
                "let go on alone " + winner,
                () ->
                        alone(
                                winner.vm(),
                                () -> {
                                    running(winner);
                                    return pairs.goSolo(winner, loser);
                                }));
    }

    /** Not alone: a real failover does not wait for it. */
    @Override
    public CompletionStage<Void> passCheckpoint(RunRight primary, RunRight secondary) {
        CompletionStage<Void> passed =
                inBackground(
                        "pass a checkpoint with " + primary,
                        () -> {
                            pairs.passCheckpoint(primary, secondary);
                            return none();
                        });
        passed.whenComplete((_, failure) -> {
            if (failure != null) {
                log.warn("{} hands over without a checkpoint", primary, failure);
            }
        });
        return passed;
    }

    /** How many checkpoints it has passed in lockstep, as a primary. */
    long checkpoints(RunRight primary) {
        return pairs.checkpoints(primary);
    }

    @Override
    public List<LockstepFigures> lockstep() {
        return pairs.figures();
    }

    @Override
    public void partnerSilent(RunRight replica) {
        pairs.partnerSilent(replica);
    }

    @Override
    public void lockstepStored(RunRight replica, RunRight partner) {
        pairs.toNote(replica, partner)
                .ifPresent(half ->
                        inBackground(
                                        "note that " + replica + " is in lockstep",
                                        () ->
                                                alone(
                                                        replica.vm(),
                                                        () -> {
                                                            half.noteStored();
                                                            return none();
                                                        }))
                                .whenComplete((_, _) -> half.noted()));
    }

    /** Also what an earlier process of the node let out is made right by this. */
    @Override
    public void levelIs(RunRight right, Level level) {
        boolean onlyCompared = level == Level.SYSTEM;
        if (letsOutOther(right, onlyCompared)) {
            inBackground(
                            "let out what the level of " + right + " allows",
                            () ->
                                    alone(
                                            right.vm(),
                                            () -> {
                                                if (letsOutOther(right, onlyCompared)) {
                                                    gate.letOut(
                                                            running(right).taps(), onlyCompared);
                                                }
                                                return none();
                                            }))
                    .whenComplete((_, failure) -> {
                        if (failure != null) {
                            log.warn("It is tried again in a moment", failure);
                        }
                    });
        }
    }

    /** One of two lets out what lockstep compares, whatever the level. */
    private boolean letsOutOther(RunRight right, boolean onlyCompared) {
        var replica = replicas.get(Key.of(right));
        return replica != null
                && replica.isRunning()
                && !pairs.isHalf(right)
                && !replica.taps().stream().allMatch(tap -> gate.guards(tap, onlyCompared));
    }

    @Override
    public boolean vouchesFor(RunRight replica, RunRight partner) {
        return !over.contains(replica.incarnation()) && pairs.vouchesFor(replica, partner);
    }

    @Override
    public void extendByPartner(RunRight replica, RunRight partner, long deadline) {
        if (!over.contains(replica.incarnation())) {
            pairs.extendByPartner(replica, partner, deadline);
        }
    }

    @Override
    public void keepPairs(Incarnation incarnation, Duration longer) {
        if (!over.contains(incarnation)) {
            pairs.keep(incarnation, longer);
        }
    }

    @Override
    public boolean isKept(RunRight replica) {
        return pairs.isKept(replica);
    }

    /** The deadline of the right's lease; refuses when that is over or as good as over. */
    private long lease(RunRight right) {
        var deadline = over.contains(right.incarnation()) ? null : leases.get(right.incarnation());
        if (deadline == null
                || deadline - BootClock.nanos() < 2 * settings.killBudget().toNanos()) {
            throw new HypervisorException(
                    right
                            + " may not start: this server holds no live lease for "
                            + right.incarnation()
                            + ". It needs a quorum of the voters within reach.",
                    true);
        }
        return deadline;
    }

    @Override
    public CompletionStage<Void> stop(VmName vm, Epoch upTo, StopMode mode) {
        attempts.stream()
                .filter(a -> a.right.vm().equals(vm) && !a.right.epoch().isAfter(upTo))
                .forEach(a -> a.aborted = true);
        pairs.abort(vm, upTo);
        return inBackground(
                "stop " + vm + " " + upTo,
                () -> {
                    if (mode == StopMode.KILL) {
                        // What is being done with them may wait for their disks, and we for it.
                        replicas.values().stream()
                                .filter(r -> r.right().vm().equals(vm))
                                .filter(r -> !r.right().epoch().isAfter(upTo))
                                .forEach(Replica::killQemu);
                    }
                    return alone(
                            vm,
                            () -> {
                                for (var files : ReplicaFiles.of(settings.runDir(), vm)) {
                                    if (!files.epoch().isAfter(upTo)) {
                                        end(files, mode, List.of());
                                    }
                                }
                                return none();
                            });
                });
    }

    /**
     * Ends one replica, whatever is left of it, and forgets it.
     *
     * @param successor taps that the next epoch takes over
     */
    private void end(ReplicaFiles files, StopMode mode, List<String> successor) throws IOException {
        var manifest = manifest(files);
        var replica = manifest.map(m -> replicas.get(Key.of(m.right()))).orElse(null);
        if (replica != null) {
            // A secondary's guest only follows; nobody asks it anything.
            if (mode == StopMode.SHUTDOWN
                    && replica.isRunning()
                    && !(replica.status().part() instanceof Part.Secondary)) {
                replica.powerDown();
                replica.awaitEnd(SHUTDOWN_LIMIT);
            }
            replica.killQemu();
            // Also when it ended by itself: its clearing away may still go on.
            if (!replica.awaitEnd(END_LIMIT)) {
                log.warn("{} was killed but its end was not seen yet", replica.right());
            }
        }
        if (replica == null || !replica.isCleared()) {
            remains.clearFor(successor, files, manifest);
        } else {
            remains.clearTapsFor(successor, replica.manifest());
        }
        files.delete();
        if (replica != null) {
            pairs.ended(replica.right());
            replicas.remove(Key.of(replica.right()), replica);
        }
    }

    /**
     * All that live are known, and so get every grant, before the first of them is talked to: one
     * that hangs costs none of the others anything.
     */
    @Override
    public CompletionStage<List<ReplicaStatus>> adopt() {
        return inBackground(
                "adopt",
                () -> {
                    var found = new ArrayList<CompletionStage<Optional<ReplicaStatus>>>();
                    for (var files : ReplicaFiles.all(settings.runDir())) {
                        var alive = manifest(files).flatMap(manifest -> alive(files, manifest));
                        found.add(
                                alive.isPresent()
                                        ? CompletableFuture.completedFuture(alive)
                                        : inBackground(
                                                "bury " + files.vm(),
                                                () -> alone(files.vm(), () -> buryOrKeep(files))));
                    }
                    return found.stream().flatMap(one -> Waiting.reply(one).stream()).toList();
                });
    }

    /** Its status, and from here on it is known; empty when it does not live. */
    private Optional<ReplicaStatus> alive(ReplicaFiles files, Manifest manifest) {
        var known = replicas.get(Key.of(manifest.right()));
        if (known != null) {
            return Optional.of(known.status());
        }
        if (manifest.phase() != Phase.RUNNING
                || !manifest.qemu().map(leashed -> leashed.program().isAlive()).orElse(false)) {
            return Optional.empty();
        }
        var replica = new Replica(manifest, files, remains, this::happened);
        replicas.put(Key.of(replica.right()), replica);
        gate.adopt(replica.taps());
        var half = adoptPair(replica);
        // A lease that was granted to this process a moment before counts for it too.
        var deadline = leases.get(replica.right().incarnation());
        if (deadline != null) {
            extend(replica.right().incarnation(), deadline);
        }
        log.info("{} was found alive", replica.right());
        Thread.ofVirtual()
                .name("adopt " + replica.right())
                .start(() -> {
                    replica.adopt(ADOPT_LIMIT);
                    half.filter(pair -> pair.state().stage() == PairState.Stage.RAISING)
                            .ifPresent(this::endRaise);
                });
        return Optional.of(replica.status());
    }

    private Optional<PairHalf> adoptPair(Replica replica) {
        try {
            return pairs.adopt(replica);
        } catch (IOException e) {
            // It may be a secondary: nothing of it gets out before somebody has looked.
            gate.mute(replica.taps());
            log.error(
                    "What {} is to its pair cannot be read; its output is closed. Stop and start the VM.",
                    replica.right(),
                    e);
            return Optional.empty();
        }
    }

    private void endRaise(PairHalf half) {
        try {
            alone(
                    half.replica().right().vm(),
                    () -> {
                        pairs.endRaiseOnce(half);
                        return none();
                    });
        } catch (IOException | RuntimeException e) {
            log.error(
                    "{} was found in the middle of a raise and could not be made an ordinary replica; it is tried again when told to go on alone",
                    half.replica().right(),
                    e);
        }
    }

    /** One that cannot be buried counts as running, and keeps nobody else from being adopted. */
    private Optional<ReplicaStatus> buryOrKeep(ReplicaFiles files) {
        try {
            return bury(files);
        } catch (IOException | RuntimeException e) {
            var why =
                    "it does not run, but what is left of it cannot be cleared away, so it counts as running: "
                            + (e instanceof HypervisorException ? e.getMessage() : e.toString());
            log.error(
                    "{} {}: {} Belay tries again every {} s; the other VMs here are not concerned.",
                    files.vm(),
                    files.epoch(),
                    why,
                    BURY_AGAIN.toSeconds());
            var right = manifest(files).map(Manifest::right);
            var status = right.map(one -> new ReplicaStatus(one, true, why));
            if (status.isPresent() && unburied.put(files, status.get()) == null) {
                Thread.ofVirtual()
                        .name("bury-" + files.vm())
                        .start(() -> keepBurying(files, right.get()));
            }
            return status;
        }
    }

    private void keepBurying(ReplicaFiles files, RunRight right) {
        while (Waiting.millis(BURY_AGAIN.toMillis())) {
            try {
                var buried = alone(files.vm(), () -> bury(files));
                unburied.remove(files);
                happened(
                        new ReplicaEvent.Exited(
                                right,
                                false,
                                buried.map(ReplicaStatus::detail).orElse("it was cleared away")));
                return;
            } catch (IOException | RuntimeException e) {
                log.debug("{} still cannot be cleared away", right, e);
            }
        }
    }

    private Optional<ReplicaStatus> bury(ReplicaFiles files) throws IOException {
        var read = manifest(files);
        if (read.isEmpty()) {
            // Not even its manifest was whole: nothing was started.
            remains.clear(files, read);
            files.delete();
            return Optional.empty();
        }
        return Optional.of(bury(new Replica(read.get(), files, remains, this::happened)));
    }

    /** Ended while no node looked, or its start was never finished. */
    private ReplicaStatus bury(Replica replica) throws IOException {
        var files = replica.files();
        var manifest = replica.manifest();
        if (manifest.phase() != Phase.ENDED) {
            var how =
                    manifest.phase() == Phase.STARTING
                            ? "its start was not finished"
                            : LeashStatus.read(files.leashStatus(ReplicaFiles.Role.QEMU))
                                    .map(status -> "QEMU: " + status.words())
                                    .orElse("QEMU is gone, and so is the word of how");
            remains.clear(files, Optional.of(manifest));
            manifest = manifest.toEnded(how);
            manifest.write(files.manifest());
        } else {
            // Kept for a successor that this node's last process did not live to start.
            remains.removeTaps(manifest);
        }
        return new ReplicaStatus(manifest.right(), false, manifest.ended().orElse("ended"));
    }

    @Override
    public CompletionStage<Void> clean() {
        over.addAll(leases.keySet());
        attempts.forEach(attempt -> attempt.aborted = true);
        pairs.abortAll();
        return inBackground(
                "clean",
                () -> {
                    // As a stop does: no work under way waits for them any longer.
                    replicas.values().forEach(Replica::killQemu);
                    endAll();
                    Remains.killAll(Remains.under(ReplicaFiles.root(settings.runDir())));
                    Taps.delete(Taps.named(names.prefix()));
                    gate.destroy();
                    removeOverlays();
                    legs.sweep();
                    return none();
                });
    }

    /** One that cannot be ended keeps none of the others alive. */
    private void endAll() {
        var failures = new ArrayList<String>();
        for (var files : ReplicaFiles.all(settings.runDir())) {
            try {
                alone(
                        files.vm(),
                        () -> {
                            end(files, StopMode.KILL, List.of());
                            return none();
                        });
            } catch (IOException | RuntimeException e) {
                failures.add(files.vm() + " " + files.epoch() + ": " + e.getMessage());
            }
        }
        if (!failures.isEmpty()) {
            throw new HypervisorException("Could not end " + String.join("; ", failures), false);
        }
    }

    private void removeOverlays() throws IOException {
        var folder = DiskFiles.overlays(settings.dataDir());
        if (Files.isDirectory(folder)) {
            try (var overlays = Files.list(folder)) {
                for (var overlay : overlays.toList()) {
                    Files.delete(overlay);
                }
            }
        }
    }

    @Override
    public List<ReplicaStatus> replicas() {
        return Stream.concat(
                        replicas.values().stream().filter(Replica::isThere).map(Replica::status),
                        unburied.values().stream())
                .toList();
    }

    @Override
    public void extend(Incarnation incarnation, long deadline) {
        if (over.contains(incarnation)) {
            return;
        }
        leases.merge(incarnation, deadline, Math::max);
        var taps = new ArrayList<String>();
        for (var replica : replicas.values()) {
            if (replica.right().incarnation().equals(incarnation)) {
                replica.extendLeashes(deadline);
                if (replica.isRunning()) {
                    taps.addAll(replica.taps());
                }
            }
        }
        gate.open(taps, deadline);
    }

    @Override
    public void observe(Consumer<ReplicaEvent> newObserver) {
        synchronized (unheard) {
            observer = newObserver;
            unheard.forEach(newObserver);
            unheard.clear();
        }
    }

    private void happened(ReplicaEvent event) {
        if (event instanceof ReplicaEvent.Exited || event instanceof ReplicaEvent.PoweredOff) {
            pairs.ended(event.right());
            Thread.ofVirtual()
                    .name("taps-" + event.right().vm())
                    .start(() -> removeTapsLater(event.right().vm()));
        }
        synchronized (unheard) {
            if (observer == null) {
                unheard.add(event);
            } else {
                observer.accept(event);
            }
        }
    }

    /**
     * The next epoch takes them over when it starts here soon; it may start elsewhere, or never.
     */
    private void removeTapsLater(VmName vm) {
        if (!Waiting.millis(TAPS_KEPT.toMillis())) {
            return;
        }
        try {
            alone(
                    vm,
                    () -> {
                        var left =
                                ReplicaFiles.of(settings.runDir(), vm).stream()
                                        .flatMap(files -> manifest(files).stream())
                                        .toList();
                        if (left.stream().allMatch(one -> one.phase() == Phase.ENDED)) {
                            left.forEach(remains::removeTaps);
                        }
                        return none();
                    });
        } catch (IOException | RuntimeException e) {
            log.warn("The taps of {} could not be removed", vm, e);
        }
    }

    private static Optional<Manifest> manifest(ReplicaFiles files) {
        try {
            return Manifest.read(files.manifest());
        } catch (IOException e) {
            log.error("The manifest in {} cannot be read", files.dir(), e);
            return Optional.empty();
        }
    }

    /** Lets go of all replicas as they are; they live on and may be adopted. */
    @Override
    public void close() {
        pairs.close();
        replicas.values().forEach(Replica::leave);
        replicas.clear();
    }

    /** For tests, which play the guest's administrator. */
    @Nullable QmpClient qmp(RunRight right) {
        var replica = replicas.get(Key.of(right));
        return replica == null ? null : replica.qmp();
    }

    private interface Work<T> {
        T run() throws IOException;
    }

    private <T> T alone(VmName vm, Work<T> work) throws IOException {
        var lock = locks.computeIfAbsent(vm, _ -> new ReentrantLock());
        lock.lock();
        try {
            return work.run();
        } finally {
            lock.unlock();
        }
    }

    /** A method of its own because null is not a value elsewhere. */
    @SuppressWarnings("NullAway")
    private static Void none() {
        return null;
    }

    private static <T> CompletionStage<T> inBackground(String what, Work<T> work) {
        var result = new CompletableFuture<T>();
        Thread.ofVirtual()
                .name(what)
                .start(() -> {
                    try {
                        result.complete(work.run());
                    } catch (HypervisorException e) {
                        result.completeExceptionally(e);
                    } catch (IOException | RuntimeException | Error e) {
                        log.warn("Could not {}", what, e);
                        result.completeExceptionally(
                                new HypervisorException("Could not " + what + ": " + e, true));
                    }
                });
        return result;
    }
}
