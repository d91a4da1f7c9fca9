package dev.belay.qemu;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Where things are and how replicas run.
 *
 * @param system {@code qemu-system-x86_64}
 * @param storageDaemon {@code qemu-storage-daemon}
 * @param img {@code qemu-img}
 * @param leash {@code belay-leash}
 * @param accel {@code kvm}, {@code tcg}, or several in order of preference with ':' between them
 * @param machine {@code pc} for the newest of that kind, or a versioned type
 * @param cpu empty: QEMU's default
 * @param runDir sockets and manifests; survives the node's JVM, not the server's boot. Short: a
 *     socket's path has at most 107 bytes
 * @param dataDir disks of ephemeral kind
 * @param serverName tells two nodes on one kernel apart in names of taps and nft tables
 * @param nbdAddress where storage daemons listen
 * @param lifelinePort there too, of the port that all leashes share; 0: none
 * @param killBudget how long before its deadline a leash acts
 * @param patience how long a start may wait for any one program
 * @param pairs how VMs in lockstep run
 */
public record QemuSettings(
        Path system,
        Path storageDaemon,
        Path img,
        Path leash,
        String accel,
        String machine,
        String cpu,
        Path runDir,
        Path dataDir,
        String serverName,
        String nbdAddress,
        int lifelinePort,
        Duration killBudget,
        Duration patience,
        PairSettings pairs) {

    public static final Duration DEFAULT_PATIENCE = Duration.ofSeconds(15);

    public QemuSettings {
        runDir = runDir.toAbsolutePath().normalize();
        dataDir = dataDir.toAbsolutePath().normalize();
    }

    /** With the usual settings for lockstep. */
    public QemuSettings(
            Path system,
            Path storageDaemon,
            Path img,
            Path leash,
            String accel,
            String machine,
            String cpu,
            Path runDir,
            Path dataDir,
            String serverName,
            String nbdAddress,
            int lifelinePort,
            Duration killBudget,
            Duration patience) {
        this(
                system,
                storageDaemon,
                img,
                leash,
                accel,
                machine,
                cpu,
                runDir,
                dataDir,
                serverName,
                nbdAddress,
                lifelinePort,
                killBudget,
                patience,
                PairSettings.DEFAULT);
    }

    /** The configured program, or the one of that name on the PATH when none is configured. */
    public static Path program(String configured, String name) {
        if (!configured.isBlank()) {
            return Path.of(configured).toAbsolutePath();
        }
        var path = System.getenv("PATH");
        for (var folder : (path == null ? "/usr/bin" : path).split(":")) {
            var candidate = Path.of(folder, name);
            if (!folder.isBlank() && Files.isExecutable(candidate)) {
                return candidate.toAbsolutePath();
            }
        }
        // Where a package would put it, so that the complaint names a sensible place.
        return Path.of("/usr/bin", name);
    }
}
