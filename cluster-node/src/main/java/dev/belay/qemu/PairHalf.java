package dev.belay.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.clock.BootClock;
import dev.belay.model.RunRight;
import dev.belay.replica.Hypervisor.HypervisorException;
import dev.belay.replica.Hypervisor.Part;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.LockstepFigures;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This server's half of one pair while it is one: watches its QEMU and its connections to the
 * other, and closes its output at the first sign that the other is gone.
 *
 * <pre>
 *  primary    RAISING --raised--> LEADING ---+
 *  secondary  PREPARED --filled--> FOLLOWING -+--leave()--> over
 * </pre>
 */
final class PairHalf implements Replica.PairListener {
    private static final Logger log = LoggerFactory.getLogger(PairHalf.class);
    private static final Duration PULSE = Duration.ofMillis(250);

    /** Whoever answers later hangs, as good as. */
    private static final Duration KEEPING = Duration.ofMillis(500);

    /** Then it is asked again; whether it hangs is known long before. */
    private static final Duration PULSE_LIMIT = Duration.ofSeconds(30);

    private final PairSettings settings;
    private final Replica replica;
    private final PairQmp qmp;
    private final LegFiles legs;
    private final Gate gate;
    private final Consumer<ReplicaEvent> tell;
    private final AtomicBoolean looking = new AtomicBoolean();
    private final AtomicBoolean pulsing = new AtomicBoolean();
    private final Checkpoints checkpoints;
    private final Governor governor;
    private final AtomicBoolean governing = new AtomicBoolean();
    private final CompletableFuture<Void> following = new CompletableFuture<>();
    private volatile PairState state;
    private volatile boolean joining;
    private volatile boolean ownDiskBad;
    private volatile boolean hung;

    /** QEMU itself said, to this process, that it is in lockstep. */
    private volatile boolean inColo;

    private final AtomicBoolean noting = new AtomicBoolean();

    /**
     * Held while it becomes FOLLOWING, so that this is done with or never begun when the pair is
     * left. Not this: who closes the output must not wait for a disk.
     */
    private final Object moving = new Object();

    /** Guarded by this. */
    private boolean leaving;

    /** The other one is. Whoever says so, or closed the output, vouches for nobody any more. */
    private boolean lost;

    private boolean muted;

    /** By its partner's word it lives until then, on CLOCK_BOOTTIME. */
    private volatile long vouchedUntil = Long.MIN_VALUE;

    PairHalf(
            QemuSettings settings,
            Replica replica,
            LegFiles legs,
            Gate gate,
            Consumer<ReplicaEvent> tell,
            PairState state) {
        this.settings = settings.pairs();
        this.replica = replica;
        this.qmp = new PairQmp(replica.right(), replica::qmp);
        this.legs = legs;
        this.gate = gate;
        this.tell = tell;
        this.state = state;
        if (state.stage() == PairState.Stage.FOLLOWING) {
            following.complete(null);
        }
        this.checkpoints = new Checkpoints(this.settings.checkpointDelay());
        this.governor = new Governor(replica, qmp, this.settings, state, checkpoints);
    }

    Replica replica() {
        return replica;
    }

    PairQmp qmp() {
        return qmp;
    }

    PairState state() {
        return state;
    }

    Checkpoints checkpoints() {
        return checkpoints;
    }

    /** Done when this secondary is in lockstep and its legs are whole, on the disk. Any thread. */
    CompletionStage<Void> following() {
        return following.copy();
    }

    /** Of a primary in lockstep that has been looked at. */
    Optional<LockstepFigures> figures() {
        return state.stage() == PairState.Stage.LEADING ? governor.figures() : Optional.empty();
    }

    /** From here on it is one, and watched. */
    void begin() {
        replica.becomes(
                state.isSecondary()
                        ? new Part.Secondary(state.partner())
                        : new Part.Primary(state.partner()),
                this);
        if (state.isSecondary()) {
            gate.mute(replica.taps());
        }
        Thread.ofVirtual().name("pair-" + replica.right().vm()).start(this::watch);
    }

    void to(PairState.Stage stage) throws IOException {
        var next = state.to(stage);
        next.write(replica.files());
        state = next;
        log.info("{} is {} with {}", replica.right(), stage, next.partner());
    }

    /** The primary's guest is about to write to both. */
    void joining() {
        joining = true;
    }

