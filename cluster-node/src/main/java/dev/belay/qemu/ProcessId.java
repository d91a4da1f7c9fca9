package dev.belay.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * One process of this boot for good: a process number alone is reused.
 *
 * @param startTicks field 22 of {@code /proc/<pid>/stat}
 */
record ProcessId(long pid, long startTicks) {
    private static final int STATE = 0;
    private static final int START_TICKS = 19;

    static Optional<ProcessId> of(long pid) {
        return stat(pid).map(fields -> new ProcessId(pid, Long.parseLong(fields[START_TICKS])));
    }

    /** Whether it can still do anything; a zombie cannot, once all its threads have ended. */
    boolean isAlive() {
        var fields = stat(pid);
        if (fields.isEmpty() || Long.parseLong(fields.get()[START_TICKS]) != startTicks) {
            return false;
        }
        var state = fields.get()[STATE];
        return !(state.equals("Z") || state.equals("X")) || hasOtherThreads();
    }

    /** A leader's zombie may stay while a thread hangs in the kernel, its files still open. */
    private boolean hasOtherThreads() {
        try (var tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
            return tasks.count() > 1;
        } catch (IOException e) {
            return false;
        }
    }

    /** SIGKILL. The handle compares start times once more before it signals. */
    void kill() {
        if (isAlive()) {
            ProcessHandle.of(pid).filter(_ -> isAlive()).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    /** The fields after the command name, which may itself hold blanks and parentheses. */
    private static Optional<String[]> stat(long pid) {
        try {
            var line =
                    Files.readString(
                            Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
            return Optional.of(line.substring(line.lastIndexOf(')') + 2).split(" "));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
