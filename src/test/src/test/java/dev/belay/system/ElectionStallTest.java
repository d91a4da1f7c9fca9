package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.belay.bench.ElectionStalls;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The lease outlasts the loss of the journal's leader (safety.md 12), with the times that a node
 * has by default. The one test that asserts a time: the product promises it.
 */
@Tag("system")
class ElectionStallTest {
    private static final int ROUNDS = 3;

    @Test
    void theWorstStallAndTwoRenewalsAreShorterThanTheLease() throws IOException {
        var defaults = ConfigFactory.parseResources("belay-defaults.conf").resolve();
        var lease = defaults.getDuration("belay.lease.duration");
        var renewal = defaults.getDuration("belay.lease.renew-interval");

        var stalls =
                ElectionStalls.measure(
                        ROUNDS,
                        defaults.getDuration("belay.journal.election-timeout-min"),
                        defaults.getDuration("belay.journal.election-timeout-max"));

        assertThat(stalls)
                .hasSize(2 * ROUNDS)
                .allSatisfy(stall -> {
                    var needed = stall.worst().plus(renewal.multipliedBy(2));
                    assertThat(needed).as("%s and two renewals", stall).isLessThan(lease);
                });
    }
}
