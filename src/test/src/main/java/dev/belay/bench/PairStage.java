package dev.belay.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.lab.Lab;
import dev.belay.lab.LabException;
import dev.belay.lab.LabOptions;
import dev.belay.lab.TestVm;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** A lab of two servers and a witness, with a VM of the test guest that can run on both of them. */
final class PairStage implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Duration LOOK = Duration.ofMillis(20);
    private static final int LEADER_TRIES = 6;
    private static final String PATH = "/api/v1/vms/" + Stage.VM;

    private final Lab lab;
    private final String address;

    private PairStage(Lab lab, String address) {
        this.lab = lab;
        this.address = address;
    }

    /** The VM runs at that level, as far as it has come there. */
    static PairStage set(String level, LabOptions.Progress progress) {
        progress.say("bringing up a lab, and a VM whose disk is mirrored");
        var lab = Lab.up(Stage.options());
        try {
            var vm =
                    TestVm.of(Stage.VM)
                            .withLevel(level)
                            .withDisk(TestVm.Disk.MIRRORED)
                            .withAwait(PATIENCE);
            return new PairStage(lab, lab.vm(vm).address());
        } catch (RuntimeException e) {
            lab.down();
            throw e;
        }
    }

    Lab lab() {
        return lab;
    }

    /** The guest's. */
    String address() {
        return address;
    }

    @Override
    public void close() {
        lab.down();
    }

    JsonNode vm() {
        return lab.get(PATH).orElseThrow(() -> new LabException("the VM is gone"));
    }

    String primary() {
        return vm().path("primary").asText();
    }

    /** Of its newest failover; missing when there was none. */
    JsonNode report() {
        var all = lab.get(PATH + "/failovers").orElseThrow();
        return all.path(all.size() - 1);
    }

    long pid(String server) {
        return lab.qemus(Stage.VM).stream()
                .filter(qemu -> qemu.node().equals(server))
                .findFirst()
                .orElseThrow(() -> new LabException(server + " runs no QEMU of the VM"))
                .pid();
    }

    boolean isInLockstep() {
        return vm().path("state").asText().equals("Lockstep");
    }

    void awaitLockstep() {
        await("lockstep", this::isInLockstep);
    }

    /** Again, with that server as the first. One that was away may still say what was before. */
    void awaitLockstepOn(String server) {
        await(
                "lockstep, with the VM on " + server,
                () -> {
                    var vm = vm();
                    return vm.path("state").asText().equals("Lockstep")
                            && vm.path("primary").asText().equals(server);
                });
    }

    boolean primaryLeads() {
        return leader().equals(primary());
    }

    private String leader() {
        return lab.get("/api/v1/health/ready").orElseThrow().path("journalLeader").asText();
    }

    /**
     * Has the journal led from the server that the VM runs on, in lockstep. Belay moves the
     * leadership away from there, but not before it has seen a better voter for ten seconds.
     */
    void letPrimaryLead() {
        for (int tries = 0; !primaryLeads(); tries++) {
            if (tries == LEADER_TRIES) {
                throw new LabException(primary() + " does not become the journal's leader");
            }
            await("a leader of the journal", () -> lab.nodes().contains(leader()));
            var leader = leader();
            if (lab.servers().contains(leader)) {
                switchOver();
            } else {
                lab.crash(leader);
                await("another leader", () -> lab.servers().contains(leader()));
                lab.awaitReady(leader, PATIENCE);
            }
            awaitLockstep();
        }
    }

    private void switchOver() {
        var first = primary();
        lab.post(PATH + "/switchover");
        await("the other server to go on", () -> !primary().equals(first));
    }

    /** Onto two servers, under whatever its guest does. */
    void raise() {
        protect("system");
        awaitLockstep();
    }

    /** Back onto one, and the other copy is gone. */
    void lower() {
        protect("restart");
        await(
                "the VM to run on one server only",
                () ->
                        vm().path("state").asText().equals("Running")
                                && lab.qemus(Stage.VM).size() == 1);
    }

    /** On one server; its QEMU is killed and it boots anew, so that it reads its disk. */
    void restartGuest() {
        lower();
        lab.post(PATH + "/stop?kill=true");
        await("the VM to be stopped", () -> vm().path("state").asText().equals("Stopped"));
        lab.post(PATH + "/start");
        lab.awaitGuest(address, PATIENCE);
    }

    /** Asked for until it is so: asking again changes nothing. */
    private void protect(String level) {
        await(
                "the VM to be wanted at level " + level,
                () -> {
                    lab.post(PATH + "/protect?level=" + level);
                    return vm().path("level").asText().equalsIgnoreCase(level);
                });
    }

    static void await(String what, BooleanSupplier done) {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        var last = "";
        while (true) {
            try {
                if (done.getAsBoolean()) {
                    return;
                }
            } catch (LabException e) {
                // No node takes questions at the moment; that is what is waited out.
                last = "; at last: " + e.getMessage();
            }
            if (System.nanoTime() > deadline) {
                throw new LabException(
                        "waited for "
                                + what
                                + " for "
                                + PATIENCE.toSeconds()
                                + " s, in vain"
                                + last);
            }
            Stage.sleep(LOOK);
        }
    }
}
