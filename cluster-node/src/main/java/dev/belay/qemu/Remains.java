package dev.belay.qemu;

import dev.belay.qemu.Manifest.Leashed;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Takes away what a replica consists of. Every step may be repeated, since any process that did it
 * may have died in the middle. Blocks.
 */
final class Remains {
    private static final long KILL_LIMIT_MILLIS = 10_000;
    private static final long POLL_MILLIS = 2;

    private final Gate gate;
    private final LegFiles legs;

    Remains(Gate gate, LegFiles legs) {
        this.gate = gate;
        this.legs = legs;
    }

    /**
     * Kills all processes of the replica and returns when they are gone; with them their exports
     * and the locks of their disks.
     */
    static void kill(ReplicaFiles files, Optional<Manifest> manifest) {
        var processes = under(files.dir());
        manifest.ifPresent(known -> {
            known.qemu().ifPresent(leashed -> addTo(processes, leashed));
            known.storage().ifPresent(leashed -> addTo(processes, leashed));
        });
        killAll(processes);
    }

    /** Like kill, but trusts the manifest, which spares a search through all processes. */
    static void killKnown(Manifest manifest) {
        var processes = new HashSet<ProcessId>();
        manifest.qemu().ifPresent(leashed -> addTo(processes, leashed));
        manifest.storage().ifPresent(leashed -> addTo(processes, leashed));
        killAll(processes);
    }

    private static void addTo(Set<ProcessId> processes, Leashed leashed) {
        processes.add(leashed.program());
        processes.add(leashed.leash());
    }

    static void killAll(Set<ProcessId> processes) {
        processes.forEach(ProcessId::kill);
        var end = System.nanoTime() + KILL_LIMIT_MILLIS * 1_000_000;
        var left = List.copyOf(processes);
        while (!(left = left.stream().filter(ProcessId::isAlive).toList()).isEmpty()) {
            if (System.nanoTime() > end || !Waiting.millis(POLL_MILLIS)) {
                throw new HypervisorException(
                        "Process "
                                + left.getFirst().pid()
                                + " was killed but does not go away; it hangs in the kernel, for"
                                + " storage that does not answer, most likely. Mend that, or reboot the server.",
                        false);
            }
        }
    }

    /** Taps and overlays; the processes must be gone. */
    void remove(Manifest manifest) throws IOException {
        removeTaps(manifest.taps());
        removeOverlays(manifest);
    }

    /** Unless they are gone already. */
    void removeTaps(Manifest manifest) {
        removeTaps(manifest.taps().stream().filter(Taps::exists).toList());
    }

    private void removeTaps(List<String> taps) {
        Taps.delete(taps);
        gate.release(taps);
    }

    /** All but the taps, which are closed: a next epoch that starts soon takes them over. */
    void removeButTaps(Manifest manifest) throws IOException {
        gate.close(manifest.taps());
        removeOverlays(manifest);
    }

    private void removeOverlays(Manifest manifest) throws IOException {
        for (var overlay : manifest.overlays()) {
            Files.deleteIfExists(overlay);
        }
        legs.discard(manifest.spec(), manifest.right().epoch());
    }

    /** Like clear, but leaves, closed, the taps that the next epoch takes over. */
    void clearFor(List<String> successor, ReplicaFiles files, Optional<Manifest> manifest)
            throws IOException {
        kill(files, manifest);
        if (manifest.isPresent()) {
            removeButTaps(manifest.get());
            clearTapsFor(successor, manifest.get());
        }
    }

    /** Takes away the taps that the next epoch does not take over. */
    void clearTapsFor(List<String> successor, Manifest manifest) {
        removeTaps(manifest.taps().stream().filter(tap -> !successor.contains(tap)).toList());
    }

    /** Everything but the folder with the manifest. */
    void clear(ReplicaFiles files, Optional<Manifest> manifest) throws IOException {
        kill(files, manifest);
        if (manifest.isPresent()) {
            remove(manifest.get());
        }
    }

    /**
     * Processes whose command line names a place under the folder as only ours do. Finds also what
     * was started a moment before the node's JVM died, before the manifest could tell.
     */
    static Set<ProcessId> under(Path dir) {
        var found = new HashSet<ProcessId>();
        try (var entries = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (var entry : entries) {
                if (belongs(arguments(entry), dir + "/")) {
                    ProcessId.of(Long.parseLong(entry.getFileName().toString()))
                            .ifPresent(found::add);
                }
            }
        } catch (IOException e) {
            throw new HypervisorException("/proc cannot be read: " + e.getMessage(), false);
        }
        return found;
    }

    /** Of a folder in /proc; none when the process is gone. */
    static List<String> arguments(Path process) {
        try {
            var line = Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1);
            return new ArrayList<>(List.of(line.split("\0")));
        } catch (IOException e) {
            return List.of();
        }
    }

    private static boolean belongs(List<String> arguments, String prefix) {
        var qmp = "socket,id=qmp0,path=" + QemuCommand.option(prefix);
        for (var i = 0; i < arguments.size(); i++) {
            if (arguments.get(i).startsWith(qmp)
                    || (i > 0
                            && arguments.get(i - 1).equals("--status")
                            && arguments.get(i).startsWith(prefix))) {
                return true;
            }
        }
        return false;
    }
}
