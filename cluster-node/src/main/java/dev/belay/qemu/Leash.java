package dev.belay.qemu;

import dev.belay.qemu.Manifest.Leashed;
import dev.belay.qemu.ReplicaFiles.Role;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's end of one leash: the small process that is the parent of QEMU or of a storage daemon
 * and kills it at its deadline whatever becomes of this JVM (safety.md 9).
 */
final class Leash {
    private static final Logger log = LoggerFactory.getLogger(Leash.class);
    private static final Duration REPLY_LIMIT = Duration.ofSeconds(2);

    /**
     * Not virtual threads: those share few carriers with starts, which hold one while they spawn a
     * process, and a grant must not wait for that. As many threads as leashes hang, one otherwise.
     */
    private static final ExecutorService TELLERS =
            Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("leash-", 0).factory());

    private final Path socket;
    private final AtomicLong wanted = new AtomicLong();
    private final AtomicLong told = new AtomicLong();
    private final AtomicBoolean telling = new AtomicBoolean();

    Leash(Path socket) {
        this.socket = socket;
    }

    /** Starts the program under a leash that is armed from its first moment. Blocks shortly. */
    static Leashed start(
            QemuSettings settings,
            ReplicaFiles files,
            Role role,
            long deadline,
            List<String> program) {
        var command = new ArrayList<String>();
        command.addAll(
                List.of(
                        settings.leash().toString(),
                        "--socket",
                        files.leashSocket(role).toString(),
                        "--status",
                        files.leashStatus(role).toString(),
                        "--deadline",
                        Long.toString(deadline),
                        "--kill-budget",
                        Long.toString(settings.killBudget().toMillis()),
                        "--log",
                        files.log(role).toString()));
        if (settings.lifelinePort() != 0) {
            command.add("--lifeline");
            command.add(numeric(settings.nbdAddress()) + ":" + settings.lifelinePort());
        }
        command.add("--");
        command.addAll(program);
        var result = Tool.run(settings.patience(), command);
        if (!result.ok()) {
            throw new HypervisorException(
                    program.getFirst()
                            + " could not be started under its leash: "
                            + result.complaint(),
                    true);
        }
        var status =
                LeashStatus.read(files.leashStatus(role))
                        .orElseThrow(() ->
                                new HypervisorException(
                                        "The leash of "
                                                + program.getFirst()
                                                + " wrote no status to "
                                                + files.leashStatus(role)
                                                + "; is the file system full?",
                                        true));
        return new Leashed(
                new ProcessId(status.child(), status.childStart()),
                // A leash whose program failed at once may be gone already.
                ProcessId.of(status.leash()).orElse(new ProcessId(status.leash(), 0)));
    }

    private static String numeric(String address) {
        try {
            return InetAddress.getByName(address).getHostAddress();
        } catch (IOException e) {
            return address;
        }
    }

    /**
     * Moves the deadline, never backwards. Returns at once; a leash that hangs holds up nobody
     * else, and gets the newest deadline when it answers again.
     */
    void extend(long deadline) {
        wanted.accumulateAndGet(deadline, Math::max);
        if (telling.compareAndSet(false, true)) {
            TELLERS.execute(this::tell);
        }
    }

    /**
     * Like {@link #extend}, and returns when the leash has said something. Blocks.
     *
     * @return whether it holds its program until the deadline
     */
    boolean extendNow(long deadline) {
        try {
            return say("extend " + deadline).equals("ok");
        } catch (IOException e) {
            log.warn("The leash at {} does not answer: {}", socket, e.toString());
            return false;
        }
    }

    private void tell() {
        var answered = false;
        try {
            long next;
            while ((next = wanted.get()) > told.get()) {
                var reply = say("extend " + next);
                if (!reply.equals("ok")) {
                    log.warn("The leash at {} answers: {}", socket, reply);
                }
                told.set(next);
            }
            answered = true;
        } catch (IOException e) {
            // Gone with its program, or hung: the next grant tries again.
            log.debug("The leash at {} does not answer: {}", socket, e.toString());
        } finally {
            telling.set(false);
        }
        if (answered && wanted.get() > told.get()) {
            // A grant came after the last look and before the flag fell.
            extend(wanted.get());
        }
    }

    private String say(String command) throws IOException {
        try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            CompletableFuture.delayedExecutor(REPLY_LIMIT.toMillis(), TimeUnit.MILLISECONDS)
                    .execute(() -> close(channel));
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.write(ByteBuffer.wrap((command + "\n").getBytes(StandardCharsets.US_ASCII)));
            var reply = new QmpLines(channel).next();
            return reply == null ? "nothing" : reply;
        }
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            log.debug("Closing a leash's socket failed", e);
        }
    }
}
