package dev.belay.lab;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A node's folder in the lab, and how the node is started from it. */
final class NodeFiles {
    private static final String SUPERVISOR = "supervise.sh";
    private static final String FENCE_AGENT = "fence.sh";
    private static final String CLOCK = "clock.c";
    private static final int LAUNCH_TRIES = 1000;

    /** As measured for a whole node: small, quick to start, with no warning lines. */
    private static final List<String> JAVA_FLAGS =
            List.of(
                    "-Xms48m",
                    "-Xmx160m",
                    "-Xmn12m",
                    "-XX:+UseSerialGC",
                    "-Xss512k",
                    "-XX:+UseCompactObjectHeaders",
                    "-XX:+UnlockDiagnosticVMOptions",
                    "-XX:ArchiveRelocationMode=0",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow");

    private final Path folder;

    NodeFiles(Path folder) {
        this.folder = folder;
    }

    /**
     * The command of a real node: this JVM's own java on the jars beside this class.
     *
     * <p>{@code BELAY_JAVA_OPTS} come last among the flags, and win; {@code BELAY_LIB} names
     * another folder of jars; an AOT cache {@code belay.aot} beside that folder is used. {@code
     * BELAY_NODE_PROGRAM} replaces the whole command (words between blanks).
     */
    static List<String> installedProgram() {
        var whole = words("BELAY_NODE_PROGRAM");
        if (!whole.isEmpty()) {
            return whole;
        }
        var lib = lib();
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JAVA_FLAGS);
        var cache = lib.resolveSibling("belay.aot");
        if (Files.exists(cache)) {
            command.add("-XX:AOTCache=" + cache);
        }
        command.addAll(words("BELAY_JAVA_OPTS"));
        command.addAll(List.of("-cp", lib + "/*", "dev.belay.Main", "node", "--config"));
        return command;
    }

    private static List<String> words(String variable) {
        var given = System.getenv(variable);
        return given == null || given.isBlank() ? List.of() : List.of(given.strip().split("\\s+"));
    }

    private static Path lib() {
        var given = System.getenv("BELAY_LIB");
        var lib = given == null || given.isBlank() ? besideThisClass() : Path.of(given);
        if (!Files.isDirectory(lib)) {
            throw new LabException(
                    "the jars of a node are not in " + lib + ": build them with `./mvnw package`");
        }
        return lib.toAbsolutePath().normalize();
    }

