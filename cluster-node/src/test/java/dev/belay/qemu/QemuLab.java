package dev.belay.qemu;

import dev.belay.clock.BootClock;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.KernelBoot;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** A server for tests: folders, a bridge of its own, a lease that is renewed, a client. */
final class QemuLab implements AutoCloseable {
    static final Incarnation INCARNATION = new Incarnation(1);

    /** Longer than in production: the machine that runs tests may stall for seconds. */
    static final Duration LEASE = Duration.ofSeconds(10);

    private static final Duration RENEWAL = Duration.ofMillis(500);

    final Path dir;
    final String bridge;
    final QemuSettings settings;
    final BlockingQueue<ReplicaEvent> events = new LinkedBlockingQueue<>();
    private final String subnet;
    private final ScheduledExecutorService renewals =
            Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().factory());
    private volatile QemuHypervisor hypervisor;
    private volatile boolean renewing = true;

    /**
     * @param number tells labs of one JVM apart
     */
    QemuLab(int number) throws IOException {
        dir = Files.createTempDirectory("qlab");
        var own = (ProcessHandle.current().pid() % 100) * 2 + number % 2;
        bridge = "qt" + ProcessHandle.current().pid() + "n" + number;
        subnet = "10.213." + own;
        settings = settings(dir, "lab" + number, "BELAY_QEMU");
        ip("link", "add", bridge, "type", "bridge");
        ip("addr", "add", subnet + ".1/24", "dev", bridge);
        ip("link", "set", bridge, "up");
        hypervisor = open();
        renewals.scheduleAtFixedRate(this::renew, 0, RENEWAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    static QemuSettings settings(Path dir, String server, String systemVariable) {
        return new QemuSettings(
                program(systemVariable),
                program("BELAY_QSD"),
                program("BELAY_QEMU_IMG"),
                program("BELAY_LEASH"),
                "tcg",
                "pc",
                "",
                dir.resolve("run"),
                dir.resolve("data"),
                server,
                "127.0.0.1",
                0,
                Duration.ofMillis(250),
                Duration.ofSeconds(30));
    }

    static Path program(String variable) {
        var value = System.getenv(variable);
        if (value == null || value.isBlank()) {
            throw new IllegalStateException(
                    "Expected the environment variable "
                            + variable
                            + " to name a file, since tests on the real QEMU were asked for");
        }
        return Path.of(value);
    }

    private QemuHypervisor open() {
        var made = new QemuHypervisor(settings);
        made.observe(events::add);
        made.extend(INCARNATION, BootClock.nanos() + LEASE.toNanos());
        return made;
    }

    /** As after the death of the node's JVM: a new object that knows the disk only. */
    QemuHypervisor reopen() {
        hypervisor.close();
        hypervisor = open();
        return hypervisor;
    }

    QemuHypervisor hypervisor() {
        return hypervisor;
    }

    private void renew() {
        if (renewing) {
            hypervisor.extend(INCARNATION, BootClock.nanos() + LEASE.toNanos());
        }
    }

    void stopRenewing() {
        renewing = false;
    }

    RunRight right(String vm, int epoch) {
        return new RunRight(new VmName(vm), new Epoch(epoch), new ServerName("alpha"), INCARNATION);
    }

    /** Of the client, on the bridge. */
    String hostAddress() {
        return subnet + ".1";
    }

    String guestAddress(int number) {
        return subnet + "." + (10 + number);
    }

    VmSpec spec(String vm, int number, List<DiskSpec> disks) {
        return new VmSpec(
                new VmName(vm),
                1,
                128,
                Optional.of(
                        new KernelBoot(
                                program("BELAY_GUEST_KERNEL").toString(),
                                program("BELAY_GUEST_INITRD").toString(),
                                "console=ttyS0 panic=-1 quiet no_timer_check tsc=unstable unknown_nmi_panic=1 belay.name="
                                        + vm
                                        + " belay.ip="
                                        + guestAddress(number)
                                        + "/24 belay.gw="
                                        + subnet
                                        + ".1")),
                disks,
                List.of(
                        new NicSpec(
                                bridge,
                                "52:54:00:78:00:" + (10 + number),
                                Optional.of(guestAddress(number)))),
                Level.RESTART,
                Placement.ANYWHERE,
                100);
    }

    /** What the guest answers to one line; fails when it does not within the limit. */
    String ask(int number, int port, String line, Duration limit) throws IOException {
        return ask(guestAddress(number), port, line, limit);
    }

    static String ask(String host, int port, String line, Duration limit) throws IOException {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), (int) limit.toMillis());
            socket.setSoTimeout((int) limit.toMillis());
            socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
            var reader =
                    new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.US_ASCII));
            var answer = reader.readLine();
            if (answer == null) {
                throw new IOException("the guest closed the connection");
            }
            return answer;
        }
    }

    String bootId(int number) throws IOException {
        // Uptime and a count follow.
        return ask(number, 9, "", Duration.ofSeconds(5)).split(" ", 2)[0];
    }

    /** Until the guest answers. */
    String awaitEcho(int number) throws InterruptedException {
        for (var end = System.nanoTime() + TimeUnit.SECONDS.toNanos(150); ; Thread.sleep(50)) {
            try {
                return ask(number, 7, "hello", Duration.ofSeconds(2));
            } catch (IOException e) {
                if (System.nanoTime() > end) {
                    throw new AssertionError("The guest does not answer: " + serial(), e);
                }
            }
        }
    }

    private String serial() {
        var text = new StringBuilder();
        for (var files : ReplicaFiles.all(settings.runDir())) {
            try {
                text.append(Files.readString(files.serial(), StandardCharsets.ISO_8859_1));
            } catch (IOException e) {
                text.append(e);
            }
        }
        return text.toString();
    }

    static <T> T get(CompletionStage<T> stage) {
        return Waiting.reply(stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS));
    }

    ReplicaEvent nextEvent(Duration limit) throws InterruptedException {
        var event = events.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
        if (event == null) {
            throw new AssertionError("Expected an event within " + limit + ", but none came");
        }
        return event;
    }

    static void ip(String... arguments) {
        var command = new java.util.ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments));
        var result = Tool.run(Duration.ofSeconds(5), command);
        if (!result.ok()) {
            throw new IllegalStateException(command + ": " + result.complaint());
        }
    }

    @Override
    public void close() throws IOException {
        renewals.shutdownNow();
        try {
            get(hypervisor.clean());
        } finally {
            ip("link", "del", bridge);
            try (var files = Files.walk(dir)) {
                for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
