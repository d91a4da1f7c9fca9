package dev.belay.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.lab.Lab;
import dev.belay.lab.SteadyClient;
import dev.belay.lab.TestVm;
import java.io.IOException;
import java.util.List;

/**
 * A VM in lockstep, with a disk, and somebody who holds one TCP connection to it through whatever
 * happens.
 */
final class Twin implements AutoCloseable {
    static final String VM = "twin";

    private final Cluster cluster;
    private final String address;
    private final Guest guest;
    private SteadyClient client;

    private Twin(Cluster cluster, String address) {
        this.cluster = cluster;
        this.address = address;
        this.guest = new Guest(address, (int) Cluster.PATIENCE.toMillis());
        awaitLockstep();
        this.client = new SteadyClient(address);
    }

    static Twin raise(Lab lab) {
        var vm =
                lab.vm(
                        TestVm.of(VM)
                                .withLevel("SYSTEM")
                                .withDisk(TestVm.Disk.MIRRORED)
                                .withAwait(Cluster.PATIENCE));
        return new Twin(new Cluster(lab), vm.address());
    }

    String address() {
        return address;
    }

    Guest guest() {
        return guest;
    }

    /** As the API shows it. */
    JsonNode view() {
        return cluster.vm(VM);
    }

    String primary() {
        return view().path("primary").asText();
    }

    String secondary() {
        return view().path("secondary").asText();
    }

    void awaitLockstep() {
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    assertThat(view().path("state").asText()).isEqualTo("Lockstep");
                    assertThat(view().path("protection").asText()).isEqualTo("PROTECTED");
                });
    }

    /** After whatever a test did to the lab, and left when it failed. */
    void awaitAllIsWell() {
        var lab = cluster.lab();
        for (var node : lab.nodes()) {
            lab.start(node);
            lab.resume(node);
            lab.heal(node);
        }
        lab.awaitReady(Cluster.PATIENCE);
        awaitLockstep();
        assertThat(guest.append("after")).isPresent();
    }

    /**
     * The client gets every reply, and no acknowledged line is lost.
     *
     * @param survivor where it must run afterwards; empty: anywhere
     */
    void goesUnnoticed(Runnable event, String survivor) {
        long before = append();
        goesOn(event, survivor);
        assertThat(append()).as("number of the next line").isEqualTo(before + 1);
    }

    /** The client gets every reply. */
    void goesOn(Runnable event, String survivor) {
        var seen = client.seen();
        event.run();
        await().atMost(Cluster.PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    var vm = view();
                    assertThat(vm.path("state").asText()).isIn("Running", "Raising", "Lockstep");
                    assertThat(vm.path("primary").asText())
                            .matches(primary -> survivor.isEmpty() || primary.equals(survivor));
                    assertThat(client.seen().replies()).isGreaterThan(seen.replies() + 20);
                });
        assertFlawless();
    }

    /** Also where nobody can say how it is. */
    void awaitReplies() {
        var seen = client.seen();
        await().atMost(Cluster.PATIENCE)
                .until(() -> {
                    // No reply comes any more once its connection is gone.
                    assertFlawless();
                    return client.seen().replies() > seen.replies() + 20;
                });
    }

    void assertFlawless() {
        assertThat(client.seen())
                .as("what the client of %s saw", VM)
                .matches(SteadyClient.Seen::isFlawless);
    }

    /** After what ends every connection. */
    void connectAnew() {
        client.close();
        client = new SteadyClient(address);
    }

    /** The number of a line that is on its disk from now on. */
    long append() {
        return guest.append("line").orElseThrow();
    }

    /** The process table's word. */
    List<Lab.Qemu> qemus() {
        return cluster.lab().qemus(VM);
    }

    Lab.Qemu qemu(String server) {
        return qemus().stream()
                .filter(qemu -> qemu.node().equals(server))
                .findFirst()
                .orElseThrow();
    }

    void signal(String server, String signal) {
        var pid = qemu(server).pid();
        try {
            assertThat(
                            new ProcessBuilder("kill", "-" + signal, Long.toString(pid))
                                    .start()
                                    .waitFor())
                    .isZero();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Of two that lost each other, the one that is not to go on. */
    static void awaitKilled(Lab.Qemu loser) {
        await().atMost(Cluster.PATIENCE)
                .untilAsserted(() ->
                        assertThat(ProcessHandle.of(loser.pid()).filter(ProcessHandle::isAlive))
                                .as("process of the QEMU that lost, on %s", loser.node())
                                .isEmpty());
    }

    @Override
    public void close() {
        client.close();
    }
}
