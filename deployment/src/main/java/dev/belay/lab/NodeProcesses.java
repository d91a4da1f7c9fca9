package dev.belay.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * The processes of one node: all that are in its network namespace, whoever started them. QEMUs,
 * leashes and storage daemons outlive the node's JVM, but not out of that namespace.
 */
final class NodeProcesses {
    private static final Path NAMESPACES = Path.of("/run/netns");
    private static final long PATIENCE_NANOS = 10_000_000_000L;

    private final String namespace;

    NodeProcesses(String namespace) {
        this.namespace = namespace;
    }

    /**
     * A process.
     *
     * @param state as the kernel's one letter says: R, S, D, T (stopped), …
     * @param startedTicks clock ticks (10 ms) from the machine's boot to its start
     * @param commandLine words separated by blanks
     */
    record Running(long pid, char state, long startedTicks, String commandLine) {
        boolean isStopped() {
            return state == 'T' || state == 't';
        }
    }

    /** Whether the namespace is there at all. */
    boolean exists() {
        return Files.exists(NAMESPACES.resolve(namespace));
    }

    /** Namespaces of this machine by name. */
    static List<String> namespaces() {
        if (!Files.isDirectory(NAMESPACES)) {
            return List.of();
        }
        try (var entries = Files.list(NAMESPACES)) {
            return entries.map(path -> String.valueOf(path.getFileName())).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<Running> all() {
        var link = namespaceLink();
        var found = new ArrayList<Running>();
        if (link.isEmpty()) {
            return found;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
            for (var entry : entries) {
                look(entry, link, found);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private static void look(Path entry, String link, List<Running> found) {
        try {
            if (!Files.readSymbolicLink(entry.resolve("ns/net")).toString().equals(link)) {
                return;
            }
            var stat = Files.readString(entry.resolve("stat"), StandardCharsets.ISO_8859_1);
            // The program's name, in brackets, may hold blanks and brackets itself.
            var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            var state = fields[0].charAt(0);
            if (state == 'Z' || state == 'X') {
                return;
            }
            var words =
                    Files.readString(entry.resolve("cmdline"), StandardCharsets.ISO_8859_1)
                            .replace('\0', ' ')
                            .strip();
            found.add(
                    new Running(
                            Long.parseLong(String.valueOf(entry.getFileName())),
                            state,
                            Long.parseLong(fields[19]),
                            words));
        } catch (IOException e) {
            // It ended while being looked at.
        }
    }

    /** The text by which the kernel names this namespace in /proc/PID/ns/net; empty: gone. */
    private String namespaceLink() {
        var path = NAMESPACES.resolve(namespace);
        try {
            return "net:[" + Files.getAttribute(path, "unix:ino") + "]";
        } catch (NoSuchFileException e) {
            return "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean contains(long pid) {
        return all().stream().anyMatch(process -> process.pid == pid);
    }

    /** SIGKILL to everything, until nothing is left. */
    void kill() {
        until("killed", "KILL", _ -> true);
    }

    /** SIGSTOP to everything, until nothing moves. */
    void stop() {
        until("stopped", "STOP", process -> !process.isStopped());
    }

    /** SIGCONT to everything. */
    void resume() {
        until("resumed", "CONT", Running::isStopped);
    }

    /** SIGKILL to one, until it is gone. */
    void kill(long pid) {
        until("killed", "KILL", process -> process.pid == pid);
    }

    private void until(String what, String signal, Predicate<Running> concerned) {
        var deadline = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            var left = all().stream().filter(concerned).map(Running::pid).toList();
            if (left.isEmpty()) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new LabException(
                        "processes of " + namespace + " cannot be " + what + ": " + left);
            }
            signal(signal, left);
            Shell.pause(5);
        }
    }

    private static void signal(String signal, List<Long> pids) {
        var words = new ArrayList<String>(List.of("-c", "kill -s \"$0\" \"$@\"", signal));
        pids.forEach(pid -> words.add(Long.toString(pid)));
        words.addFirst("sh");
        // One of them may have ended meanwhile: who calls looks again.
        Shell.attempt("", words.toArray(String[]::new));
    }
}
