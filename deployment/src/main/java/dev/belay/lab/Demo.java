package dev.belay.lab;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code belay demo}: a server dies with a VM on it, and the VM comes back on the other one; then
 * with one that runs on two servers, and nobody notices. Told line by line, on a terminal as in a
 * log.
 */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Shows failovers on real QEMU: two servers and a witness on this machine, a VM, a",
            "power cut; then a VM on two servers, and nobody notices.",
            "Takes about two minutes and removes everything afterwards. Needs root."
        })
public final class Demo implements Callable<Integer> {
    private static final String VM = "demo";

    /** The same server loses power three times within a minute. */
    private static final String NO_QUARANTINE = "belay.calm.cool-down = 1s";

    private static final Duration GUEST_PATIENCE = Duration.ofSeconds(90);
    private static final Duration LOOK_AROUND = Duration.ofSeconds(2);
    private static final Duration REPORT_PATIENCE = Duration.ofSeconds(5);
    private static final int LOG_LINES = 8;
    private static final long LOOK_MILLIS = 10;
    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");

    @Option(names = "--keep", description = "Leave the lab running afterwards.")
    private boolean keep;

    @Option(
            names = {"--name", "--lab"},
            paramLabel = "LAB",
            defaultValue = "demo",
            description = "The name of the lab (default: ${DEFAULT-VALUE}).")
    private String name = "demo";

    private final PrintStream out = System.out;
    private final AtomicBoolean finished = new AtomicBoolean();

