package dev.belay.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;

/** Where labs keep their files: {@code <home>/<lab>/lab.json} and a folder per node. */
final class LabStore {
    static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /** Unix sockets end at 108 characters, and a replica's sockets lie below the node's folder. */
    private static final int LONGEST_HOME = 50;

    /** Numbers, bridges and namespaces are the machine's, so the lock is, too. */
    private static final Path LOCK_FILE = Path.of("/run/belay-lab.lock");

    private static final ReentrantLock IN_PROCESS = new ReentrantLock();

    private final Path home;

    LabStore(Path home) {
        this.home = home.toAbsolutePath().normalize();
        if (this.home.toString().length() > LONGEST_HOME) {
            throw new LabException(
                    "BELAY_LAB_HOME is too long a path ("
                            + this.home
                            + "): sockets lie below it, so it ends at "
                            + LONGEST_HOME
                            + " characters");
        }
    }

    /** {@code BELAY_LAB_HOME}, else {@code /var/lib/belay/lab}. */
    static Path defaultHome() {
        var given = System.getenv("BELAY_LAB_HOME");
        return Path.of(given == null || given.isBlank() ? "/var/lib/belay/lab" : given);
    }

    Path home() {
        return home;
    }

    Path folder(String lab) {
        return home.resolve(lab);
    }

    Path nodeFolder(String lab, String node) {
        return folder(lab).resolve(node);
    }

    /** Held only while the machine's labs are looked at and changed, never while waiting. */
    interface Lock extends AutoCloseable {
        @Override
        void close();
    }

    static Lock lock() {
        IN_PROCESS.lock();
        if (IN_PROCESS.getHoldCount() > 1) {
            return IN_PROCESS::unlock;
        }
        try {
            var channel =
                    FileChannel.open(
                            LOCK_FILE, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            channel.lock();
            return () -> {
                try {
                    channel.close();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                } finally {
                    IN_PROCESS.unlock();
                }
            };
        } catch (IOException e) {
            IN_PROCESS.unlock();
            throw new LabException("cannot lock " + LOCK_FILE + ": " + e.getMessage(), e);
        }
    }

    /** All names that have a folder. */
    List<String> names() {
        if (!Files.isDirectory(home)) {
            return List.of();
        }
        try (var entries = Files.list(home)) {
            return entries.filter(Files::isDirectory)
                    .map(path -> String.valueOf(path.getFileName()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Absent: there is no such lab, or only a part of its files. */
    Optional<LabState> read(String lab) {
        var file = folder(lab).resolve("lab.json");
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(JSON.readValue(Files.readString(file), LabState.class));
        } catch (JsonProcessingException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void write(LabState state) {
        try {
            var folder = Files.createDirectories(folder(state.name()));
            var draft = folder.resolve("lab.json.new");
            Files.writeString(draft, JSON.writeValueAsString(state));
            Files.move(
                    draft,
                    folder.resolve("lab.json"),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new LabException("cannot write the lab's state: " + e.getMessage(), e);
        }
    }

    LabState update(String lab, UnaryOperator<LabState> change) {
        try (var _ = lock()) {
            var changed = change.apply(read(lab).orElseThrow(() -> gone(lab)));
            write(changed);
            return changed;
        }
    }

    LabException gone(String lab) {
        var others = names();
        return new LabException(
                "there is no lab '"
                        + lab
                        + "'"
                        + (others.isEmpty()
                                ? "; `belay lab up` starts one"
                                : "; there is: " + String.join(", ", others)));
    }

    static void deleteTree(Path root) {
        if (!Files.exists(root, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (var tree = Files.walk(root)) {
            for (var path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new LabException("cannot remove " + root + ": " + e.getMessage(), e);
        }
    }
}
