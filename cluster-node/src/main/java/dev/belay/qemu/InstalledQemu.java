package dev.belay.qemu;

import dev.belay.decision.Qemu;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.nio.file.Path;
import java.util.List;
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
        private Qemu there() {
            return qemu(proof.unproven());
        }

        private Qemu gone(String why) {
            return qemu(Optional.of("the QEMU %s that it had is gone: %s".formatted(version, why)));
        }

        private Qemu qemu(Optional<String> unproven) {
            return new Qemu(version, machine, cpu.accelerator(), cpu.model(), unproven);
        }
    }

    private final QemuSettings settings;
    private final Installation installation;
    private final AtomicBoolean looking = new AtomicBoolean();
    private volatile @Nullable Seen seen;

    /** Why the newest look failed. */
    private volatile Optional<String> failure = Optional.empty();

    InstalledQemu(QemuSettings settings, Installation installation) {
        this.settings = settings;
        this.installation = installation;
    }

    /** Quick; what is not known yet is found out meanwhile. */
    Optional<Qemu> now() {
        var build = QemuBuild.of(settings.system());
        var known = seen;
        if (known != null && build.equals(Optional.of(known.build()))) {
            return Optional.of(known.there());
        }
        build.filter(_ -> looking.compareAndSet(false, true))
                .ifPresent(there ->
                        Thread.ofVirtual().name("installed-qemu").start(() -> look(there)));
        // Whoever believes in the one that was seen hears that it is there no more.
        var gone = build.isEmpty() ? Optional.of("there is no " + settings.system()) : failure;
        return known == null ? Optional.empty() : gone.map(known::gone);
    }

    private void look(QemuBuild build) {
        try {
            var version = installation.version();
            var machine = installation.machineType();
            var cpu = GuestCpu.of(settings);
            var proof = new LockstepProof(settings, build, version, machine, cpu);
            proof.seek();
            seen = new Seen(build, version, machine, cpu, proof);
            failure = Optional.empty();
        } catch (RuntimeException e) {
            log.warn(
                    "{} does not tell what it is, so no VM gets to this server in lockstep: {}",
                    settings.system(),
                    e.getMessage());
            failure = Optional.of(String.valueOf(e.getMessage()));
            Waiting.millis(AGAIN_MILLIS);
        } finally {
            looking.set(false);
        }
    }

    /**
     * Its server may have got another QEMU or other settings since the guest started; a second one
     * has the new.
     */
    void refuseUnlike(Replica replica) {
        var installed = installation.version();
        var runs = version(new PairQmp(replica.right(), replica::qmp));
        if (!runs.equals(installed)) {
            throw new HypervisorException(
                    "%s runs in QEMU %s still, and %s has been installed since, with which its second copy would run. Stop and start it to have it in lockstep again."
                            .formatted(replica.right().vm(), runs, installed),
                    false);
        }
        var pid = replica.manifest().qemu().orElseThrow().program().pid();
        var line = Remains.arguments(Path.of("/proc/" + pid));
        if (line.isEmpty()) {
            throw new HypervisorException(
                    "%s does not run here: its process %d is gone".formatted(replica.right(), pid),
                    false);
        }
        otherMachine(
                        line,
                        QemuCommand.machine(settings, installation.machineType()),
                        settings.cpu())
                .ifPresent(other -> {
                    throw new HypervisorException(
                            "%s runs with %s its second copy would run. Stop and start it to have it in lockstep again."
                                    .formatted(replica.right().vm(), other),
                            false);
                });
    }

    /**
     * What a QEMU that was adopted shows its guest, when another one would start with something
     * else.
     */
    static Optional<String> otherMachine(List<String> line, String machine, String cpu) {
        var ownMachine = option(line, "-machine");
        if (!ownMachine.equals(machine)) {
            return Optional.of(
                    "the machine %s still, and another was configured since (belay.qemu.machine, belay.qemu.accel), %s, with which"
                            .formatted(ownMachine, machine));
        }
        var ownCpu = option(line, "-cpu");
        return ownCpu.equals(cpu.isBlank() ? "" : cpu)
                ? Optional.empty()
                : Optional.of(
                        "the CPU '%s' still, and belay.qemu.cpu is '%s' by now, with which"
                                .formatted(ownCpu, cpu));
    }

    /** Empty when it is not there. */
    private static String option(List<String> line, String name) {
        var at = line.indexOf(name);
        return at < 0 || at + 1 >= line.size() ? "" : line.get(at + 1);
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
