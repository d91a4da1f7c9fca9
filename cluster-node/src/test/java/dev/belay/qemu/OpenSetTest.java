package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Against this machine's kernel, with nft as the witness. Needs root. */
@Tag("qemu")
@Timeout(60)
class OpenSetTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final String table = "belay_test" + ProcessHandle.current().pid();
    private final OpenSet open = new OpenSet(table, "open");

    @BeforeEach
    void makeSet() {
        nft(
                "add table netdev %1$s\nadd set netdev %1$s open { type ifname; flags timeout; }\n"
                        .formatted(table));
    }

    @AfterEach
    void removeSet() {
        nft("delete table netdev %s\n".formatted(table));
    }

    @Test
    void anElementIsAddedRenewedShortenedAndTakenOut() {
        assertThat(open.renew(Map.of("tap0", 1_000_000L, "tap1", 1_000_000L))).isEmpty();
        assertThat(elements()).contains("\"tap0\" timeout 16m40s").contains("\"tap1\"");
        assertThat(open.renew(Map.of("tap0", 2_000_000L))).isEmpty();
        assertThat(elements()).contains("\"tap0\" timeout 33m20s");
        assertThat(open.renew(Map.of("tap0", 500_000L))).isEmpty();
        assertThat(elements()).contains("\"tap0\" timeout 8m20s");
        assertThat(open.remove(List.of("tap0", "never-in"))).isEmpty();
        assertThat(elements()).doesNotContain("tap0").contains("\"tap1\"");
    }

    @Test
    void manyTapsFitInOneChange() {
        var taps = new java.util.HashMap<String, Long>();
        for (var k = 0; k < 400; k++) {
            taps.put("blytap-%08d".formatted(k), 1_000_000L);
        }
        assertThat(open.renew(taps)).isEmpty();
        assertThat(elements()).contains("blytap-00000399");
    }

    @Test
    void aSetThatIsGoneIsToldAndOneThatIsBackWorks() {
        nft("delete table netdev %s\n".formatted(table));
        assertThat(open.renew(Map.of("tap0", 1000L))).isPresent();
        makeSet();
        assertThat(open.renew(Map.of("tap0", 1_000_000L))).isEmpty();
    }

    private String elements() {
        return nft("list set netdev %s open\n".formatted(table));
    }

    private static String nft(String commands) {
        var result = Tool.run(LIMIT, commands, List.of("nft", "-f", "-"));
        assertThat(result.ok()).as(result.complaint()).isTrue();
        return result.output();
    }
}
