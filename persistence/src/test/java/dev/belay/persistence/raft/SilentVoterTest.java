package dev.belay.persistence.raft;

import static dev.belay.persistence.raft.Peers.event;
import static dev.belay.persistence.raft.Peers.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A voter's machine loses its power, so that no FIN and no RST tells the others, and comes back
 * with the same address. Needs root, for a network namespace that is the machine.
 */
@Tag("lab")
class SilentVoterTest {
    private static final String MACHINE = "belay-silent-c";
    private static final String SWITCH = "blysilent";
    private static final String CABLE = "blysilent0";
    private static final String HERE = "10.94.7.1";
    private static final String THERE = "10.94.7.2";
    private static final int POWER_CUTS = 2;

    /** With a JVM's start on a busy machine. */
    private static final Duration START = Duration.ofSeconds(90);

    /**
     * After that long the kernel's next try to reach a machine from which nothing came is more than
     * {@link #BACK} away: 0.2 s, doubled with each try, add up to 25.4 s and 51 s.
     */
    private static final Duration AWAY = Duration.ofSeconds(27);

    private static final Duration BACK = Duration.ofSeconds(20);

    @TempDir Path folder;

    private volatile boolean isUp;
    private volatile String copy = "";
    private Optional<Process> machine = Optional.empty();

    @Test
    void aVoterThatWasLostSilentlyAgainAndAgainHearsOfTheLeaderWhenItIsBack() throws Exception {
        var ports = Peers.freePorts(3);
        var voters = new TreeMap<String, String>();
        voters.put("a", HERE + ":" + ports.get(0));
        voters.put("b", HERE + ":" + ports.get(1));
        voters.put("c", THERE + ":" + ports.get(2));
        run("ip link add " + SWITCH + " type bridge");
        run("ip addr add " + HERE + "/30 dev " + SWITCH);
        run("ip link set " + SWITCH + " up");
        powerOn();
        try (var peers = Peers.at(folder, Map.copyOf(voters))) {
            peers.start("a");
            peers.start("b");
            start(peers);
            await().atMost(START).until(() -> copy.startsWith("copy 0 "));
            long written = 0;
            for (int i = 0; i < POWER_CUTS; i++) {
                written = write(peers, written);
                awaitCopy(written, START);
                powerOff();
                written = goOnWithout(peers, written);
                powerOn();
                start(peers);
                await().atMost(START).until(() -> isUp);
                awaitCopy(written, BACK);
            }
            assertThat(peers.fatal).isEmpty();
        }
    }

    private static long write(Peers peers, long written) {
        assertThat(get(peers.journal("a").append(event("vm|a", written + 1, "x"))))
                .isEqualTo(new Reply.Done());
        return written + 1;
    }

    private static long goOnWithout(Peers peers, long written) throws InterruptedException {
        long until = System.nanoTime() + AWAY.toNanos();
        long newest = written;
        while (System.nanoTime() < until) {
            newest = write(peers, newest);
            Thread.sleep(200);
        }
        return newest;
    }

    private void awaitCopy(long offset, Duration atMost) {
        await().atMost(atMost)
                .untilAsserted(() -> assertThat(copy).matches("copy " + offset + " [abc]"));
    }

    private void start(Peers peers) throws Exception {
        isUp = false;
        copy = "";
        machine =
                Optional.of(
                        ForeignVoter.start(
                                peers.settings("c"), this::hear, "ip", "netns", "exec", MACHINE));
    }

    private void hear(String line) {
        if (line.equals(ForeignVoter.UP)) {
            isUp = true;
        } else if (line.startsWith("copy ")) {
            copy = line;
        }
    }

    private static void powerOn() throws Exception {
        run("ip netns add " + MACHINE);
        run("ip link add " + CABLE + " type veth peer name eth0 netns " + MACHINE);
        run("ip link set " + CABLE + " master " + SWITCH + " up");
        run("ip -n " + MACHINE + " addr add " + THERE + "/30 dev eth0");
        run("ip -n " + MACHINE + " link set lo up");
        run("ip -n " + MACHINE + " link set eth0 up");
    }

    /**
     * The cable first: nothing that its kernel sends for the dead process may arrive. And by name:
     * that process' sockets can keep a namespace without a name alive for a while.
     */
    private void powerOff() throws Exception {
        run("ip link del " + CABLE);
        if (machine.isPresent()) {
            machine.get().destroyForcibly().waitFor();
        }
        run("ip netns del " + MACHINE);
    }

    @AfterEach
    void cleanUp() throws Exception {
        if (machine.isPresent()) {
            machine.get().destroyForcibly().waitFor();
        }
        new ProcessBuilder("ip", "link", "del", CABLE).start().waitFor();
        new ProcessBuilder("ip", "link", "del", SWITCH).start().waitFor();
        new ProcessBuilder("ip", "netns", "del", MACHINE).start().waitFor();
    }

    private static void run(String command) throws Exception {
        var process =
                new ProcessBuilder(command.split(" "))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        assertThat(process.waitFor()).as(command).isZero();
    }
}