    /** Nothing that happens to the pair is news any more. */
    void leave() {
        synchronized (moving) {
            synchronized (this) {
                leaving = true;
            }
            following.cancel(false);
        }
    }

    /** It is alone. */
    void over() throws IOException {
        leave();
        PairState.forget(replica.files());
        replica.becomes(new Part.Alone(), null);
    }

    /** Closes its output until the pair is over. */
    synchronized void mute() {
        if (!leaving) {
            muted = true;
            gate.mute(replica.taps());
        }
    }

    /** Fails when it does not within the limit. Blocks. */
    void passCheckpoint() {
        if (state.stage() != PairState.Stage.LEADING || isLeaving()) {
            throw new HypervisorException(replica.right() + " does not lead in lockstep.", false);
        }
        governor.passCheckpoint();
    }

    // --- Living by each other ------------------------------------------------------------------

    /** Keeps it on disk that the journal says so. Blocks. */
    void noteStored() throws IOException {
        synchronized (moving) {
            if (!isLeaving() && state.isLockstep() && !state.stored()) {
                var noted = state.toStored();
                noted.write(replica.files());
                state = noted;
            }
        }
    }

    /** Whether nobody is about to note it, and somebody should. */
    boolean beginsToNote(RunRight partner) {
        return state.isLockstep()
                && state.partner().equals(partner)
                && !state.stored()
                && noting.compareAndSet(false, true);
    }

    void noted() {
        noting.set(false);
    }

    /** In lockstep with it for all that is known here, by the journal's word too. */
    synchronized boolean vouchesFor(RunRight partner) {
        var now = state;
        return now.isLockstep()
                && now.stored()
                && now.partner().equals(partner)
                && inColo
                && !leaving
                && !lost
                && !muted
                && !hung
                && replica.isRunning();
    }

    /** Whoever leaves the pair meanwhile has left before or after: never is it extended later. */
    synchronized void extendByPartner(RunRight partner, long deadline) {
        if (vouchesFor(partner)) {
            vouchedUntil = Math.max(vouchedUntil, deadline);
            replica.extendLeashes(deadline);
            gate.open(replica.taps(), deadline);
        }
    }

    /**
     * Lives without a word of this process, which is about to end, so much longer than by its
     * partner's last word. No proof by lease is given of one of two in lockstep (safety.md 14), so
     * its leash may be as long as it wants (22), if whoever waits until nobody lives by a word
     * waits longer. Its output closes when its lease is over, as ever (10). Blocks.
     */
    void keep(Duration longer) throws IOException {
        var client = replica.qmp();
        if (client == null) {
            return;
        }
        // It may have stood still, with this process, while the other one was let go.
        seen(false, Waiting.reply(client.execute("query-chardev", KEEPING)));
        synchronized (moving) {
            long vouched = vouchedUntil;
            if (!vouchesFor(state.partner()) || vouched < BootClock.nanos()) {
                return;
            }
            var kept = state.keptUntil(vouched + longer.toNanos());
            kept.write(replica.files());
            state = kept;
            var isHeld = replica.extendLeashesNow(kept.keptUntil());
            log.info(
                    "{} is {} while this process starts anew",
                    replica.right(),
                    isHeld ? "kept" : "not kept by its leash");
        }
    }

    // --- As a pair -----------------------------------------------------------------------------

    private synchronized boolean isLeaving() {
        return leaving;
    }

    private void lost(String reason) {
        synchronized (this) {
            if (leaving || lost || !state.isLockstep()) {
                return;
            }
            lost = true;
            gate.mute(replica.taps());
        }
        log.warn("{} has lost {}: {}", replica.right(), state.partner(), reason);
        tell.accept(new ReplicaEvent.PartnerLost(replica.right(), state.partner(), reason));
    }

    // --- What QEMU says ------------------------------------------------------------------------

    @Override
    public void onEvent(String name, JsonNode data) {
        switch (name) {
            case "COLO_EXIT" -> {
                if (data.path("reason").asText().equals("error")) {
                    lost("their exchange of checkpoints broke off");
                }
            }
            case "QUORUM_REPORT_BAD" -> childBad(data);
            case "STOP", "RESUME" -> {
                if (state.stage() == PairState.Stage.LEADING) {
                    checkpoints.onEvent(name, System.nanoTime());
                }
            }
            default -> {
                // The replica hears the rest.
            }
        }
    }

