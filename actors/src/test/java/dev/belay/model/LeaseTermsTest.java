package dev.belay.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LeaseTermsTest {
    @Test
    void whoWaitsForThoseThatLiveByAWordWaitsLongerThanAnyIsKept() {
        assertThat(LeaseTerms.outliveWait(Duration.ofMillis(3250))).isGreaterThan(LeaseTerms.KEPT);
    }

    @Test
    void andNeverShorterThanTheLongestLease() {
        var longer = LeaseTerms.KEPT.plusSeconds(10);
        assertThat(LeaseTerms.outliveWait(longer)).isEqualTo(longer);
    }
}
