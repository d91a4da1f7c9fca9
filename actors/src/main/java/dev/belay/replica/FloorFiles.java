package dev.belay.replica;

import dev.belay.model.Epoch;
import dev.belay.model.VmName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * For each VM the newest epoch that was begun or refused on this server: no right with an epoch up
 * to it is begun here again, however often the node's process starts anew (safety.md 19). A file
 * for each VM, named after it, with the number in it.
 */
public final class FloorFiles {
    private final Path folder;

    public FloorFiles(Path folder) {
        this.folder = folder;
    }

    /**
     * @throws UncheckedIOException there is one that cannot be read: nothing of the VM may start
     */
    public Epoch read(VmName vm) {
        var path = folder.resolve(vm.value());
        try {
            return new Epoch(Long.parseLong(Files.readString(path).strip()));
        } catch (NoSuchFileException e) {
            return Epoch.NONE;
        } catch (IOException e) {
            throw unreadable(path, e);
        } catch (NumberFormatException e) {
            throw unreadable(path, new IOException(e));
        }
    }

    private static UncheckedIOException unreadable(Path path, IOException e) {
        return new UncheckedIOException(
                "Expected the newest epoch of a VM in %s, but could not read it. Mend the disk; if the number is lost, write the VM's epoch as the API shows it into the file."
                        .formatted(path),
                e);
    }

    /** On the disk when this returns. */
    public void keep(VmName vm, Epoch floor) {
        var path = folder.resolve(vm.value());
        try {
            DurableFile.write(path, floor.value() + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Expected to keep the newest epoch of %s in %s, but could not; nothing of it is started or ended before that works"
                            .formatted(vm, path),
                    e);
        }
    }
}