    private static Path besideThisClass() {
        try {
            var source =
                    Path.of(
                            NodeFiles.class
                                    .getProtectionDomain()
                                    .getCodeSource()
                                    .getLocation()
                                    .toURI());
            // A folder of classes: a build from the sources, whose jars go to target/lib.
            return Files.isDirectory(source)
                    ? source.resolve("../../../target/lib")
                    : source.resolveSibling(".");
        } catch (java.net.URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    Path log() {
        return folder.resolve("node.log");
    }

    Path data() {
        return folder.resolve("data");
    }

    Path run() {
        return folder.resolve("run");
    }

    Path config() {
        return folder.resolve("belay.conf");
    }

    /** As a machine's boot does: /run is empty, the rest as it was. */
    void boot(LabState lab, LabState.Node node) {
        try {
            LabStore.deleteTree(run());
            Files.createDirectories(run());
            Files.createDirectories(data());
            Files.writeString(config(), new NodeConfig(lab, node, this).text());
            install(SUPERVISOR);
            install(FENCE_AGENT);
            Files.deleteIfExists(off());
        } catch (IOException e) {
            throw new LabException(
                    "cannot prepare the folder of " + node.name() + ": " + e.getMessage(), e);
        }
    }

    private void install(String script) throws IOException {
        try (InputStream text = NodeFiles.class.getResourceAsStream(script)) {
            if (text == null) {
                throw new IllegalStateException(script + " is not on the class path");
            }
            var file = folder.resolve(script);
            Files.write(file, text.readAllBytes());
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    /** Where this node finds the agents that fence the others. */
    Path fenceAgent(Fence fence) {
        return folder.resolve(fence == Fence.MISSING ? "no-such-agent" : FENCE_AGENT);
    }

    /** Another node's folder. */
    Path beside(String node) {
        return folder.resolveSibling(node);
    }

    private Path off() {
        return folder.resolve("off");
    }

    /** Whether its power is cut, by {@code lab kill} or by a fence agent. */
    boolean isOff() {
        return Files.exists(off());
    }

    void markOff() {
        try {
            Files.writeString(off(), "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Gives the node, from its next start on, a wall clock that can be {@link #setClock set}. */
    void makeClock() {
        try {
            Files.createDirectories(folder);
            install(CLOCK);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Shell.run(
                "gcc",
                "-shared",
                "-fPIC",
                "-O2",
                "-o",
                folder.resolve("clock.so").toString(),
                folder.resolve(CLOCK).toString(),
                "-ldl");
        setClock(Duration.ZERO);
    }

    /** In place: the node's processes have the file mapped. */
    void setClock(Duration ahead) {
        var nanos =
                ByteBuffer.allocate(Long.BYTES)
                        .order(ByteOrder.nativeOrder())
                        .putLong(ahead.toNanos())
                        .flip();
        try (var file =
                FileChannel.open(clock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            file.write(nanos, 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether the node was started with a clock of its own. */
    boolean hasClock() {
        return Files.exists(clock());
    }

    private Path clock() {
        return folder.resolve("clock");
    }

    /** Starts the supervisor, and with it the node, in the node's namespace. */
    void launch(LabState lab, LabState.Node node) {
        try {
            Files.deleteIfExists(folder.resolve("supervisor.pid"));
            Files.deleteIfExists(folder.resolve("jvm.pid"));
            Files.deleteIfExists(folder.resolve("starts"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        var command =
                new ArrayList<>(
                        List.of(
                                "ip",
                                "netns",
                                "exec",
                                LabPlan.namespace(lab.name(), node.name()),
                                "bash",
                                folder.resolve(SUPERVISOR).toString(),
                                folder.toString()));
        command.addAll(lab.program());
        command.add(config().toString());
        Shell.detach(log(), lab.environment(), command);
        // From here on the node counts as started, so that a second start sees the first.
        for (int tries = 0; jvm().isEmpty(); tries++) {
            if (tries == LAUNCH_TRIES) {
                throw new LabException(
                        "the supervisor of " + node.name() + " did not start; its log: " + log());
            }
            Shell.pause(10);
        }
    }

    /** The process that keeps the JVM running. */
    OptionalLong supervisor() {
        return number("supervisor.pid");
    }

    OptionalLong jvm() {
        return number("jvm.pid");
    }

    /** How often the JVM was started since the node was. */
    long starts() {
        return number("starts").orElse(0);
    }

    private OptionalLong number(String file) {
        try {
            return OptionalLong.of(Long.parseLong(Files.readString(folder.resolve(file)).strip()));
        } catch (IOException | NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    List<String> lastLines(int count) {
        try {
            var lines = Files.readString(log(), StandardCharsets.ISO_8859_1).lines().toList();
            return lines.subList(Math.max(0, lines.size() - count), lines.size());
        } catch (IOException e) {
            return List.of("(no log yet)");
        }
    }

    /** What a node started later is to find as the first one did. */
    static Map<String, String> environment(Map<String, String> more) {
        var all = new java.util.TreeMap<>(belayEnvironment());
        all.putAll(more);
        return all;
    }

    private static Map<String, String> belayEnvironment() {
        return System.getenv().entrySet().stream()
                .filter(entry -> entry.getKey().startsWith("BELAY_"))
                .collect(
                        Collectors.toMap(
                                Map.Entry::getKey,
                                Map.Entry::getValue,
                                (first, _) -> first,
                                TreeMap::new));
    }
}