    private void childBad(JsonNode data) {
        var node = data.path("node-name").asText();
        var why = data.path("error").asText("no reason given");
        if (node.startsWith("rep") && node.endsWith("." + state.partner().epoch())) {
            lost("a write did not reach its disk (" + why + ")");
        } else if (node.startsWith("own")) {
            ownDiskBad = true;
        }
    }

    /** The primary's writes fail when either disk does; which one was told a moment before. */
    @Override
    public boolean takesIoError() {
        if (state.isSecondary() || ownDiskBad || !(joining || state.isLockstep())) {
            return false;
        }
        lost("a write did not reach both disks");
        return true;
    }

    // --- Looking -------------------------------------------------------------------------------

    private void watch() {
        var pulseAt = System.nanoTime();
        var governAt = pulseAt;
        var unanswered = 0;
        while (!isLeaving() && replica.isThere() && Waiting.millis(settings.look().toMillis())) {
            var client = replica.qmp();
            if (client == null || !client.isOpen()) {
                continue;
            }
            // Counted in looks, not in time: when this whole server stalls, we stall too, and a
            // QEMU that had no chance to answer does not hang.
            unanswered = pulsing.get() ? unanswered + 1 : 0;
            if (unanswered >= settings.hung().dividedBy(settings.look())) {
                hung();
            }
            if (System.nanoTime() >= pulseAt && pulsing.compareAndSet(false, true)) {
                pulseAt = System.nanoTime() + PULSE.toNanos();
                pulse(client);
            }
            if (looking.compareAndSet(false, true)) {
                look(client);
            }
            if (state.stage() == PairState.Stage.LEADING
                    && System.nanoTime() >= governAt
                    && governing.compareAndSet(false, true)) {
                governAt = System.nanoTime() + Governor.EVERY.toNanos();
                Thread.ofVirtual().name("governor-" + replica.right().vm()).start(this::govern);
            }
        }
    }

    private void govern() {
        try {
            governor.look();
        } catch (RuntimeException e) {
            // What the pair goes through is noticed elsewhere; here the next look comes.
            log.debug("{} could not be measured", replica.right(), e);
        } finally {
            governing.set(false);
        }
    }

    /** Answered even while QEMU's main loop is blocked; unanswered only when all of it hangs. */
    private void pulse(QmpClient client) {
        client.executeOutOfBand("query-yank", QmpClient.arguments(), PULSE_LIMIT)
                .whenComplete((_, failure) -> {
                    if (failure == null) {
                        hung = false;
                    }
                    pulsing.set(false);
                });
    }

    private void hung() {
        if (hung || isLeaving() || !state.isLockstep() || !replica.isRunning()) {
            return;
        }
        hung = true;
        var reason = "QEMU has not answered for at least " + settings.hung().toMillis() + " ms";
        log.warn("{} hangs: {}", replica.right(), reason);
        tell.accept(new ReplicaEvent.Hung(replica.right(), reason));
    }

    private void look(QmpClient client) {
        var waits = state.stage() == PairState.Stage.PREPARED;
        if (state.isLockstep() && !inColo) {
            client.execute("query-migrate", PairQmp.LIMIT)
                    .whenComplete((reply, _) -> {
                        if (reply != null && saysColo(reply)) {
                            inColo = true;
                        }
                    });
        }
        client.execute(waits ? "query-migrate" : "query-chardev", PairQmp.LIMIT)
                .whenComplete((reply, _) -> {
                    try {
                        seen(waits, reply);
                    } catch (IOException | RuntimeException e) {
                        log.warn("{} could not be looked after", replica.right(), e);
                    } finally {
                        looking.set(false);
                    }
                });
    }

    private static boolean saysColo(JsonNode migration) {
        return migration.path("status").asText().equals("colo");
    }

    private void follow() throws IOException {
        synchronized (moving) {
            if (!isLeaving()) {
                legs.filled(replica.right().vm(), replica.right().epoch());
                to(PairState.Stage.FOLLOWING);
                following.complete(null);
            }
        }
    }

    private void seen(boolean waits, @Nullable JsonNode reply) throws IOException {
        if (reply == null) {
            return;
        }
        if (waits) {
            if (saysColo(reply)) {
                follow();
            }
            return;
        }
        if (state.isLockstep()) {
            PairQmp.chardevs(reply)
                    .forEach((id, where) -> {
                        if (id.matches("(mirror0|compare1|red[01])-\\d+")
                                && where.startsWith("disconnected")) {
                            lost("a network connection to it was closed");
                        }
                    });
        }
    }
}
