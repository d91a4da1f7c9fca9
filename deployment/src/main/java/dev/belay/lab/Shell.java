package dev.belay.lab;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** Runs the commands of the system that the lab is made of, and says what went wrong with them. */
final class Shell {
    private static final long PATIENCE_SECONDS = 30;

    /** Not the common pool: on a small machine it is one thread, which somebody else may hold. */
    private static final Executor READERS = Thread::startVirtualThread;

    private Shell() {}

    /** What a command printed, and its exit code. */
    record Result(int code, String out, String err) {
        boolean isOk() {
            return code == 0;
        }
    }

    /** Runs a command that must succeed, and returns what it printed. */
    static String run(String... words) {
        return feed("", words);
    }

    /** Like {@link #run}, with {@code input} on the command's standard input. */
    static String feed(String input, String... words) {
        var result = attempt(input, words);
        if (!result.isOk()) {
            var script = input.isBlank() ? "" : " <<<\n" + input.strip() + "\n";
            throw new LabException(
                    "`"
                            + String.join(" ", words)
                            + script
                            + "` failed with exit code "
                            + result.code
                            + ": "
                            + result.err.strip());
        }
        return result.out;
    }

    /** Runs a command that may fail. */
    static Result attempt(String input, String... words) {
        try {
            var process = new ProcessBuilder(words).start();
            var err = CompletableFuture.supplyAsync(() -> text(process.getErrorStream()), READERS);
            try (var stdin = process.getOutputStream()) {
                stdin.write(input.getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                // The command ended without reading all of it; its exit code tells the rest.
                if (process.isAlive() && !process.waitFor(1, TimeUnit.SECONDS)) {
                    throw e;
                }
            }
            var out = CompletableFuture.supplyAsync(() -> text(process.getInputStream()), READERS);
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new LabException(
                        "`"
                                + String.join(" ", words)
                                + "` did not end within "
                                + PATIENCE_SECONDS
                                + " s");
            }
            return new Result(process.exitValue(), out.join(), err.join());
        } catch (IOException e) {
            throw new LabException("cannot run `" + words[0] + "`: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** Starts a process that outlives this one: own session, no terminal, output to a file. */
    static void detach(Path log, Map<String, String> environment, List<String> words) {
        var command = new java.util.ArrayList<String>();
        command.add("setsid");
        command.add("--fork");
        command.addAll(words);
        try {
            var builder =
                    new ProcessBuilder(command)
                            .redirectInput(new File("/dev/null"))
                            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
            builder.environment().putAll(environment);
            var process = builder.start();
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new LabException(
                        "`" + String.join(" ", command) + "` did not start; its output: " + log);
            }
        } catch (IOException e) {
            throw new LabException("cannot run `setsid`: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** Whether a program of that name is on the search path. */
    static boolean isInstalled(String program) {
        var path = System.getenv().getOrDefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        for (var folder : path.split(":")) {
            if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }

    /** Waits a little between two looks at something. */
    static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static LabException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new LabException("interrupted", e);
    }

    private static String text(InputStream stream) {
        try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
