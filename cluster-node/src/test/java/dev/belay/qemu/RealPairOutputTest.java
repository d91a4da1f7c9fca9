package dev.belay.qemu;

import static dev.belay.qemu.QemuLab.get;
import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.model.Level;
import dev.belay.model.RunRight;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What of two servers' guest is let out. Needs root, IPv6 and the BELAY_* variables. */
@Tag("qemu")
@Timeout(400)
class RealPairOutputTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    /** A guest that may answer does so in milliseconds. */
    private static final Duration NEVER = Duration.ofSeconds(1);

    @SuppressWarnings("NullAway.Init")
    private PairLab lab;

    @BeforeEach
    void openLab() throws IOException {
        lab = new PairLab();
    }

    @AfterEach
    void closeLab() throws IOException {
        lab.close();
    }

    @Test
    void ipv6IsHeldBackInAPairAndAtLevelSystemAndLetOutAfterwards() throws Exception {
        var system = lab.spec();
        lab.becomes(system.at(Level.RESTART));
        lab.start(lab.a, 1);
        awaitIpv6();
        lab.becomes(system);
        lab.raise(lab.a, 1, lab.b, 2);
        assertIpv6IsHeldBack(lab.a);
        get(lab.a.hypervisor().goSolo(lab.right(1), lab.right(2)));
        lab.a.hypervisor().levelIs(lab.right(1), Level.SYSTEM);
        assertIpv6IsHeldBack(lab.a);
        lab.a.hypervisor().levelIs(lab.right(1), Level.RESTART);
        awaitIpv6();

        // A new process does not know what the kernel was told.
        lab.a.reopen();
        get(lab.a.hypervisor().adopt());
        awaitLevel(lab.a, lab.right(1), Level.SYSTEM);
        assertIpv6IsHeldBack(lab.a);
        lab.a.reopen();
        get(lab.a.hypervisor().adopt());
        lab.a.hypervisor().levelIs(lab.right(1), Level.RESTART);
        awaitIpv6();

        lab.raise(lab.a, 1, lab.b, 3);
        // Held up on its way.
        lab.a.hypervisor().levelIs(lab.right(1), Level.RESTART);
        assertIpv6IsHeldBack(lab.a);
        lab.qemu(lab.a, 1).destroyForcibly();
        RealPairTest.await(lab.b, ReplicaEvent.PartnerLost.class);
        get(lab.b.hypervisor().goSolo(lab.right(3), lab.right(1)));
        assertIpv6IsHeldBack(lab.b);
        lab.b.hypervisor().levelIs(lab.right(3), Level.RESTART);
        awaitIpv6();
    }

    /** The guest hears what comes over IPv6, and what it says to that is dropped. */
    private void assertIpv6IsHeldBack(QemuLab on) {
        var before = dropped(on);
        assertThat(lab.answersIpv6(NEVER)).isFalse();
        assertThat(dropped(on)).isGreaterThan(before);
        assertThat(lab.answersIpv4(SOON)).isTrue();
    }

    private void awaitIpv6() throws InterruptedException {
        for (var end = System.nanoTime() + SOON.toNanos(); !lab.answersIpv6(NEVER); ) {
            assertThat(System.nanoTime()).isLessThan(end);
            Thread.sleep(20);
        }
    }

    private static void awaitLevel(QemuLab on, RunRight right, Level level)
            throws InterruptedException {
        on.hypervisor().levelIs(right, level);
        for (var end = System.nanoTime() + SOON.toNanos();
                !rules(on).contains("ether type != ");
                Thread.sleep(20)) {
            assertThat(System.nanoTime()).isLessThan(end);
        }
    }

    /** Packets that were held back. */
    private static long dropped(QemuLab on) {
        return rules(on)
                .lines()
                .filter(line -> line.contains("ether type != "))
                .mapToLong(line ->
                        Long.parseLong(line.replaceAll(".* packets (\\d+) .*", "$1").strip()))
                .sum();
    }

    private static String rules(QemuLab on) {
        return Tool.run(
                        SOON,
                        List.of("nft", "list", "table", "netdev", TapNames.of(on.settings).table()))
                .output();
    }
}
