package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a proof of lockstep, without a QEMU. */
class KeptProofTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path dir;

    private final AtomicInteger ran = new AtomicInteger();
    private final AtomicInteger closed = new AtomicInteger();

    /** It works, and does not go away. */
    private final class Sticky implements LockstepProof.Trial {
        @Override
        public void run(Duration limit) {
            ran.incrementAndGet();
        }

        @Override
        public void close() throws IOException {
            closed.incrementAndGet();
            throw new IOException("it does not go away");
        }
    }

    @BeforeEach
    void aQemuIsInstalled() throws IOException {
        Files.createFile(dir.resolve("qemu"));
    }

    private LockstepProof proof(Optional<Path> proofs) {
        var settings = NoQemu.in(dir, proofs);
        return new LockstepProof(
                settings,
                QemuBuild.of(settings.system()).orElseThrow(),
                "11.1.3",
                "pc-i440fx-11.1",
                GuestCpu.of(settings),
                Sticky::new,
                Duration.ofMillis(50));
    }

    @Test
    void whatWasSeenCountsAlsoWhenTheTrialIsNotClearedAway() {
        var proofs = Optional.of(dir.resolve("proofs"));
        var first = proof(proofs);
        first.seek();
        await().until(() -> first.unproven().isEmpty());
        assertThat(ran).hasValue(1);
        var later = proof(proofs);
        later.seek();
        assertThat(later.unproven()).isEmpty();
        assertThat(ran).hasValue(1);
    }

    @Test
    void whoeverWaitsForAnotherNodeSaysForWhom() throws IOException {
        var lock = Files.createDirectories(dir.resolve("proofs")).resolve("lock");
        var proof = proof(Optional.of(dir.resolve("proofs")));
        try (var channel =
                FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.lock();
            channel.write(ByteBuffer.wrap("bravo (process 7)".getBytes(StandardCharsets.UTF_8)));
            proof.seek();
            await().until(() ->
                    proof.unproven()
                            .filter(why -> why.contains("waits for bravo (process 7)"))
                            .isPresent());
            assertThat(ran).hasValue(0);
        }
        await().until(() -> proof.unproven().isEmpty());
        assertThat(ran).hasValue(1);
    }

    @Test
    void whatIsLeftOfATrialMakesNothingUnproven() throws IOException {
        Files.createDirectories(dir.resolve("data/trial"));
        var trusted = proof(Optional.empty());
        trusted.seek();
        await().until(() -> closed.get() == 1);
        await().during(Duration.ofMillis(200)).until(() -> trusted.unproven().isEmpty());
        assertThat(ran).hasValue(0);
    }
}
