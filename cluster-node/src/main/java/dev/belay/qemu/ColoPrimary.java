package dev.belay.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.model.Epoch;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/** A primary's way out of its pair, from wherever it is. Blocks. */
final class ColoPrimary {
    private static final Duration SETTLE_LIMIT = Duration.ofSeconds(15);
    private static final Duration RUN_LIMIT = Duration.ofSeconds(15);
    private static final Duration BY_ITSELF = Duration.ofMillis(300);

    /** A migration in one of them neither goes on nor has to be cancelled. */
    private static final Set<String> SETTLED =
            Set.of("none", "failed", "cancelled", "completed", "colo");

    /** Where QEMU leaves a guest that it does not resume by itself. */
    private static final Set<String> PAUSED = Set.of("io-error", "paused", "postmigrate");

    private final PairQmp qmp;
    private final Epoch own;
    private final Epoch secondary;
    private final int nics;
    private final int disks;
    private final ReplicaFiles files;

    ColoPrimary(Replica replica, PairQmp qmp, PairState state) {
        this.qmp = qmp;
        this.own = replica.right().epoch();
        this.secondary = state.partner().epoch();
        this.nics = replica.manifest().spec().nics().size();
        this.disks = replica.manifest().spec().disks().size();
        this.files = replica.files();
    }

    /**
     * Makes it an ordinary running replica, from any step of a raise or from lockstep. May be
     * repeated after any failure in between.
     *
     * @param openOutput before the packets that were held for the secondary are let go
     */
    void leave(Laps laps, Waiting.Step openOutput) throws IOException {
        // Else QEMU's main loop may wait for a secondary that hangs, and answer nothing.
        qmp.yank(this::leadsToSecondary);
        var migration = settleMigration();
        dropMirrors();
        Waiting.both(
                () -> {
                    for (var k = 0; k < disks; k++) {
                        leaveQuorum(k);
                    }
                },
                openOutput);
        laps.lap("let the other server's disks go");
        for (var nic = 0; nic < nics; nic++) {
            qmp.removeObjects(PairCommand.primaryObjects(nic));
        }
        if (migration.equals("colo")) {
            qmp.tried("x-colo-lost-heartbeat", QmpClient.arguments(), PairQmp.LIMIT);
        }
        for (var nic = 0; nic < nics; nic++) {
            qmp.removeChardevs(PairCommand.primaryChardevs(nic));
        }
        removeSockets();
        awaitRunning();
        laps.lap("ran the guest alone");
        for (var k = 0; k < disks; k++) {
            qmp.deleteNodes(PairCommand.primaryNodes(k, secondary));
        }
        qmp.capabilities(false, "x-colo", "return-path", "pause-before-switchover");
    }

    private boolean leadsToSecondary(JsonNode instance) {
        return instance.path("type").asText().equals("migration")
                || instance.path("node-name").asText().matches("repn\\d+\\." + secondary)
                || instance.path("id").asText().matches("(mirror0|compare1)-\\d+");
    }

    private String settleMigration() {
        var settled =
                PairQmp.await(
                        SETTLE_LIMIT,
                        () -> {
                            var status = qmp.migration();
                            if (!SETTLED.contains(status) && !status.equals("cancelling")) {
                                qmp.tried("migrate_cancel", QmpClient.arguments(), PairQmp.LIMIT);
                            }
                            return SETTLED.contains(status);
                        });
        if (!settled) {
            throw new HypervisorException(
                    "QEMU does not end its migration, it stays '" + qmp.migration() + "'", true);
        }
        return qmp.migration();
    }

    private void dropMirrors() {
        for (var k = 0; k < disks; k++) {
            var id = PairCommand.mirrorJob(k, secondary);
            if (qmp.jobs().containsKey(id)) {
                qmp.tried(
                        "block-job-cancel",
                        QmpClient.arguments().put("device", id).put("force", true),
                        PairQmp.LIMIT);
                dismiss(id);
            }
        }
    }

    private void dismiss(String id) {
        PairQmp.await(
                SETTLE_LIMIT,
                () -> {
                    var job = qmp.jobs().get(id);
                    return job == null || job.path("status").asText().equals("concluded");
                });
        qmp.tried("job-dismiss", QmpClient.arguments().put("id", id), PairQmp.LIMIT);
    }

    private void leaveQuorum(int k) {
        var nodes = qmp.nodes();
        var quorum = PairCommand.quorum(k, secondary);
        if (!nodes.getOrDefault(QemuCommand.vd(k), Map.of()).containsValue(quorum)) {
            return;
        }
        // A quorum of two that has lost one refuses even the flush that precedes every change. It
        // cannot have fewer children than votes, hence the stand-in.
        if (!nodes.containsKey(PairCommand.standIn(k, secondary))) {
            PairCommand.standInNodes(k, secondary, qmp.size(QemuCommand.vd(k)))
                    .forEach(node -> qmp.run("blockdev-add", node));
        }
        var children = nodes.getOrDefault(quorum, Map.of());
        if (!children.containsValue(PairCommand.standIn(k, secondary))) {
            qmp.run(
                    "x-blockdev-change",
                    QmpClient.arguments()
                            .put("parent", quorum)
                            .put("node", PairCommand.standIn(k, secondary)));
        }
        children.forEach((child, node) -> {
            if (node.equals(PairCommand.replication(k, secondary))) {
                qmp.run(
                        "x-blockdev-change",
                        QmpClient.arguments().put("parent", quorum).put("child", child));
            }
        });
        qmp.reopen(k, QemuCommand.leg(k, own));
    }

    private void removeSockets() throws IOException {
        for (var nic = 0; nic < nics; nic++) {
            Files.deleteIfExists(files.filter("cmp" + nic));
            Files.deleteIfExists(files.filter("out" + nic));
        }
    }

    /** QEMU resumes the guest by itself, unless a write had failed meanwhile. */
    private void awaitRunning() {
        var since = System.nanoTime();
        var runs =
                PairQmp.await(
                        RUN_LIMIT,
                        () -> {
                            var status = qmp.status();
                            var waited = System.nanoTime() - since > BY_ITSELF.toNanos();
                            if (PAUSED.contains(status) || (waited && !runs(status))) {
                                qmp.tried("cont", QmpClient.arguments(), PairQmp.LIMIT);
                            }
                            return runs(status);
                        });
        if (!runs) {
            throw new HypervisorException(
                    "the guest does not run again, QEMU says '" + qmp.status() + "'", true);
        }
    }

    /** A panic or the guest's own end is told elsewhere, and nothing to wait for. */
    private static boolean runs(String status) {
        return Set.of("running", "guest-panicked", "shutdown").contains(status);
    }
}
