package dev.belay.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A leash's last word on its program, read from its status file.
 *
 * @param state {@code running}, {@code expired}, {@code exited:N} or {@code signalled:N}
 */
record LeashStatus(long leash, long child, long childStart, String state) {

    static Optional<LeashStatus> read(Path file) {
        Map<String, String> values = new HashMap<>();
        try {
            for (var line : Files.readAllLines(file)) {
                var parts = line.split("=", 2);
                if (parts.length == 2) {
                    values.put(parts[0], parts[1]);
                }
            }
            return Optional.of(
                    new LeashStatus(
                            Long.parseLong(values.getOrDefault("leash", "")),
                            Long.parseLong(values.getOrDefault("child", "")),
                            Long.parseLong(values.getOrDefault("start", "")),
                            values.getOrDefault("state", "")));
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    boolean isOver() {
        return !state.equals("running");
    }

    boolean leaseExpired() {
        return state.equals("expired");
    }

    boolean exitedCleanly() {
        return state.equals("exited:0");
    }

    /** For people. */
    String words() {
        if (leaseExpired()) {
            return "killed by its leash: the lease ran out";
        }
        if (state.startsWith("exited:")) {
            return "exit status " + state.substring("exited:".length());
        }
        if (state.startsWith("signalled:")) {
            return "killed by signal " + state.substring("signalled:".length());
        }
        return "its leash did not see how it ended";
    }
}
