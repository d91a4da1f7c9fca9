package dev.belay.server;

import dev.belay.model.Incarnation;
import dev.belay.replica.DurableFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The incarnation that this server was given last, with the boot in which it was, and whether it
 * was ended since: one line, written whole or not at all.
 */
public final class IncarnationFile {
    private static final String CLEAN = "clean";

    /**
     * @param clean everything that it ran was killed and that was or may have been said: it is
     *     never used again
     */
    public record Saved(String bootId, Incarnation incarnation, boolean clean) {
        /** What may be renewed before anything else happens: its replicas may still run. */
        public Incarnation usableIn(String boot) {
            return bootId.equals(boot) && !clean ? incarnation : Incarnation.NONE;
        }
    }

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
            boolean clean = parts.length == 3 && parts[2].equals(CLEAN);
            return parts.length == 2 || clean
                    ? Optional.of(
                            new Saved(parts[0], new Incarnation(Long.parseLong(parts[1])), clean))
                    : Optional.empty();
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** On the disk when this returns. */
    public void write(Saved saved) {
        try {
            DurableFile.write(
                    path,
                    "%s %d%s%n"
                            .formatted(
                                    saved.bootId(),
                                    saved.incarnation().value(),
                                    saved.clean() ? " " + CLEAN : ""));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Expected to save the incarnation in " + path + ", but could not", e);
        }
    }
}
