package dev.belay.qemu;

import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/** The taps between guests and the server's bridges, made by {@code ip}. Blocks shortly. */
final class Taps {
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final int UP = 1;
    private static final Path INTERFACES = Path.of("/sys/class/net");

    private Taps() {}

    /** Makes them, down and in no bridge; what somebody left under the name goes first. */
    static void create(List<String> taps) {
        if (taps.isEmpty()) {
            return;
        }
        delete(taps);
        ip(
                taps.stream()
                        .map(tap ->
                                "tuntap add dev %1$s mode tap\nlink set dev %1$s addrgenmode none\n"
                                        .formatted(tap))
                        .collect(Collectors.joining()),
                "The tap of a network card could not be made");
    }

    static void makeBridge(String name) {
        ip(
                "link add name %1$s type bridge\nlink set dev %1$s addrgenmode none\n"
                        .formatted(name),
                "The bridge " + name + " could not be made");
    }

    static void join(String tap, String bridge) {
        if (isIn(tap, bridge)) {
            return;
        }
        ip(
                "link set dev %1$s master %2$s\nlink set dev %1$s up\n".formatted(tap, bridge),
                "The tap " + tap + " could not join the bridge " + bridge);
    }

    /** In no bridge: nobody outside hears it. */
    static void up(List<String> taps) {
        if (!taps.isEmpty()) {
            ip(
                    taps.stream()
                            .map("link set dev %s up\n"::formatted)
                            .collect(Collectors.joining()),
                    "A tap could not be switched on");
        }
    }

    static void delete(List<String> taps) {
        var present = taps.stream().filter(Taps::exists).toList();
        if (!present.isEmpty()) {
            ip(
                    present.stream()
                            .map("link del dev %s\n"::formatted)
                            .collect(Collectors.joining()),
                    "A tap could not be removed");
        }
    }

    /** An earlier epoch's tap, up and in the right bridge. */
    private static boolean isIn(String tap, String bridge) {
        try {
            var device = INTERFACES.resolve(tap);
            var flags = Integer.decode(Files.readString(device.resolve("flags")).strip());
            return (flags & UP) != 0 && device.resolve("master").toRealPath().endsWith(bridge);
        } catch (IOException e) {
            return false;
        }
    }

    static boolean exists(String tap) {
        return Files.exists(INTERFACES.resolve(tap));
    }

    static boolean isBridge(String name) {
        return Files.isDirectory(INTERFACES.resolve(name).resolve("bridge"));
    }

    /** Every interface whose name starts so, to find what nobody remembers. */
    static List<String> named(String prefix) throws IOException {
        try (var all = Files.list(INTERFACES)) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith(prefix))
                    .sorted()
                    .toList();
        }
    }

    private static void ip(String commands, String otherwise) {
        var result = Tool.run(LIMIT, commands, List.of("ip", "-batch", "-"));
        if (!result.ok()) {
            throw new HypervisorException(
                    otherwise
                            + ": "
                            + result.complaint()
                            + ". The node must run as root (or with CAP_NET_ADMIN) on a kernel with tun.",
                    true);
        }
    }
}
