package dev.belay.persistence.raft;

import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * A voter in a process of its own, which can be stopped and continued. It renews the lease of
 * {@code alpha#1} all the time and prints {@code <System.nanoTime() when it asked> <verdict>}, and
 * {@code copy <newest offset in its copy> <the leader>} as often as that changes, with {@code
 * obstacle <text>} when there is one, and {@code fatal <text>} before it ends.
 */
final class ForeignVoter {
    /** Said as soon as it stands for election. */
    static final String UP = "up";

    private ForeignVoter() {}

    /**
     * Starts one in a JVM of its own.
     *
     * @param heard gets each line that it prints
     * @param prefix words before the command, like those that choose a network namespace
     */
    static Process start(JournalSettings settings, Consumer<String> heard, String... prefix)
            throws IOException {
        var words = new ArrayList<>(List.of(prefix));
        words.addAll(
                List.of(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty(
                                "surefire.test.class.path", System.getProperty("java.class.path")),
                        ForeignVoter.class.getName(),
                        settings.node(),
                        settings.folder().toString()));
        settings.voters().forEach((name, address) -> words.add(name + "=" + address));
        var process =
                new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        Thread.ofVirtual().start(() -> listen(process, heard));
        return process;
    }

    private static void listen(Process process, Consumer<String> heard) {
        try (var lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                heard.accept(line);
            }
        } catch (IOException _) {
            // It was killed.
        }
    }

    /**
     * @param arguments name, folder, and {@code name=host:port} of each voter
     */
    public static void main(String[] arguments) throws Exception {
        var voters =
                Arrays.stream(arguments)
                        .skip(2)
                        .map(voter -> voter.split("=", 2))
                        .collect(Collectors.toMap(parts -> parts[0], parts -> parts[1]));
        var journal =
                RaftJournal.start(
                        JournalSettings.of(arguments[0], voters, Path.of(arguments[1])),
                        why -> {
                            System.out.println("fatal " + why);
                            System.out.flush();
                            Runtime.getRuntime().halt(3);
                        });
        System.out.println(UP);
        var timer = Executors.newSingleThreadScheduledExecutor();
        var _ = timer.scheduleAtFixedRate(() -> renew(journal), 0, 20, TimeUnit.MILLISECONDS);
        var told = new AtomicReference<>("");
        var _ = timer.scheduleAtFixedRate(() -> tell(journal, told), 0, 20, TimeUnit.MILLISECONDS);
    }

    private static void tell(RaftJournal journal, AtomicReference<String> told) {
        var now = "copy %d %s".formatted(journal.newestOffset(), journal.leader().orElse("nobody"));
        if (!told.getAndSet(now).equals(now)) {
            System.out.println(now);
            journal.obstacle().ifPresent(obstacle -> System.out.println("obstacle " + obstacle));
        }
    }

    private static void renew(RaftJournal journal) {
        long asked = System.nanoTime();
        var _ =
                journal.renew(new ServerName("alpha"), new Incarnation(1))
                        .thenAccept(verdict -> System.out.println(asked + " " + verdict));
    }
}
