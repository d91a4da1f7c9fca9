package dev.belay.qemu;

import dev.belay.replica.Hypervisor.HypervisorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What is installed on this server, and what is missing. Blocks. */
final class Installation {
    private static final int MAJOR = 11;
    private static final int MINOR = 1;
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Pattern VERSION = Pattern.compile("version (\\d+)\\.(\\d+)[^ \\n]*");

    private static final Pattern WHOLE_VERSION = Pattern.compile("version (\\d+\\.\\d+\\.\\d+)");

    private final QemuSettings settings;
    private final ConcurrentMap<QemuBuild, String> machines = new ConcurrentHashMap<>();
    private final ConcurrentMap<QemuBuild, String> versions = new ConcurrentHashMap<>();

    Installation(QemuSettings settings) {
        this.settings = settings;
    }

    List<String> problems() {
        var problems = new ArrayList<String>();
        checkVersion(settings.system(), problems);
        checkVersion(settings.storageDaemon(), problems);
        checkVersion(settings.img(), problems);
        if (!Files.isExecutable(settings.leash())) {
            problems.add(
                    "The leash is missing: expected an executable at "
                            + settings.leash()
                            + ". Build it (deployment/leash) or configure belay.qemu.leash.");
        }
        var found = Tool.run(LIMIT, List.of("ip", "-V"));
        if (!found.ok()) {
            problems.add(
                    "The program ip is missing, which makes the taps of guests. Install the package iproute2.");
        }
        Gate.problem().ifPresent(problems::add);
        problems.addAll(folderProblems());
        return List.copyOf(problems);
    }

    /** Whether the programs are there; nothing is run. */
    boolean isComplete() {
        return Stream.of(
                        settings.system(),
                        settings.storageDaemon(),
                        settings.img(),
                        settings.leash())
                .allMatch(Files::isExecutable);
    }

    private List<String> folderProblems() {
        var problems = new ArrayList<String>();
        for (var folder : List.of(settings.runDir(), settings.dataDir())) {
            var existing = folder;
            while (existing.getParent() != null && !Files.exists(existing)) {
                existing = existing.getParent();
            }
            if (!Files.isDirectory(existing) || !Files.isWritable(existing)) {
                problems.add("The folder " + folder + " cannot be written to by this node.");
            }
        }
        return problems;
    }

    private void checkVersion(Path program, List<String> problems) {
        if (!Files.isExecutable(program)) {
            problems.add(
                    "QEMU is missing: expected an executable at "
                            + program
                            + ". Install QEMU "
                            + MAJOR
                            + "."
                            + MINOR
                            + " or newer (qemu-system-x86 and qemu-utils; Debian 13: from trixie-backports).");
            return;
        }
        var result = Tool.run(LIMIT, List.of(program.toString(), "--version"));
        var version = VERSION.matcher(result.output());
        if (!result.ok() || !version.find()) {
            problems.add(
                    program + " --version does not tell a version: " + result.complaint() + ".");
            return;
        }
        var major = Integer.parseInt(version.group(1));
        var minor = Integer.parseInt(version.group(2));
        if (major < MAJOR || (major == MAJOR && minor < MINOR)) {
            problems.add(
                    program
                            + " is "
                            + version.group()
                            + ", too old. Install QEMU "
                            + MAJOR
                            + "."
                            + MINOR
                            + " or newer (Debian 13: from trixie-backports).");
        }
    }

    /** As it tells it by QMP too: {@code 11.1.3}. */
    String version() {
        return versions.computeIfAbsent(
                build(),
                _ -> {
                    var result =
                            Tool.run(LIMIT, List.of(settings.system().toString(), "--version"));
                    var told = WHOLE_VERSION.matcher(result.output());
                    if (!result.ok() || !told.find()) {
                        throw new HypervisorException(
                                settings.system()
                                        + " --version does not tell a version: "
                                        + result.complaint(),
                                true);
                    }
                    return told.group(1);
                });
    }

    private QemuBuild build() {
        return QemuBuild.of(settings.system())
                .orElseThrow(() ->
                        new HypervisorException(
                                "QEMU is missing: expected an executable at "
                                        + settings.system()
                                        + ".",
                                true));
    }

    /**
     * The versioned machine type behind a short name such as {@code pc}: replicas on servers with
     * different QEMUs must be the same machine.
     */
    String machineType() {
        return machines.computeIfAbsent(
                build(),
                _ -> {
                    var system = settings.system();
                    var result = Tool.run(LIMIT, List.of(system.toString(), "-machine", "help"));
                    if (!result.ok()) {
                        throw new HypervisorException(
                                system + " does not list its machine types: " + result.complaint(),
                                true);
                    }
                    return resolve(settings.machine(), result.output())
                            .orElseThrow(() ->
                                    new HypervisorException(
                                            system
                                                    + " has no machine type '"
                                                    + settings.machine()
                                                    + "'. Choose one of '"
                                                    + system
                                                    + " -machine help'.",
                                            true));
                });
    }

    static Optional<String> resolve(String machine, String help) {
        var alias =
                Pattern.compile(
                                "^" + Pattern.quote(machine) + " .*\\(alias of ([^)]+)\\)",
                                Pattern.MULTILINE)
                        .matcher(help);
        if (alias.find()) {
            return Optional.of(alias.group(1));
        }
        return Pattern.compile("^" + Pattern.quote(machine) + " ", Pattern.MULTILINE)
                        .matcher(help)
                        .find()
                ? Optional.of(machine)
                : Optional.empty();
    }
}
