package dev.belay.server;

import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.replica.DurableFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The incarnation that this server was given last, with the boot in which it was, and whether it
 * was ended since, and the terms of its leases: one line, written whole or not at all.
 */
public final class IncarnationFile {
    private static final String CLEAN = "clean";
    private static final String LEASE = "lease=";

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
    private final LeaseTerms terms;

    /**
     * @param terms of the leases of the incarnations that are saved
     */
    public IncarnationFile(Path path, LeaseTerms terms) {
        this.path = path;
        this.terms = terms;
    }

    /**
     * Empty when there is none, or none that can be read: the server then asks as one that knows
     * nothing.
     */
    public Optional<Saved> read() {
        try {
            var parts =
                    words().stream().filter(word -> !word.startsWith(LEASE)).toArray(String[]::new);
            boolean clean = parts.length == 3 && parts[2].equals(CLEAN);
            return parts.length == 2 || clean
                    ? Optional.of(
                            new Saved(parts[0], new Incarnation(Long.parseLong(parts[1])), clean))
                    : Optional.empty();
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /**
     * Why what was saved cannot be held with the terms that this node has now; empty: it can, or
     * was saved by a version that did not write them.
     */
    public Optional<String> otherTerms() {
        try {
            return words().stream()
                    .filter(word -> word.startsWith(LEASE))
                    .filter(word -> !word.equals(inOneWord(terms)))
                    .map(word -> word.substring(LEASE.length()))
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private List<String> words() throws IOException {
        return List.of(Files.readString(path).strip().split(" "));
    }

    private static String inOneWord(LeaseTerms terms) {
        return "%s%d/%d/%dms"
                .formatted(
                        LEASE,
                        terms.duration().toMillis(),
                        terms.renewal().toMillis(),
                        terms.margin().toMillis());
    }

    /** On the disk when this returns. */
    public void write(Saved saved) {
        try {
            DurableFile.write(
                    path,
                    "%s %d%s %s%n"
                            .formatted(
                                    saved.bootId(),
                                    saved.incarnation().value(),
                                    saved.clean() ? " " + CLEAN : "",
                                    inOneWord(terms)));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Expected to save the incarnation in " + path + ", but could not", e);
        }
    }
}
