package dev.belay.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The voters of a journal as processes, each in a network namespace of its own, on one switch.
 * Needs root. What is cut is dropped by the switch, so that neither end of a connection can tell.
 */
final class VoterLab implements AutoCloseable {
    /** One request of one voter's streams; nanoseconds of System.nanoTime(). */
    record Request(String voter, String what, long asked, long took, boolean ok) {}

    private static final int PORT = 7356;

    /** As the lab starts its nodes: what else runs here must not look like a dead leader. */
    private static final String AS_HEAVY_AS_A_NODE =
            "echo -15 2>/dev/null >/proc/self/autogroup; exec \"$0\" \"$@\"";

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Duration CALM = Duration.ofSeconds(3);
    private static final Duration USUAL = Duration.ofMillis(500);
    private static final int SHOWN = 80;

    private final String prefix = "blyv" + ProcessHandle.current().pid() % 100_000;
    private final Path folder;
    private final Duration electionMin;
    private final Duration electionMax;
    private final List<String> names;
    private final Map<String, Process> running = new TreeMap<>();
    private final Map<String, String> leaders = new ConcurrentSkipListMap<>();
    private boolean closed;
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private final List<String> said = new CopyOnWriteArrayList<>();

    VoterLab(Path folder, int voters, Duration electionMin, Duration electionMax) {
        this.folder = folder;
        this.electionMin = electionMin;
        this.electionMax = electionMax;
        names = IntStream.range(0, voters).mapToObj(i -> String.valueOf((char) ('a' + i))).toList();
        Runtime.getRuntime().addShutdownHook(new Thread(this::close));
        network();
        names.forEach(this::start);
    }

    private void network() {
        var script =
                new StringBuilder(
                        """
                        set -e
                        ip netns add %1$s
                        ip -n %1$s link add sw type bridge stp_state 0 forward_delay 0
                        ip -n %1$s link set sw up
                        ip netns exec %1$s nft -f - <<'END'
                        table bridge cut {
                          set from { type ifname; }
                          set to { type ifname; }
                          chain cut {
                            type filter hook forward priority -300; policy accept;
                            iifname @from drop
                            oifname @to drop
                          }
                        }
                        END
                        """
                                .formatted(prefix));
        for (var name : names) {
            script.append(
                    """
                    ip netns add %2$s
                    ip -n %1$s link add p-%3$s type veth peer name eth0 netns %2$s
                    ip -n %1$s link set p-%3$s master sw
                    ip -n %1$s link set p-%3$s up
                    ip -n %2$s addr add %4$s/24 dev eth0
                    ip -n %2$s link set lo up
                    ip -n %2$s link set eth0 up
                    """
                            .formatted(prefix, namespace(name), name, address(name)));
        }
        shell(script.toString());
    }

    private String namespace(String name) {
        return prefix + "-" + name;
    }

    private String address(String name) {
        return "10.89.0." + (names.indexOf(name) + 1);
    }

    void start(String name) {
        var words =
                new ArrayList<>(
                        List.of(
                                "ip",
                                "netns",
                                "exec",
                                namespace(name),
                                "setsid",
                                "--wait",
                                "sh",
                                "-c",
                                AS_HEAVY_AS_A_NODE,
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:+UseSerialGC",
                                "-XX:+UseCompactObjectHeaders",
                                "--enable-native-access=ALL-UNNAMED",
                                "--sun-misc-unsafe-memory-access=allow",
                                "-Xms64m",
                                "-Xmx160m",
                                "-XX:TieredStopAtLevel=1",
                                // Who stood for election, and what came of it.
                                "-Dbelay.log.ratis=INFO",
                                "-cp",
                                System.getProperty(
                                        "surefire.test.class.path",
                                        System.getProperty("java.class.path")),
                                JournalVoter.class.getName(),
                                name,
                                folder.resolve(name).toString(),
                                String.valueOf(electionMin.toMillis()),
                                String.valueOf(electionMax.toMillis())));
        names.forEach(voter -> words.add(voter + "=" + address(voter) + ":" + PORT));
        try {
            var process =
                    new ProcessBuilder(words)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            running.put(name, process);
            Thread.ofVirtual().start(() -> listen(name, process));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void listen(String name, Process process) {
        try (var lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                var words = line.split(" ", -1);
                switch (words[0]) {
                    case "renewed", "wrote" ->
                            requests.add(
                                    new Request(
                                            name,
                                            words[0],
                                            Long.parseLong(words[1]),
                                            Long.parseLong(words[2]),
                                            words[3].equals("ok")));
                    case "leader" -> leaders.put(name, words[2]);
                    default -> heard(name, line);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            leaders.remove(name);
        }
    }

    private void heard(String name, String line) {
        // Where in Ratis something was thrown says little.
        if (!line.startsWith("\t")) {
            said.add(name + ": " + line);
        }
    }

    List<String> names() {
        return names;
    }

    /** The newest lines of the voters' logs. */
    List<String> said() {
        var all = List.copyOf(said);
        return all.subList(Math.max(0, all.size() - SHOWN), all.size());
    }

    List<Request> requests() {
        return List.copyOf(requests);
    }

    /** Waits until all voters run, agree on a leader, and answer as usual for a while. */
    String calmLeader() {
        awaitTrue(
                () ->
                        "all voters agree on a leader and answer; they said:\n"
                                + String.join("\n", said()),
                this::isCalm);
        return leaders.getOrDefault(names.getFirst(), "");
    }

    private boolean isCalm() {
        return leaders.size() == names.size()
                && leaders.values().stream().distinct().count() == 1
                && names.contains(leaders.get(names.getFirst()))
                && names.stream().allMatch(this::answersAsUsual);
    }

    private boolean answersAsUsual(String voter) {
        long since = System.nanoTime() - CALM.toNanos();
        var recent =
                requests().stream()
                        .filter(request -> request.voter().equals(voter))
                        .filter(request -> request.asked() + request.took() > since)
                        .toList();
        // Not fewer answers than there are in a third of that time, and none of them late.
        return recent.size() >= CALM.toMillis() / 3 / JournalVoter.RENEW_EVERY.toMillis()
                && recent.stream().allMatch(r -> r.ok() && r.took() < USUAL.toNanos());
    }

    static void awaitTrue(Supplier<String> what, BooleanSupplier condition) {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > until) {
                throw new IllegalStateException(
                        "Waited %s in vain: %s".formatted(PATIENCE, what.get()));
            }
            pause(Duration.ofMillis(20));
        }
    }

    static void pause(Duration length) {
        try {
            Thread.sleep(length);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** SIGKILL: its kernel refuses and resets from then on. */
    void kill(String name) {
        var process = running.remove(name);
        if (process == null) {
            throw new IllegalStateException(name + " is not running");
        }
        process.destroyForcibly();
        try {
            process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Its packets are dropped, both ways. */
    void cut(String name) {
        change("add", name);
    }

    void heal(String name) {
        change("delete", name);
    }

    private void change(String how, String name) {
        shell(
                "ip netns exec %1$s nft '%2$s element bridge cut from { p-%3$s }; %2$s element bridge cut to { p-%3$s }'"
                        .formatted(prefix, how, name));
    }

    private static void shell(String script) {
        try {
            var process =
                    new ProcessBuilder("bash", "-c", script).redirectErrorStream(true).start();
            var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException("Failed: " + said + "\n" + script);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Also run when this process is told to end, so that nothing is left behind. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        List.copyOf(running.keySet()).forEach(this::kill);
        names.forEach(name -> shell("ip netns del " + namespace(name)));
        shell("ip netns del " + prefix);
    }
}
