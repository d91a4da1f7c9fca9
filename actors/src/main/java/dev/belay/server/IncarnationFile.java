package dev.belay.server;

import dev.belay.model.Incarnation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The incarnation that this server was given last, with the boot in which it was: one line, written
 * whole or not at all.
 */
public final class IncarnationFile {
    public record Saved(String bootId, Incarnation incarnation) {}

    private final Path path;

    public IncarnationFile(Path path) {
        this.path = path;
    }

    /**
     * Empty when there is none, or none that can be read: the server then asks as one that knows
     * nothing.
     */
    public Optional<Saved> read() {
        try {
            var parts = Files.readString(path).strip().split(" ");
            return parts.length == 2
                    ? Optional.of(new Saved(parts[0], new Incarnation(Long.parseLong(parts[1]))))
                    : Optional.empty();
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    public void write(Saved saved) {
        var staged = path.resolveSibling(path.getFileName() + ".new");
        try {
            Files.createDirectories(path.toAbsolutePath().getParent());
            Files.writeString(staged, saved.bootId() + " " + saved.incarnation().value() + "\n");
            try (var channel = FileChannel.open(staged, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            Files.move(
                    staged,
                    path,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Expected to save the incarnation in " + path + ", but could not", e);
        }
    }
}
