package dev.belay.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.lab.Lab;
import dev.belay.lab.LabException;
import dev.belay.lab.LabOptions;
import dev.belay.lab.TestVm;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * A lab of two servers and a witness to measure in, with one VM. The VM has a disk and a NIC but
 * nothing to boot, so that its guest takes no time from the nodes: the machine is small.
 */
final class Stage implements AutoCloseable {
    static final String VM = "bench";
    private static final String LAB = "bench";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** The failure detectors learn from what they hear, so they are given something to hear. */
    private static final Duration SETTLING = Duration.ofSeconds(3);

    /** Fine enough: when a process started, the kernel says. */
    private static final Duration LOOK = Duration.ofMillis(40);

    private static final int LEADER_TRIES = 12;

    /** Servers that are killed over and over are to be used over and over, without quarantine. */
    private static final String SETTINGS = "belay.calm.cool-down = 1s";

    private final Lab lab;
    private final LabOptions.Progress progress;

    private Stage(Lab lab, LabOptions.Progress progress) {
        this.lab = lab;
        this.progress = progress;
    }

    static LabOptions options() {
        return LabOptions.of(LAB, 2, 1)
                .withSettings(SETTINGS)
                .withReplace(true)
                .boundToThisProcess();
    }

    static Stage set(LabOptions options, LabOptions.Progress progress) {
        progress.say("bringing up a lab");
        return new Stage(Lab.up(options), progress);
    }

    Lab lab() {
        return lab;
    }

    @Override
    public void close() {
        lab.down();
    }

    /** Creates the VM and waits till it runs. */
    void createVm() {
        lab.vm(TestVm.of(VM).withoutGuest());
        awaitRunning();
    }

    void deleteVm() {
        lab.delete("/api/v1/vms/" + VM + "?force=true");
        await("the VM to be gone", () -> vm().isEmpty() && lab.qemus(VM).isEmpty());
    }

    Optional<JsonNode> vm() {
        return lab.get("/api/v1/vms/" + VM);
    }

    long epoch() {
        return vm().orElseThrow().path("epoch").asLong();
    }

    private void awaitRunning() {
        await(
                "the VM to run",
                () ->
                        vm().filter(vm -> vm.path("state").asText().equals("Running")).isPresent()
                                && lab.qemus(VM).size() == 1);
    }

    /** Waits till everything is as if nothing had ever happened. */
    void settle() {
        lab.awaitReady(PATIENCE);
        awaitRunning();
        sleep(SETTLING);
        awaitRunning();
    }

    /** The VM's only QEMU. */
    Lab.Qemu qemu() {
        var found = lab.qemus(VM);
        if (found.size() != 1) {
            throw new LabException("the VM should have one QEMU, but has " + found);
        }
        return found.getFirst();
    }

    /** Waits for another QEMU than that one, and says how many ms after the fault it started. */
    double untilAnother(Lab.Qemu old, Instant fault) {
        var started =
                awaited(
                        "another QEMU",
                        () ->
                                lab.qemus(VM).stream()
                                        .filter(qemu -> !qemu.equals(old))
                                        .map(Lab.Qemu::started)
                                        .findFirst());
        return Duration.between(fault, started).toNanos() / 1e6;
    }

    String leader() {
        return lab.get("/api/v1/health/ready").orElseThrow().path("journalLeader").asText();
    }

    /**
     * Makes a server the journal's leader and the oldest member of the cluster, which is where the
     * shards' coordinator is: the processes of all others are killed in turn until it is so.
     */
    void letLead(String server) {
        var others = lab.nodes().stream().filter(node -> !node.equals(server)).toList();
        others.forEach(this::crash);
        for (int tries = 0; !leader().equals(server); tries++) {
            if (tries == LEADER_TRIES) {
                throw new LabException(server + " does not become the journal's leader");
            }
            crash(leader());
        }
        progress.say(server + " leads the journal now");
    }

    private void crash(String node) {
        lab.crash(node);
        await("a new process of " + node, () -> ready(node));
        settle();
    }

    private boolean ready(String node) {
        return lab.status().nodes().stream()
                .anyMatch(status ->
                        status.name().equals(node) && status.state().word().equals("ready"));
    }

    List<String> servers() {
        return lab.servers();
    }

    void await(String what, BooleanSupplier done) {
        awaited(what, () -> done.getAsBoolean() ? Optional.of(true) : Optional.empty());
    }

    private static <T> T awaited(String what, Supplier<Optional<T>> look) {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        var last = "";
        while (System.nanoTime() < deadline) {
            try {
                var seen = look.get();
                if (seen.isPresent()) {
                    return seen.get();
                }
            } catch (LabException e) {
                // No node takes questions at the moment; that is what is waited out.
                last = "; at last: " + e.getMessage();
            }
            sleep(LOOK);
        }
        throw new LabException(
                "waited for " + what + " for " + PATIENCE.toSeconds() + " s, in vain" + last);
    }

    static void sleep(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted", e);
        }
    }
}
