package dev.belay.qemu;

import dev.belay.model.Epoch;
import dev.belay.model.VmName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The run folder of one replica and what lies in it. */
record ReplicaFiles(Path dir, VmName vm, Epoch epoch) {
    private static final int LONGEST_SOCKET_PATH = 107;

    /** The two programs of a replica, each under a leash of its own. */
    enum Role {
        QEMU("qemu"),
        STORAGE("disks");

        private final String stem;

        Role(String stem) {
            this.stem = stem;
        }
    }

    static Path root(Path runDir) {
        return runDir.resolve("vm");
    }

    static ReplicaFiles of(Path runDir, VmName vm, Epoch epoch) {
        return new ReplicaFiles(
                root(runDir).resolve(vm.value()).resolve(epoch.toString()), vm, epoch);
    }

    /** Every replica's folder, also those whose manifest never came to be. */
    static List<ReplicaFiles> all(Path runDir) {
        var found = new ArrayList<ReplicaFiles>();
        for (var vm : children(root(runDir), "[a-z][a-z0-9-]{0,39}")) {
            found.addAll(of(runDir, new VmName(vm.getFileName().toString())));
        }
        return found;
    }

    /** All epochs of one VM. */
    static List<ReplicaFiles> of(Path runDir, VmName vm) {
        return children(root(runDir).resolve(vm.value()), "e\\d{1,18}").stream()
                .map(dir -> dir.getFileName().toString())
                .map(name -> of(runDir, vm, new Epoch(Long.parseLong(name.substring(1)))))
                .toList();
    }

    /** What somebody else put there is nobody's replica. */
    private static List<Path> children(Path dir, String named) {
        if (!Files.isDirectory(dir)) {
            return List.of();
        }
        try (var files = Files.list(dir)) {
            return files.filter(file -> file.getFileName().toString().matches(named))
                    .filter(Files::isDirectory)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list " + dir, e);
        }
    }

    boolean socketPathsFit() {
        return leashSocket(Role.STORAGE).toString().getBytes(StandardCharsets.UTF_8).length
                <= LONGEST_SOCKET_PATH;
    }

    Path manifest() {
        return dir.resolve("manifest.json");
    }

    /** What it is to its pair; absent while it is alone. */
    Path pair() {
        return dir.resolve("pair.json");
    }

    /**
     * One of the two inner sockets over which a primary's output passes a network card's filters.
     */
    Path filter(String name) {
        return dir.resolve(name);
    }

    Path qmp(Role role) {
        return dir.resolve(role.stem + ".qmp");
    }

    Path leashSocket(Role role) {
        return dir.resolve(role.stem + ".leash");
    }

    Path leashStatus(Role role) {
        return dir.resolve(role.stem + ".status");
    }

    /** What the program and its leash print. */
    Path log(Role role) {
        return dir.resolve(role.stem + ".log");
    }

    /** The guest's serial console. */
    Path serial() {
        return dir.resolve("serial.log");
    }

    /** The program's last words, for an error message. */
    String lastWords(Role role) {
        try {
            var lines = Files.readAllLines(log(role), StandardCharsets.ISO_8859_1);
            var told = lines.subList(Math.max(0, lines.size() - 3), lines.size());
            return told.isEmpty() ? "it printed nothing" : String.join("; ", told);
        } catch (IOException e) {
            return "it left no log";
        }
    }

    /** With the VM's folder when that is then empty. */
    void delete() throws IOException {
        if (Files.isDirectory(dir)) {
            try (var files = Files.list(dir)) {
                // The manifest last: as long as anything is left, so is the word of what it was.
                for (var file : files.filter(f -> !f.equals(manifest())).toList()) {
                    Files.deleteIfExists(file);
                }
            }
            Files.deleteIfExists(manifest());
            Files.deleteIfExists(dir);
        }
        var vm = dir.getParent();
        if (vm != null && children(vm, ".*").isEmpty()) {
            Files.deleteIfExists(vm);
        }
    }
}
