package dev.belay.model;

import java.util.Optional;

/**
 * One disk.
 *
 * @param name unique in the VM, letters, digits and '-'
 * @param path absolute path of the file (SHARED, LOCAL) or of the image that it begins as
 *     (EPHEMERAL, MIRRORED; may be absent)
 * @param format of the file at path: {@code raw} or {@code qcow2}
 * @param sizeMiB size of an EPHEMERAL or MIRRORED disk without image; 0: as large as the image or
 *     file
 */
public record DiskSpec(
        String name, DiskKind kind, Optional<String> path, String format, int sizeMiB) {}
