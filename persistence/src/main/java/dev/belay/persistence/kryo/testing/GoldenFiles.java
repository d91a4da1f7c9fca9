package dev.belay.persistence.kryo.testing;

import dev.belay.persistence.kryo.KryoCodec;
import dev.belay.persistence.kryo.KryoTypes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * One file per stored type and version, written once and read by each later build: the only way to
 * notice that a record was changed whose old bytes are still in somebody's journal.
 *
 * <p>Run with {@code -Dgolden.write=true} to write the files of new manifests. An existing file is
 * never overwritten.
 */
public final class GoldenFiles {
    private static final String SUFFIX = ".bin";

    private GoldenFiles() {}

    /**
     * Checks that each persisted manifest has a sample and a file, that each file reads as its
     * sample, and that no file is left that nobody reads. The sample of an upcast manifest is the
     * present object.
     *
     * @param folder in the sources, like {@code src/test/resources/golden}
     * @throws AssertionError naming all that is wrong
     */
    public static void check(
            Collection<? extends KryoTypes> types, Path folder, Map<String, ?> samples) {
        check(types, folder, samples, Boolean.getBoolean("golden.write"));
    }

    static void check(
            Collection<? extends KryoTypes> types,
            Path folder,
            Map<String, ?> samples,
            boolean write) {
        var codec = KryoCodec.of(types);
        var problems = new ArrayList<String>();
        var unread = files(folder);
        for (var manifest : codec.persistedManifests()) {
            var file = folder.resolve(fileName(manifest));
            unread.remove(fileName(manifest));
            var sample = samples.get(manifest);
            if (sample == null) {
                problems.add(manifest + ": no sample is given");
            } else if (Files.exists(file)) {
                compare(codec, manifest, file, sample, problems);
            } else if (codec.isUpcast(manifest)) {
                problems.add(manifest + ": its file is gone, " + file);
            } else if (write) {
                write(file, codec.toBytes(sample));
            } else {
                problems.add(manifest + ": no file " + file + ", run with -Dgolden.write=true");
            }
        }
        unread.forEach(name -> problems.add(name + ": no manifest reads this file any more"));
        if (!problems.isEmpty()) {
            throw new AssertionError(String.join(System.lineSeparator(), problems));
        }
    }

    private static void compare(
            KryoCodec codec, String manifest, Path file, Object sample, List<String> problems) {
        try {
            var read = codec.fromBytes(Files.readAllBytes(file), manifest);
            if (!read.equals(sample)) {
                problems.add(manifest + ": expected " + sample + ", but the file holds " + read);
            }
        } catch (IOException e) {
            problems.add(manifest + ": " + e.getMessage());
        }
    }

    private static String fileName(String manifest) {
        return manifest.replace('/', '-') + SUFFIX;
    }

    private static TreeSet<String> files(Path folder) {
        var names = new TreeSet<String>();
        if (Files.isDirectory(folder)) {
            try (var list = Files.list(folder)) {
                list.map(file -> String.valueOf(file.getFileName()))
                        .filter(name -> name.endsWith(SUFFIX))
                        .forEach(names::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return names;
    }

    private static void write(Path file, byte[] bytes) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
