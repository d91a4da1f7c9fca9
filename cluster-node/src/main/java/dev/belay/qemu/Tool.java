package dev.belay.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs short helper programs. Blocks. */
final class Tool {
    private static final int MOST_OUTPUT = 1024 * 1024;

    private Tool() {}

    /**
     * @param output standard output and error together
     */
    record Result(int status, String output) {
        boolean ok() {
            return status == 0;
        }

        /** For people: what it said last, in one line. */
        String complaint() {
            var lines = output.strip().lines().toList();
            return lines.isEmpty() ? "exit status " + status : String.join("; ", lines);
        }
    }

    static Result run(Duration limit, List<String> command) {
        return run(limit, "", command);
    }

    /** A program that cannot be started at all or takes too long answers with status -1. */
    static Result run(Duration limit, String input, List<String> command) {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            return new Result(-1, "cannot run " + command.getFirst() + ": " + e.getMessage());
        }
        var output = new CompletableFuture<String>();
        Thread.ofPlatform().daemon().start(() -> read(process, output));
        try (var stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // It ended without reading all: its status and words tell more than this does.
            output.thenAccept(_ -> {});
        }
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                return new Result(
                        -1, command.getFirst() + " took longer than " + limit.toMillis() + " ms");
            }
            // A background child may hold the pipe open after the program's end; its words are
            // not waited for.
            return new Result(
                    process.exitValue(), output.completeOnTimeout("", 1, TimeUnit.SECONDS).join());
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            return new Result(-1, command.getFirst() + " was interrupted");
        }
    }

    private static void read(Process process, CompletableFuture<String> output) {
        try (var stream = process.getInputStream()) {
            output.complete(new String(stream.readNBytes(MOST_OUTPUT), StandardCharsets.UTF_8));
        } catch (IOException e) {
            output.complete("its output could not be read: " + e.getMessage());
        }
    }
}
