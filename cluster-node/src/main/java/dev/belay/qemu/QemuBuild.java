package dev.belay.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/** One program as it lies on the disk now: another size or time means that it was replaced. */
record QemuBuild(Path program, long size, long modifiedMillis) {

    /** Empty when it cannot be looked at. */
    static Optional<QemuBuild> of(Path program) {
        try {
            var real = program.toRealPath();
            var file = Files.readAttributes(real, BasicFileAttributes.class);
            return Optional.of(
                    new QemuBuild(real, file.size(), file.lastModifiedTime().toMillis()));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
