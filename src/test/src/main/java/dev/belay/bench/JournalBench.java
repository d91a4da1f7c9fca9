package dev.belay.bench;

import com.typesafe.config.ConfigFactory;
import dev.belay.lab.LabException;
import dev.belay.persistence.raft.JournalSettings;
import dev.belay.persistence.raft.JournalSetup;
import dev.belay.persistence.raft.RaftJournal;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;

/**
 * How long an entity waits for one event to be stored: three voters on this machine, each with a
 * folder and a log of its own on the same disk, beside a bare fsync on that disk.
 */
public final class JournalBench {
    private static final int WARM_UP = 300;
    private static final int MEASURED = 1000;
    private static final int EVENT_BYTES = 300;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Half of them took at most {@code median}, 99 of a hundred at most {@code p99}. */
    public record Times(Duration median, Duration p99, Duration longest, List<Duration> all) {
        private static Times of(List<Duration> all) {
            var sorted = all.stream().sorted().toList();
            return new Times(
                    sorted.get(sorted.size() / 2),
                    sorted.get(sorted.size() * 99 / 100),
                    sorted.getLast(),
                    sorted);
        }
    }

    /**
     * @param writes one event of 300 bytes after the other, asked for on a follower's node
     * @param fsync of a file to which as many bytes were added
     */
    public record Report(int voters, int events, Times writes, Times fsync) {}

    private JournalBench() {}

    static List<Figure> figures(Benchmark.Plan plan) {
        plan.progress().say("writing %d events, one after the other".formatted(MEASURED));
        try {
            var report = report();
            return List.of(
                    figure("a journal write, three voters on this disk", report.writes()),
                    figure("... beside it: a bare fsync on this disk", report.fsync()));
        } catch (Exception e) {
            throw new LabException("cannot measure the journal: " + e.getMessage(), e);
        }
    }

    private static Figure figure(String what, Times times) {
        return Figure.of(what, "ms", times.all().stream().map(JournalBench::millis).toList());
    }

    /** On the disk of the folder for temporary files. Takes about half a minute. */
    public static Report report() throws Exception {
        var folder = Files.createTempDirectory("belay-journal-bench");
        try {
            return report(folder);
        } finally {
            delete(folder);
        }
    }

    /** On the disk of this folder, which has to exist. */
    public static Report report(Path folder) throws Exception {
        var fsync = fsync(folder.resolve("fsync"));
        var addresses = addresses(List.of("a", "b", "c"));
        var journals = new ArrayList<RaftJournal>();
        try {
            for (var name : addresses.keySet()) {
                journals.add(
                        RaftJournal.start(
                                JournalSettings.of(name, addresses, folder.resolve(name)),
                                why -> System.err.println(name + " stopped: " + why)));
            }
            return new Report(addresses.size(), MEASURED, writes(follower(journals)), fsync);
        } finally {
            journals.forEach(RaftJournal::close);
        }
    }

    private static Map<String, String> addresses(List<String> names) throws IOException {
        var addresses = new LinkedHashMap<String, String>();
        var sockets = new ArrayList<ServerSocket>();
        for (var name : names) {
            var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
            sockets.add(socket);
            addresses.put(name, "127.0.0.1:" + socket.getLocalPort());
        }
        for (var socket : sockets) {
            socket.close();
        }
        return addresses;
    }

    private static RaftJournal follower(List<RaftJournal> journals) {
        VoterLab.awaitTrue(
                () -> "a leader", () -> journals.stream().anyMatch(RaftJournal::isLeader));
        return journals.stream()
                .filter(journal -> !journal.isLeader())
                .findFirst()
                .orElse(journals.getFirst());
    }

    private record Store(String event, ActorRef<Done> replyTo) {}

    /** Stores what it is told, and nothing else. */
    private static final class Writer extends EventSourcedBehavior<Store, String, Integer> {
        private Writer() {
            super(PersistenceId.of("vm", "journal-bench"));
        }

        @Override
        public Integer emptyState() {
            return 0;
        }

        @Override
        public CommandHandler<Store, String, Integer> commandHandler() {
            return (_, store) ->
                    Effect().persist(store.event()).thenReply(store.replyTo(), _ -> Done.done());
        }

        @Override
        public EventHandler<Integer, String> eventHandler() {
            return (stored, _) -> stored + 1;
        }
    }

    private static Times writes(RaftJournal journal) throws Exception {
        var config =
                ConfigFactory.parseString(
                                """
                                pekko.actor.provider = local
                                pekko.loglevel = WARNING
                                pekko.persistence.journal.plugin = "belay.persistence.journal"
                                pekko.persistence.snapshot-store.plugin = "belay.persistence.snapshot-store"
                                pekko.coordinated-shutdown.run-by-jvm-shutdown-hook = off
                                """)
                        .withFallback(ConfigFactory.load());
        ActorSystem<Store> system =
                ActorSystem.create(
                        new Writer(),
                        "JournalBench",
                        ActorSystemSetup.create(
                                BootstrapSetup.create(config), new JournalSetup(journal)));
        try {
            var event = "e".repeat(EVENT_BYTES);
            return measure(() ->
                    AskPattern.<Store, Done>ask(
                                    system,
                                    replyTo -> new Store(event, replyTo),
                                    PATIENCE,
                                    system.scheduler())
                            .toCompletableFuture()
                            .get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        } finally {
            system.terminate();
            system.getWhenTerminated()
                    .toCompletableFuture()
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    /** In ms, of a file on the disk of this folder, to which as much is added as an event has. */
    static List<Double> fsyncs(Path folder) {
        var file = folder.resolve("fsync-" + ProcessHandle.current().pid());
        try {
            return fsync(file).all().stream().map(JournalBench::millis).toList();
        } catch (Exception e) {
            throw new LabException("cannot measure an fsync in " + folder + ": " + e, e);
        } finally {
            var _ = file.toFile().delete();
        }
    }

    private static Times fsync(Path file) throws Exception {
        try (var channel =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            return measure(() -> {
                channel.write(ByteBuffer.wrap(new byte[EVENT_BYTES]));
                channel.force(false);
                return file;
            });
        }
    }

    private static Times measure(Callable<?> step) throws Exception {
        var times = new ArrayList<Duration>();
        for (int i = 0; i < WARM_UP + MEASURED; i++) {
            long began = System.nanoTime();
            var _ = step.call();
            if (i >= WARM_UP) {
                times.add(Duration.ofNanos(System.nanoTime() - began));
            }
        }
        return Times.of(times);
    }

    private static void delete(Path folder) throws IOException {
        try (var paths = Files.walk(folder)) {
            for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /**
     * @param arguments a folder on the disk to measure (of the temporary files)
     */
    public static void main(String[] arguments) throws Exception {
        var report = arguments.length > 0 ? report(Path.of(arguments[0])) : report();
        System.out.printf(
                "%d events of %d bytes, one after the other, %d voters%n",
                report.events(), EVENT_BYTES, report.voters());
        System.out.println("              median ms    p99 ms  longest ms");
        print("journal write", report.writes());
        print("bare fsync", report.fsync());
    }

    private static void print(String what, Times times) {
        System.out.printf(
                Locale.ROOT,
                "%-13s %9.2f %9.2f %11.2f%n",
                what,
                millis(times.median()),
                millis(times.p99()),
                millis(times.longest()));
    }

    private static double millis(Duration duration) {
        return duration.toNanos() / 1e6;
    }
}
