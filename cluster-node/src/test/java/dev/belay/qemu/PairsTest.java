package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.Level;
import dev.belay.model.PairAddress;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What becomes of a raise that a node found in the middle, with a QEMU that does not answer: to end
 * the raise fails, and leaves it as it was.
 */
class PairsTest {
    private static final VmName WEB = new VmName("web");
    private static final RunRight PRIMARY = right(7, "alpha");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path dir;

    private Pairs pairs;
    private Replica replica;

    @BeforeEach
    void found() throws IOException {
        var settings = NoQemu.in(dir, Optional.empty());
        var gate = new Gate("belay_test", Duration.ofMillis(250));
        var legs = new LegFiles(settings);
        pairs = new Pairs(settings, gate, legs, _ -> 0, _ -> {});
        var files = ReplicaFiles.of(settings.runDir(), WEB, PRIMARY.epoch());
        Files.createDirectories(files.dir());
        // Never continued, so that nobody watches it.
        var manifest = Manifest.starting(PRIMARY, spec(), List.of(), List.of());
        replica = new Replica(manifest, files, new Remains(gate, legs), _ -> {});
    }

    @Test
    void aRaiseThatWasFoundIsEnded() throws IOException {
        var found = half(8);

        assertThatThrownBy(() -> pairs.endRaiseOnce(found)).hasMessageContaining("does not answer");
    }

    /** What was found is over, and the replica is on its way into lockstep with another one. */
    @Test
    void whatWasRaisedAgainSinceIsNotTakenApart() throws IOException {
        var found = half(8);
        var again = half(9);

        pairs.endRaiseOnce(found);

        assertThat(PairState.read(replica.files())).contains(again.state());
        assertThatThrownBy(() -> pairs.endRaiseOnce(again)).hasMessageContaining("does not answer");
    }

    @Test
    void whatEndedSinceIsLeftAlone() throws IOException {
        var found = half(8);
        pairs.ended(PRIMARY);

        pairs.endRaiseOnce(found);

        assertThat(PairState.read(replica.files())).contains(found.state());
    }

    private PairHalf half(long epoch) throws IOException {
        new PairState(
                        PairState.Stage.RAISING,
                        right(epoch, "beta"),
                        new PairAddress("10.0.0.2", 1, 2, List.of()))
                .write(replica.files());
        return pairs.adopt(replica).orElseThrow();
    }

    private static RunRight right(long epoch, String server) {
        return new RunRight(WEB, new Epoch(epoch), new ServerName(server), new Incarnation(1));
    }

    private static VmSpec spec() {
        return new VmSpec(
                WEB,
                1,
                64,
                Optional.empty(),
                List.of(),
                List.of(),
                Level.SYSTEM,
                Placement.ANYWHERE,
                0);
    }
}
