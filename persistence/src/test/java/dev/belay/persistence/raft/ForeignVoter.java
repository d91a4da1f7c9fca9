package dev.belay.persistence.raft;

import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A voter in a process of its own, which can be stopped and continued. It renews the lease of
 * {@code alpha#1} all the time and prints {@code <System.nanoTime() when it asked> <verdict>}.
 */
final class ForeignVoter {
    /** Said as soon as it stands for election. */
    static final String UP = "up";

    private ForeignVoter() {}

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
                        why -> Runtime.getRuntime().halt(3));
        System.out.println(UP);
        var _ =
                Executors.newSingleThreadScheduledExecutor()
                        .scheduleAtFixedRate(() -> renew(journal), 0, 20, TimeUnit.MILLISECONDS);
    }

    private static void renew(RaftJournal journal) {
        long asked = System.nanoTime();
        var _ =
                journal.renew(new ServerName("alpha"), new Incarnation(1))
                        .thenAccept(verdict -> System.out.println(asked + " " + verdict));
    }
}
