package dev.belay.qemu;

import dev.belay.decision.Qemu;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which QEMU this server has; looked at again when its file was replaced. Thread-safe. */
final class InstalledQemu {
    private static final Logger log = LoggerFactory.getLogger(InstalledQemu.class);
    private static final long AGAIN_MILLIS = 10_000;

    private record Seen(
            QemuBuild build, String version, String machine, GuestCpu cpu, LockstepProof proof) {
        private Qemu qemu() {
            return new Qemu(version, machine, cpu.accelerator(), cpu.model(), proof.unproven());
        }
    }

    private final QemuSettings settings;
    private final Installation installation;
    private final AtomicBoolean looking = new AtomicBoolean();
    private volatile @Nullable Seen seen;

    InstalledQemu(QemuSettings settings, Installation installation) {
        this.settings = settings;
        this.installation = installation;
    }

    /** Quick; what is not known yet is found out meanwhile. */
    Optional<Qemu> now() {
        var build = QemuBuild.of(settings.system());
        var known = seen;
        if (known != null && build.equals(Optional.of(known.build()))) {
            return Optional.of(known.qemu());
        }
        build.filter(_ -> looking.compareAndSet(false, true))
                .ifPresent(there ->
                        Thread.ofVirtual().name("installed-qemu").start(() -> look(there)));
        return Optional.empty();
    }

    private void look(QemuBuild build) {
        try {
            var version = installation.version();
            var machine = installation.machineType();
            var cpu = GuestCpu.of(settings);
            var proof = new LockstepProof(settings, build, version, machine, cpu);
            proof.seek();
            seen = new Seen(build, version, machine, cpu, proof);
        } catch (RuntimeException e) {
            log.warn(
                    "{} does not tell what it is, so no VM gets to this server in lockstep: {}",
                    settings.system(),
                    e.getMessage());
            Waiting.millis(AGAIN_MILLIS);
        } finally {
            looking.set(false);
        }
    }

    /** Its server may have got another QEMU since the guest started; a second one has the new. */
    void refuseOlder(Replica replica) {
        var installed = installation.version();
        var runs = version(new PairQmp(replica.right(), replica::qmp));
        if (!runs.equals(installed)) {
            throw new HypervisorException(
                    "%s runs in QEMU %s still, and %s has been installed since, with which its second copy would run. Stop and start it to have it in lockstep again."
                            .formatted(replica.right().vm(), runs, installed),
                    false);
        }
    }

    private static String version(PairQmp qmp) {
        var told = qmp.run("query-version").path("qemu");
        return told.path("major").asInt()
                + "."
                + told.path("minor").asInt()
                + "."
                + told.path("micro").asInt();
    }
}
