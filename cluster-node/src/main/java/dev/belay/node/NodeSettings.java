package dev.belay.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValueFactory;
import dev.belay.cluster.Lifeline;
import dev.belay.cluster.NodeDirectory;
import dev.belay.cluster.NodeDirectory.Node;
import dev.belay.cluster.NodeDirectory.Role;
import dev.belay.decision.CheckpointPace;
import dev.belay.decision.Presence;
import dev.belay.model.LeaseTerms;
import dev.belay.model.ServerName;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A node's configuration, read once and checked; what is wrong is said with the key that is wrong.
 */
public final class NodeSettings {
    /** The configuration cannot be used; the message names the key or the file. */
    public static final class BadConfiguration extends RuntimeException {
        BadConfiguration(String message) {
            super(message);
        }
    }

    private static final int MIB = 1024 * 1024;

    private final Config config;
    private final NodeDirectory directory;

    private NodeSettings(Config config) {
        this.config = config;
        this.directory = directory(config);
        proofs();
        silence();
        checkpointBounds();
    }

    public static NodeSettings load(Path file) {
        if (!Files.isReadable(file)) {
            throw new BadConfiguration(
                    "Expected a readable configuration file, but %s is not one".formatted(file));
        }
        try {
            var own =
                    ConfigFactory.parseFile(
                            file.toFile(), ConfigParseOptions.defaults().setAllowMissing(false));
            var defaults = ConfigFactory.parseResources("belay-defaults.conf");
            refuseUnknownKeys(own, defaults, file);
            return new NodeSettings(own.withFallback(defaults).resolve());
        } catch (ConfigException | IllegalArgumentException e) {
            throw new BadConfiguration("%s: %s".formatted(file, e.getMessage()));
        }
    }

    private static void refuseUnknownKeys(Config own, Config defaults, Path file) {
        for (var entry : own.withOnlyPath("belay").entrySet()) {
            var key = entry.getKey();
            if (!defaults.hasPathOrNull(key) && !key.startsWith("belay.fencing.agents.")) {
                throw new BadConfiguration(
                        "%s: there is no key '%s'; all keys and their defaults are in belay-defaults.conf (docs/configuration.md says where)"
                                .formatted(file, key));
            }
        }
    }

    private static NodeDirectory directory(Config config) {
        int port = config.getInt("belay.cluster.port");
        var nodes =
                config.getConfigList("belay.cluster.nodes").stream()
                        .map(node ->
                                new Node(
                                        new ServerName(node.getString("name")),
                                        Role.valueOf(
                                                node.getString("role").toUpperCase(Locale.ROOT)),
                                        node.getString("address"),
                                        port,
                                        !node.hasPath("voter") || node.getBoolean("voter"),
                                        node.hasPath("api") ? node.getString("api") : ""))
                        .toList();
        long voters = nodes.stream().filter(Node::voter).count();
        if (voters != 1 && voters != 3 && voters != 5) {
            throw new BadConfiguration(
                    "Expected 3 or 5 voters in belay.cluster.nodes (1 for a trial), but found "
                            + voters);
        }
        return new NodeDirectory(new ServerName(config.getString("belay.node.name")), nodes);
    }

    public NodeDirectory directory() {
        return directory;
    }

    public Node self() {
        return directory.selfNode();
    }

    public Path dataDir() {
        return Path.of(config.getString("belay.node.data-dir"));
    }

    public Path runDir() {
        return Path.of(config.getString("belay.node.run-dir"));
    }

    public String bootId() {
        var configured = config.getString("belay.node.boot-id");
        try {
            return configured.isEmpty()
                    ? Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip()
                    : configured;
        } catch (IOException e) {
            throw new BadConfiguration(
                    "Expected the kernel's boot id in /proc/sys/kernel/random/boot_id, but could not read it; set belay.node.boot-id");
        }
    }

    public int memoryMiB() {
        int configured = config.getInt("belay.server.memory-mib");
        if (configured > 0) {
            return configured;
        }
        var machine =
                (com.sun.management.OperatingSystemMXBean)
                        ManagementFactory.getOperatingSystemMXBean();
        return (int) Math.max(0, machine.getTotalMemorySize() / MIB - 1024);
    }

