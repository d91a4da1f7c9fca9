package dev.belay.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.decision.RaiseStage;
import dev.belay.decision.VmInput.Timing;
import dev.belay.model.Epoch;
import dev.belay.model.PairAddress;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The steps of one raise, at the primary. Until the last the guest runs, and only reads its disks
 * from where it did before; {@link ColoPrimary#leave} undoes whatever was done. Blocks.
 */
final class ColoRaise {
    private static final Duration REACH_LIMIT = Duration.ofSeconds(3);
    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);
    private static final long DISK_POLL_MILLIS = 30;
    private static final int DOWNTIME_MILLIS = 300;

    /** For a guest that dirties its memory faster than it is sent: the last copy takes longer. */
    private static final int PATIENT_DOWNTIME_MILLIS = 2_000;

    private static final long PATIENT_AFTER_NANOS = Duration.ofSeconds(30).toNanos();
    private static final Set<String> FAILED = Set.of("failed", "cancelled", "completed", "none");

    private final QemuSettings settings;
    private final Manifest manifest;
    private final PairQmp qmp;
    private final PairAddress at;
    private final Epoch secondary;
    private final ColoCards cards;
    private final int disks;
    private final Runnable checkAborted;
    private final BiConsumer<RaiseStage, Integer> progress;

    ColoRaise(
            QemuSettings settings,
            Replica replica,
            PairQmp qmp,
            PairState state,
            Runnable checkAborted,
            BiConsumer<RaiseStage, Integer> progress) {
        this.settings = settings;
        this.manifest = replica.manifest();
        this.qmp = qmp;
        this.at = state.at();
        this.secondary = state.partner().epoch();
        this.cards = new ColoCards(qmp, at, manifest.spec().nics().size(), replica.files());
        this.disks = manifest.spec().disks().size();
        this.checkAborted = checkAborted;
        this.progress = progress;
    }

    List<Timing> run() throws IOException {
        var laps = new Laps();
        reach();
        copyDisks();
        laps.lap("copied the disks");
        connectCards();
        copyMemory();
        laps.lap("copied the memory");
        join();
        laps.lap("paused the guest and joined the two");
        return laps.all();
    }

    /** QEMU connects with its main loop; one that waits for a dead host would stop the guest. */
    private void reach() {
        try (var socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(at.host(), at.disks()), (int) REACH_LIMIT.toMillis());
        } catch (IOException e) {
            throw new HypervisorException(
                    "the other server cannot be reached at "
                            + at.host()
                            + ":"
                            + at.disks()
                            + " ("
                            + e.getMessage()
                            + ")",
                    true);
        }
    }

    // --- Disks ---------------------------------------------------------------------------------

    private void copyDisks() {
        var told = new Progress(RaiseStage.DISKS);
        told.at(0);
        for (var k = 0; k < disks; k++) {
            checkAborted.run();
            qmp.run("blockdev-add", PairCommand.ownNode(settings, manifest, k, secondary));
            qmp.run("blockdev-add", PairCommand.remoteNode(k, secondary, at));
            var here = qmp.size(QemuCommand.vd(k));
            var there = qmp.size(PairCommand.remote(k, secondary));
            if (here != there) {
                throw new HypervisorException(
                        "disk %d has %d bytes here and %d on the other server; is its image the same on both?"
                                .formatted(k, here, there),
                        false);
            }
            // Every write waits for the copy, or a guest that writes much would never be copied.
            qmp.run(
                    "blockdev-mirror",
                    QmpClient.arguments()
                            .put("job-id", PairCommand.mirrorJob(k, secondary))
                            .put("device", QemuCommand.vd(k))
                            .put("target", PairCommand.remote(k, secondary))
                            .put("sync", "full")
                            .put("copy-mode", "write-blocking")
                            .put("on-target-error", "report")
                            .put("auto-dismiss", false));
        }
        while (true) {
            checkAborted.run();
            var copied = copied();
            if (copied.ready) {
                told.at(100);
                return;
            }
            told.at(percent(copied.done, copied.total));
            told.expect(copied.done);
            Waiting.millis(DISK_POLL_MILLIS);
        }
    }

    private record Copied(long done, long total, boolean ready) {}

    /** Fails when any of the copies has broken off. */
    private Copied copied() {
        var jobs = qmp.jobs();
        var done = 0L;
        var total = 0L;
        var ready = 0;
        for (var k = 0; k < disks; k++) {
            var job = mirror(jobs.get(PairCommand.mirrorJob(k, secondary)), k);
            done += job.path("current-progress").asLong();
            total += job.path("total-progress").asLong();
            ready += job.path("status").asText().equals("ready") ? 1 : 0;
        }
        return new Copied(done, total, ready == disks);
    }

    private static JsonNode mirror(@Nullable JsonNode job, int k) {
        if (job == null || job.path("status").asText().equals("concluded")) {
            throw new HypervisorException(
                    "the copy of disk "
                            + k
                            + " broke off: "
                            + (job == null
                                    ? "it is gone"
                                    : job.path("error").asText("no reason given")),
                    true);
        }
        return job;
    }

    private static int percent(long done, long total) {
        return total <= 0 ? 0 : (int) Math.min(99, 100 * done / total);
    }

    /** Tells each percent once, and notices when there is none any more. */
    private final class Progress {
        private final RaiseStage stage;
        private int told = -1;
        private long last = -1;
        private long since = System.nanoTime();

        private Progress(RaiseStage stage) {
            this.stage = stage;
        }

        private void at(int percent) {
            if (percent > told) {
                told = percent;
                progress.accept(stage, percent);
            }
        }

        private void expect(long done) {
            if (done != last) {
                last = done;
                since = System.nanoTime();
            } else if (System.nanoTime() - since > settings.pairs().stall().toNanos()) {
                throw new HypervisorException(
                        "nothing was copied for " + settings.pairs().stall().toSeconds() + " s",
                        true);
            }
        }
    }

    private void connectCards() throws IOException {
        cards.connect();
        var connected =
                PairQmp.await(
                        CONNECT_LIMIT,
                        () -> {
                            checkAborted.run();
                            copied();
                            return cards.unconnected().isEmpty();
                        });
        if (!connected) {
            throw new HypervisorException(
                    "the network cards' filters do not reach the other server: "
                            + cards.unconnected(),
                    true);
        }
    }

    // --- Memory --------------------------------------------------------------------------------

    /** Ends with the guest paused for the last step. */
    private void copyMemory() {
        qmp.capabilities(true, "x-colo", "return-path", "pause-before-switchover");
        qmp.run(
                "migrate-set-parameters",
                QmpClient.arguments()
                        .put("x-checkpoint-delay", settings.pairs().checkpointDelay().toMillis())
                        .put("max-bandwidth", 0)
                        .put("downtime-limit", DOWNTIME_MILLIS));
        qmp.run(
                "migrate",
                QmpClient.arguments()
                        .put("uri", PairCommand.migrationUri(at.host(), at.migration())));
        var told = new Progress(RaiseStage.MEMORY);
        var since = System.nanoTime();
        var patient = false;
        while (true) {
            checkAborted.run();
            copied();
            var now = qmp.run("query-migrate");
            var status = now.path("status").asText();
            if (status.equals("pre-switchover")) {
                told.at(100);
                return;
            }
            failWhenOver(status, now);
            var ram = now.path("ram");
            told.at(
                    percent(
                            ram.path("total").asLong() - ram.path("remaining").asLong(),
                            ram.path("total").asLong()));
            told.expect(ram.path("transferred").asLong());
            if (!patient && System.nanoTime() - since > PATIENT_AFTER_NANOS) {
                patient = true;
                qmp.run(
                        "migrate-set-parameters",
                        QmpClient.arguments().put("downtime-limit", PATIENT_DOWNTIME_MILLIS));
            }
            Waiting.millis(4);
        }
    }

    private static void failWhenOver(String status, JsonNode now) {
        if (FAILED.contains(status)) {
            throw new HypervisorException(
                    "the copy of the memory ended as '"
                            + status
                            + "': "
                            + now.path("error-desc").asText("no reason given"),
                    true);
        }
    }

    // --- The last step -------------------------------------------------------------------------

    /** The guest is paused: nothing changes on its disks and nothing comes out of its cards. */
    private void join() {
        progress.accept(RaiseStage.LOCKSTEP, 0);
        for (var k = 0; k < disks; k++) {
            finishMirror(k);
            qmp.run("blockdev-add", PairCommand.replicationNode(k, secondary));
            qmp.run("blockdev-add", PairCommand.quorumNode(k, secondary));
            qmp.reopen(k, PairCommand.quorum(k, secondary));
        }
        cards.filter();
        progress.accept(RaiseStage.LOCKSTEP, 50);
        checkAborted.run();
        new EmulatedWrites(qmp).reportAll();
        qmp.run("migrate-continue", QmpClient.arguments().put("state", "pre-switchover"));
        var joined =
                PairQmp.await(
                        settings.pairs().join(),
                        () -> {
                            checkAborted.run();
                            var now = qmp.run("query-migrate");
                            failWhenOver(now.path("status").asText(), now);
                            return now.path("status").asText().equals("colo")
                                    && qmp.status().equals("running");
                        });
        if (!joined) {
            throw new HypervisorException(
                    "the two did not come into step within "
                            + settings.pairs().join().toMillis()
                            + " ms; QEMU says '"
                            + qmp.migration()
                            + "' and '"
                            + qmp.status()
                            + "'",
                    true);
        }
        progress.accept(RaiseStage.LOCKSTEP, 100);
    }

    /** One that is ready and is cancelled has copied every byte; the guest cannot write now. */
    private void finishMirror(int k) {
        var id = PairCommand.mirrorJob(k, secondary);
        qmp.run("block-job-cancel", QmpClient.arguments().put("device", id));
        var over =
                PairQmp.await(
                        settings.pairs().join(),
                        () ->
                                Objects.requireNonNull(qmp.jobs().get(id))
                                        .path("status")
                                        .asText()
                                        .equals("concluded"));
        var error = Objects.requireNonNull(qmp.jobs().get(id)).path("error").asText("");
        if (!over || !error.isEmpty()) {
            throw new HypervisorException(
                    "the copy of disk " + k + " does not end as it should: " + error, true);
        }
        qmp.run("job-dismiss", QmpClient.arguments().put("id", id));
    }
}
