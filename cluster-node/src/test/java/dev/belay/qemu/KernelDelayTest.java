package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class KernelDelayTest {
    private static final long LEASE = TimeUnit.SECONDS.toNanos(3);
    private static final long MARGIN = TimeUnit.MILLISECONDS.toNanos(250);

    private final KernelDelay delay = new KernelDelay(MARGIN);

    @Test
    void aQuickKernelCostsTheMargin() {
        delay.took(TimeUnit.MILLISECONDS.toNanos(2));
        assertThat(delay.allowance(LEASE)).isEqualTo(MARGIN);
    }

    @Test
    void aSlowOneCostsTwiceWhatItTook() {
        delay.took(TimeUnit.MILLISECONDS.toNanos(400));
        assertThat(delay.allowance(LEASE)).isEqualTo(TimeUnit.MILLISECONDS.toNanos(800));
    }

    /** It would never be tried again, and so the gate stay closed for ever. */
    @Test
    void aStallThatWouldEatTheWholeLeaseIsForgotten() {
        delay.took(TimeUnit.MILLISECONDS.toNanos(1500));
        assertThat(delay.allowance(LEASE)).isEqualTo(MARGIN);
    }
}