    @Override
    public Integer call() {
        say("Belay demo: two servers and a witness on this machine, VMs, power cuts.");
        say("Each node is a JVM in a network namespace of its own; the VM is a real QEMU.");
        say("(A server that is lost three times within an hour gets no new VMs; here it does.)");
        finished.set(keep);
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(this::tidyUp));
        try {
            var options =
                    LabOptions.of(name, 2, 1)
                            .withSettings(NO_QUARANTINE)
                            .withKeepFailed(keep)
                            .withProgress(this::say);
            show(Lab.up(keep ? options : options.boundToThisProcess()));
        } catch (LabException e) {
            lastWords();
            throw e;
        } finally {
            tidyUp();
            howToGoOn();
        }
        return 0;
    }

    /** On failure, Ctrl-C and success; once. */
    private void tidyUp() {
        if (finished.compareAndSet(false, true)) {
            mine().ifPresent(lab -> {
                lab.down();
                say("The lab is removed: no process, namespace, bridge or file is left.");
            });
        }
    }

    private void howToGoOn() {
        if (keep && mine().isPresent()) {
            say("The lab stays up. Look at it:  belay lab status --name " + name);
            say("                               belay vm show " + VM + " --lab " + name);
            say("Take it down:                  belay lab down --name " + name);
        }
    }

    /** The logs go with the lab, so what they say last is said here. */
    private void lastWords() {
        var lab = mine();
        if (lab.isEmpty()) {
            return;
        }
        for (var node : lab.get().nodes()) {
            say("That failed. The end of the log of " + node + ":");
            lab.get().lastLogLines(node, LOG_LINES).forEach(line -> say("    " + line));
        }
    }

    /** A lab of that name may also be somebody else's, who is not to be disturbed. */
    private Optional<Lab> mine() {
        return Lab.ownedByThisProcess(name, LabStore.defaultHome());
    }

    private void show(Lab lab) {
        say("All nodes are ready: " + String.join(", ", lab.nodes()) + ".");
        say("Creating VM '" + VM + "' at level RESTART.");
        var guest = lab.vm(TestVm.of(VM).withAwait(GUEST_PATIENCE));
        try (var client = new EchoClient(guest.address())) {
            client.start();
            await("a reply from the guest", GUEST_PATIENCE, () -> client.seen().replies() > 0);
            say("A client sends a line every 50 ms to " + guest.address() + ", and gets it back.");
            var first = running(lab);
            say("The VM runs on " + first.node() + " (QEMU is process " + first.pid() + ").");
            Shell.pause(LOOK_AROUND.toMillis());
            var before = client.seen();
            say(before.replies() + " replies so far. Now the power of " + first.node() + " goes.");
            failOver(lab, client, first);
            lab.start(first.node());
        }
        lab.awaitReady(GUEST_PATIENCE);
        lab.delete("/api/v1/vms/" + VM + "?force=true");
        new DemoLockstep(lab, this::say).show();
    }

    private void failOver(Lab lab, EchoClient client, Lab.Qemu first) {
        var before = client.seen().replies();
        var killedAt = lab.kill(first.node());
        client.mark(killedAt);
        say(
                "Power cut: the links of "
                        + first.node()
                        + " dropped at "
                        + clock(killedAt)
                        + ", then all of its processes were killed.");
        await("a new QEMU", GUEST_PATIENCE, () -> !lab.qemus(VM).isEmpty());
        var second = running(lab);
        var started = second.started();
        say(
                "A new QEMU started on "
                        + second.node()
                        + " (process "
                        + second.pid()
                        + "); the guest boots.");
        await("a reply", GUEST_PATIENCE, () -> client.seen().firstAfterMark().isPresent());
        var after = client.seen();
        var reply = after.firstAfterMark().orElseThrow();
        say("The guest answers again, now from " + second.node() + ".");
        Shell.pause(LOOK_AROUND.toMillis());
        after = client.seen();
        timeline(lab, killedAt);
        say("From the power cut to the new QEMU process: " + seconds(killedAt, started));
        say("From the power cut to the first reply:      " + seconds(killedAt, reply));
        say(
                "Replies: "
                        + before
                        + " before, "
                        + (after.replies() - before)
                        + " after"
                        + (after.wrong() == 0 ? ", none wrong." : "; WRONG: " + after.wrong()));
        after.lastBeforeSilence()
                .ifPresent(last -> say("The client heard nothing for " + seconds(last, reply)));
    }

    private static Lab.Qemu running(Lab lab) {
        var found = lab.qemus(VM);
        if (found.isEmpty()) {
            throw new LabException("no QEMU of VM " + VM + " is running on any server");
        }
        if (found.size() > 1) {
            throw new LabException(
                    "VM "
                            + VM
                            + " runs twice, on "
                            + String.join(", ", found.stream().map(Lab.Qemu::node).toList())
                            + ": this must never happen");
        }
        return found.getFirst();
    }

    // --- the failover as Belay itself reports it ---

    private void timeline(Lab lab, Instant killedAt) {
        var report = report(lab);
        if (report.isEmpty()) {
            say("(No node has a report of the failover.)");
            return;
        }
        var last = report.get();
        say(
                "What Belay says about it: failover "
                        + last.path("number").asText()
                        + ", "
                        + last.path("cause").asText()
                        + ", from "
                        + last.path("from").asText()
                        + " to "
                        + last.path("to").asText()
                        + ", "
                        + last.path("totalMs").asText()
                        + " ms in all:");
        line("after the cut", "where", "what", "took");
        for (var step : last.path("steps")) {
            var at = instant(step.path("at"));
            var after =
                    at.map(time -> "+" + Duration.between(killedAt, time).toMillis() + " ms")
                            .orElse("(+" + step.path("afterMs").asText() + " ms)");
            var took = step.path("tookMs");
            line(
                    after,
                    step.path("where").asText(),
                    step.path("what").asText(),
                    took.isNumber() ? took.asText() + " ms" : "");
        }
    }

    private void line(String after, String where, String what, String took) {
        say(
                String.format(Locale.ROOT, "  %14s  %-10s %-56s %9s", after, where, what, took)
                        .stripTrailing());
    }

    /** The last one; it may be written a moment after the guest is back. */
    private static Optional<JsonNode> report(Lab lab) {
        var deadline = System.nanoTime() + REPORT_PATIENCE.toNanos();
        do {
            var answer = lab.get("/api/v1/vms/" + VM + "/failovers");
            if (answer.isPresent() && answer.get().isArray() && !answer.get().isEmpty()) {
                return Optional.of(answer.get().get(answer.get().size() - 1));
            }
            Shell.pause(200);
        } while (System.nanoTime() < deadline);
        return Optional.empty();
    }

    /** ISO 8601 or milliseconds. */
    static Optional<Instant> instant(JsonNode value) {
        if (value.isNumber()) {
            return Optional.of(Instant.ofEpochMilli(value.asLong()));
        }
        try {
            return Optional.of(Instant.parse(value.asText()));
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }

    // --- small things ---

    private void await(String what, Duration patience, java.util.function.BooleanSupplier done) {
        var deadline = System.nanoTime() + patience.toNanos();
        while (!done.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new LabException(
                        "waited for " + what + " for " + patience.toSeconds() + " s, in vain");
            }
            Shell.pause(LOOK_MILLIS);
        }
    }

    private static String seconds(Instant from, Instant to) {
        return String.format(Locale.ROOT, "%.2f s", Duration.between(from, to).toMillis() / 1000.0);
    }

    private static String clock(Instant at) {
        return CLOCK.format(at.atZone(ZoneId.systemDefault()));
    }

    private synchronized void say(String text) {
        out.println(CLOCK.format(LocalTime.now()) + "  " + text);
        out.flush();
    }
}
