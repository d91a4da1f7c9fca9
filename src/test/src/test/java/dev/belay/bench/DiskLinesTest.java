package dev.belay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.bench.DiskLines.Account;
import dev.belay.bench.DiskLines.Outcome;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** What a guest's file must hold of the lines that it acknowledged. */
class DiskLinesTest {
    private final Account account = new Account();

    @Test
    void allLinesAreThereOnce() {
        acknowledged(1, 2, 3);
        assertThat(account.compare(3, sum("line 1\nline 2\nline 3\n")))
                .isEqualTo(new Outcome(3, 0, 0));
    }

    @Test
    void aLineThatWasNotAcknowledgedMayBeThereOrNot() {
        acknowledged(1);
        account.next();
        assertThat(account.compare(1, sum("line 1\n"))).isEqualTo(new Outcome(1, 0, 0));
        assertThat(account.compare(2, sum("line 1\nline 2\n"))).isEqualTo(new Outcome(1, 0, 0));
        assertThat(account.compare(2, sum("line 1\nline 1\n")).lost()).isEqualTo(1);
    }

    @Test
    void linesThatAreMissingAreLost() {
        acknowledged(1, 2, 3);
        assertThat(account.compare(1, sum("line 1\n"))).isEqualTo(new Outcome(3, 2, 0));
    }

    @Test
    void aLineMoreThanWereWrittenIsThereTwice() {
        acknowledged(1, 2);
        assertThat(account.compare(3, sum("line 1\nline 2\nline 2\n")))
                .isEqualTo(new Outcome(2, 0, 1));
    }

    @Test
    void asManyLinesButOthersIsALoss() {
        acknowledged(1, 2);
        assertThat(account.compare(2, sum("line 2\nline 2\n"))).isEqualTo(new Outcome(2, 1, 0));
    }

    @Test
    void numbersThatJumpTellBeforeTheEnd() {
        acknowledged(1, 3, 2);
        assertThat(account.outcome()).isEqualTo(new Outcome(3, 2, 1));
        assertThat(account.compare(2, "")).isEqualTo(new Outcome(3, 2, 1));
    }

    private void acknowledged(long... numbers) {
        for (long number : numbers) {
            account.acknowledge(account.next(), number);
        }
    }

    private static String sum(String text) {
        try {
            return HexFormat.of()
                    .formatHex(
                            MessageDigest.getInstance("SHA-256")
                                    .digest(text.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
