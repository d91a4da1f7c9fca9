package dev.belay.qemu;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What guests compute with on this server.
 *
 * @param accelerator the one of those configured that QEMU takes here
 * @param model as configured; where it means the server's own CPU, with the name of that
 */
record GuestCpu(String accelerator, String model) {
    private static final Path KVM = Path.of("/dev/kvm");
    private static final Path CPUS = Path.of("/proc/cpuinfo");

    /** Models that give the guest what the server has. */
    private static final Set<String> OWN = Set.of("host", "max");

    private static final Pattern NAME = Pattern.compile("model name\\s*:\\s*");

    static GuestCpu of(QemuSettings settings) {
        return new GuestCpu(
                accelerator(settings.accel(), hasKvm()), model(settings.cpu(), serversOwn()));
    }

    /** QEMU takes the first that works. */
    static String accelerator(String configured, boolean hasKvm) {
        var wished = List.of(configured.split(":", -1));
        return wished.stream()
                .filter(one -> hasKvm || !one.equals("kvm"))
                .findFirst()
                .orElse(wished.getFirst());
    }

    static String model(String configured, String serversOwn) {
        if (configured.isBlank()) {
            return "default";
        }
        return OWN.contains(configured.split(",", 2)[0].strip())
                ? configured + " (" + serversOwn + ")"
                : configured;
    }

    /** The file is there on some servers whose kernel has no KVM behind it. */
    private static boolean hasKvm() {
        try (var _ = FileChannel.open(KVM, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static String serversOwn() {
        try (var lines = Files.lines(CPUS)) {
            return name(lines);
        } catch (IOException e) {
            return name(Stream.empty());
        }
    }

    static String name(Stream<String> cpuInfo) {
        return cpuInfo.filter(line -> NAME.matcher(line).lookingAt())
                .map(line -> NAME.matcher(line).replaceFirst("").strip())
                .findFirst()
                .orElse("of unknown name");
    }
}
