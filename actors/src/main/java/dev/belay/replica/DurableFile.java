package dev.belay.replica;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** A small file that is written whole or not at all, and is on the disk when that was answered. */
public final class DurableFile {
    private DurableFile() {}

    public static void write(Path path, String text) throws IOException {
        var folder = path.toAbsolutePath().resolveSibling("");
        var staged = path.resolveSibling(path.getFileName() + ".new");
        Files.createDirectories(folder);
        Files.writeString(staged, text);
        force(staged, StandardOpenOption.WRITE);
        Files.move(
                staged, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        // The new name, too, has to survive a power cut.
        force(folder, StandardOpenOption.READ);
    }

    private static void force(Path path, StandardOpenOption mode) throws IOException {
        try (var channel = FileChannel.open(path, mode)) {
            channel.force(true);
        }
    }
}