    public Config config() {
        return config;
    }

    public Duration duration(String key) {
        return config.getDuration("belay." + key);
    }

    public String text(String key) {
        return config.getString("belay." + key);
    }

    public int number(String key) {
        return config.getInt("belay." + key);
    }

    public Duration leaseDuration() {
        return duration("lease.duration");
    }

    public LeaseTerms leaseTerms() {
        return new LeaseTerms(
                leaseDuration(), duration("lease.renew-interval"), duration("lease.margin"));
    }

    /** Its lease terms shall be the cluster's from now on. */
    public boolean changesTerms() {
        return config.getBoolean("belay.lease.change-terms");
    }

    public Lifeline.Ports lifelines() {
        return new Lifeline.Ports(
                number("cluster.lifeline-port"), number("cluster.replica-lifeline-port"));
    }

    public Presence.Limits membership() {
        return new Presence.Limits(
                duration("membership.confirm-silent"),
                duration("membership.confirm-refused"),
                duration("membership.absent"));
    }

    /** Servers that vanish within this time of each other have vanished at once. */
    public Duration freezeWindow() {
        return duration("calm.freeze-window");
    }

    /**
     * When one of two that run a VM in lockstep counts as silent. They live by each other's word
     * for the length of a lease, and must notice that there is none well before that is over.
     */
    public Duration silence() {
        var silence = duration("lockstep.silence");
        if (!silence.isPositive() || silence.multipliedBy(2).compareTo(leaseDuration()) > 0) {
            throw new BadConfiguration(
                    "Expected belay.lockstep.silence from 1 ms to half of belay.lease.duration, but found %d ms and %d ms"
                            .formatted(silence.toMillis(), leaseDuration().toMillis()));
        }
        return silence;
    }

    public CheckpointPace.Bounds checkpointBounds() {
        var shortest = duration("lockstep.checkpoint-delay-min");
        var longest = duration("lockstep.checkpoint-delay-max");
        if (!shortest.isPositive() || shortest.compareTo(longest) > 0) {
            throw new BadConfiguration(
                    "Expected belay.lockstep.checkpoint-delay-min from 1 ms up to belay.lockstep.checkpoint-delay-max, but found %d ms and %d ms"
                            .formatted(shortest.toMillis(), longest.toMillis()));
        }
        return new CheckpointPace.Bounds(shortest, longest);
    }

    /** Where it is kept which QEMUs were seen to run VMs in lockstep; empty: all are trusted to. */
    public Optional<Path> proofs() {
        var folder = text("lockstep.proofs");
        return switch (text("lockstep.preflight")) {
            case "prove" ->
                    Optional.of(folder.isEmpty() ? dataDir().resolve("proofs") : Path.of(folder));
            case "trust" -> Optional.empty();
            default ->
                    throw new BadConfiguration(
                            "Expected 'prove' or 'trust' in belay.lockstep.preflight, but found '%s'"
                                    .formatted(text("lockstep.preflight")));
        };
    }

    /**
     * For Pekko: this node's address and roles on top of the defaults. Pekko's own defaults are
     * read only here: they are many, and a lease does not wait for them.
     */
    public Config pekko() {
        var roles =
                new java.util.ArrayList<String>(
                        List.of(self().role().name().toLowerCase(Locale.ROOT)));
        if (self().voter()) {
            roles.add("voter");
        }
        return ConfigFactory.parseMap(
                        Map.of(
                                "pekko.remote.artery.canonical.hostname", self().address(),
                                "pekko.remote.artery.canonical.port", self().port(),
                                "pekko.cluster.roles", roles))
                .withFallback(
                        config.withValue(
                                "pekko.cluster.seed-nodes",
                                ConfigValueFactory.fromIterable(List.of())))
                .withFallback(ConfigFactory.defaultReference())
                .resolve();
    }

    /** For the log at start. */
    public String summary() {
        return config.getConfig("belay").root().render(ConfigRenderOptions.concise());
    }
}
