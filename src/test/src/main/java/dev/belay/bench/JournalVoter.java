package dev.belay.bench;

import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import dev.belay.persistence.raft.JournalSettings;
import dev.belay.persistence.raft.RaftJournal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A process with one voter of a journal and nothing else. It renews a lease ten times a second and
 * writes one small thing after the other, and tells on standard output how long each took:
 *
 * <pre>
 *   renewed|wrote &lt;System.nanoTime() when it was asked&gt; &lt;nanoseconds until the answer&gt; ok|failed
 * </pre>
 */
public final class JournalVoter {
    static final Duration RENEW_EVERY = Duration.ofMillis(100);
    private static final Duration BETWEEN_WRITES = Duration.ofMillis(20);

    private final ServerName name;
    private final RaftJournal journal;
    private String leader = "";

    private JournalVoter(ServerName name, RaftJournal journal) {
        this.name = name;
        this.journal = journal;
    }

    /**
     * @param arguments name, folder, shortest and longest election time-out in ms, and {@code
     *     name=host:port} of each voter
     */
    public static void main(String[] arguments) throws Exception {
        var voters =
                Arrays.stream(arguments)
                        .skip(4)
                        .map(voter -> voter.split("=", 2))
                        .collect(Collectors.toMap(parts -> parts[0], parts -> parts[1]));
        new JournalVoter(new ServerName(arguments[0]), start(arguments, voters)).run();
    }

    private static RaftJournal start(String[] arguments, Map<String, String> voters)
            throws Exception {
        var settings =
                JournalSettings.of(arguments[0], voters, Path.of(arguments[1]))
                        .withElectionTimeouts(
                                Duration.ofMillis(Long.parseLong(arguments[2])),
                                Duration.ofMillis(Long.parseLong(arguments[3])));
        return RaftJournal.start(
                settings,
                why -> {
                    System.out.println("fatal " + why);
                    Runtime.getRuntime().halt(3);
                });
    }

    private void run() {
        var timer = Executors.newScheduledThreadPool(2);
        var _ =
                timer.scheduleAtFixedRate(
                        () -> {
                            tellLeader();
                            tell("renewed", journal.renew(name, new Incarnation(1)));
                        },
                        0,
                        RENEW_EVERY.toMillis(),
                        TimeUnit.MILLISECONDS);
        var _ =
                timer.scheduleWithFixedDelay(
                        () ->
                                tell("wrote", journal.booted(name, UUID.randomUUID()))
                                        .toCompletableFuture()
                                        .join(),
                        0,
                        BETWEEN_WRITES.toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    private void tellLeader() {
        var now = journal.isLeader() ? name.value() : journal.leader().orElse("");
        if (!now.equals(leader)) {
            leader = now;
            System.out.println("leader " + System.nanoTime() + " " + now);
        }
    }

    private static CompletionStage<Void> tell(String what, CompletionStage<?> done) {
        long asked = System.nanoTime();
        return done.handle((_, failure) -> {
            System.out.printf(
                    "%s %d %d %s%n",
                    what, asked, System.nanoTime() - asked, failure == null ? "ok" : "failed");
            return null;
        });
    }
}
