package dev.belay.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.KernelBoot;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.PairAddress;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a pair's files and command lines say. */
class PairTextTest {
    private static final DiskSpec ROOT =
            new DiskSpec("root", DiskKind.MIRRORED, Optional.empty(), "raw", 1);
    private static final RunRight PRIMARY =
            new RunRight(
                    new VmName("web"), new Epoch(7), new ServerName("alpha"), new Incarnation(3));
    private static final RunRight SECONDARY =
            new RunRight(
                    new VmName("web"), new Epoch(8), new ServerName("beta"), new Incarnation(1));

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path dir;

    private static QemuSettings settings(Path run, Path data) {
        return new QemuSettings(
                Path.of("/usr/bin/qemu-system-x86_64"),
                Path.of("/usr/bin/qemu-storage-daemon"),
                Path.of("/nowhere/qemu-img"),
                Path.of("/usr/bin/belay-leash"),
                "kvm:tcg",
                "pc",
                "",
                run,
                data,
                "beta",
                "10.0.0.2",
                0,
                Duration.ofMillis(250),
                QemuSettings.DEFAULT_PATIENCE);
    }

    private static VmSpec spec(DiskSpec disk) {
        return new VmSpec(
                SECONDARY.vm(),
                2,
                512,
                Optional.of(new KernelBoot("/boot/k", "/boot/i", "quiet")),
                List.of(disk),
                List.of(new NicSpec("br0", "52:54:00:12:34:56", Optional.of("10.0.0.5"))),
                Level.SYSTEM,
                Placement.ANYWHERE,
                100);
    }

    private static final String COMMAND =
            """
            /usr/bin/qemu-system-x86_64
            -name guest=web,debug-threads=on
            -machine pc-i440fx-11.1,accel=kvm:tcg
            -m 512
            -smp 2
            -nodefaults
            -no-user-config
            -display none
            -action panic=pause
            -chardev socket,id=qmp0,path=/run/belay/vm/web/e8/qemu.qmp,server=on,wait=off
            -mon chardev=qmp0,mode=control
            -chardev file,id=serial0,path=/run/belay/vm/web/e8/serial.log
            -serial chardev:serial0
            -device pvpanic-pci,id=panic0,addr=0x3
            -kernel /boot/k
            -initrd /boot/i
            -append quiet
            -netdev tap,id=hn0,vhost=off,ifname=bly0.0,script=no,downscript=no
            -device virtio-net-pci,id=e0,netdev=hn0,mac=52:54:00:12:34:56,romfile=,addr=0x4
            -blockdev {"driver":"nbd","node-name":"leg0L.e8","server":{"type":"inet","host":"10.0.0.2","port":"4711"},"export":"web-root.e8","reconnect-delay":0,"discard":"unmap"}
            -blockdev {"driver":"nbd","node-name":"parent0","server":{"type":"inet","host":"10.0.0.2","port":"4711"},"export":"web-root.e8","reconnect-delay":0,"discard":"unmap"}
            -blockdev {"driver":"qcow2","node-name":"hidden0","file":{"driver":"file","filename":"/var/lib/belay/legs/web/root.hidden.e8.qcow2"},"backing":"parent0"}
            -blockdev {"driver":"qcow2","node-name":"active0","file":{"driver":"file","filename":"/var/lib/belay/legs/web/root.active.e8.qcow2"},"backing":"hidden0"}
            -blockdev {"driver":"replication","node-name":"childs0","mode":"secondary","top-id":"vd0","file":"active0"}
            -blockdev {"driver":"quorum","node-name":"colo0","vote-threshold":1,"read-pattern":"fifo","children":["childs0"]}
            -blockdev {"driver":"raw","node-name":"vd0","file":"colo0"}
            -device virtio-blk-pci,id=vblk0,drive=vd0,addr=0x8,werror=stop,rerror=stop
            -chardev socket,id=red0-0,host=10.0.0.2,port=0,server=on,wait=off
            -chardev socket,id=red1-0,host=10.0.0.2,port=0,server=on,wait=off
            -object filter-redirector,id=f1-0,netdev=hn0,queue=tx,vnet_hdr_support=on,indev=red0-0
            -object filter-redirector,id=f2-0,netdev=hn0,queue=rx,vnet_hdr_support=on,outdev=red1-0
            -object filter-rewriter,id=rew0-0,netdev=hn0,queue=all,vnet_hdr_support=on
            -incoming defer
            """;

    @Test
    void theSecondaryDiffersOnlyBelowWhatTheGuestSees() throws IOException {
        var settings = settings(Path.of("/run/belay"), Path.of("/var/lib/belay"));
        var manifest =
                Manifest.starting(SECONDARY, spec(ROOT), List.of("bly0.0"), List.of())
                        .withNbdPort(4711);
        var files = ReplicaFiles.of(settings.runDir(), SECONDARY.vm(), SECONDARY.epoch());
        var line = PairCommand.secondary(settings, "pc-i440fx-11.1", manifest, files);
        assertThat(String.join(" ", line).replace(" -", "\n-") + "\n").isEqualTo(COMMAND);
        var plain =
                QemuCommand.system(
                        settings,
                        "pc-i440fx-11.1",
                        SECONDARY,
                        spec(ROOT),
                        files,
                        List.of("bly0.0"),
                        4711);
        assertThat(devices(line)).isEqualTo(devices(plain)).isNotEmpty();
    }

    private static List<String> devices(List<String> line) {
        return line.stream().filter(word -> word.contains(",addr=")).toList();
    }

    @Test
    void aPrimaryWritesToBothOrNotAtAll() {
        JsonNode quorum = PairCommand.quorumNode(0, SECONDARY.epoch());
        assertThat(quorum.path("vote-threshold").asInt()).isEqualTo(2);
        assertThat(quorum.path("children").toString()).isEqualTo("[\"own0.e8\",\"rep0.e8\"]");
    }

    @Test
    void aStandInNeverAnswersARead() {
        var nodes = PairCommand.standInNodes(0, SECONDARY.epoch(), 1024).toString();
        assertThat(nodes).contains("\"inject-error\":[{\"event\":\"none\",\"iotype\":\"read\"}]");
    }

    @Test
    void whatAReplicaIsToItsPairSurvivesTheProcess() throws IOException {
        var files = ReplicaFiles.of(dir, SECONDARY.vm(), SECONDARY.epoch());
        var at = new PairAddress("10.0.0.2", 1, 2, List.of(new PairAddress.NicPorts(3, 4)));
        var state = new PairState(PairState.Stage.PREPARED, PRIMARY, at);
        assertThat(PairState.read(files)).isEmpty();
        state.write(files);
        assertThat(PairState.read(files)).contains(state);
        PairState.forget(files);
        assertThat(PairState.read(files)).isEmpty();
    }

    @Test
    void thePortIsFoundInWhatQemuSaysOfASocket() {
        assertThat(ColoSecondary.port("disconnected:tcp:127.0.0.1:4711,server=on")).isEqualTo(4711);
        assertThat(ColoSecondary.port("disconnected:tcp:[fd00::1]:4711,server=on")).isEqualTo(4711);
        assertThatThrownBy(() -> ColoSecondary.port(""))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("the port of a card's filter");
    }

    @Test
    void lockstepNeedsACopyOfEachDiskOnBothServers() {
        var shared = new DiskSpec("root", DiskKind.SHARED, Optional.of("/s/root.raw"), "raw", 0);
        assertThat(SpecCheck.illegal(spec(shared)))
                .singleElement()
                .asString()
                .contains("'root' is SHARED")
                .contains("Make it MIRRORED");
        assertThat(SpecCheck.illegal(spec(ROOT))).isEmpty();
        var neither = new DiskSpec("root", DiskKind.MIRRORED, Optional.empty(), "raw", 0);
        assertThat(SpecCheck.illegal(spec(neither)))
                .singleElement()
                .asString()
                .contains("neither an image nor a size");
    }

    @Test
    void aLegIsMadeOnceAndStays() throws IOException {
        var legs = new LegFiles(settings(dir, dir));
        legs.makeReady(spec(ROOT));
        var leg = dir.resolve("legs/web/root.raw");
        assertThat(leg).hasSize(1024 * 1024);
        Files.writeString(leg, "what the guest wrote");
        legs.makeReady(spec(ROOT));
        assertThat(leg).hasContent("what the guest wrote");
        legs.sweep();
        assertThat(leg).exists();
    }

    @Test
    void aLegWhoseNewestBytesAreGoneIsNotStarted() throws IOException {
        var legs = new LegFiles(settings(dir, dir));
        legs.makeReady(spec(ROOT));
        legs.overlaid(SECONDARY.vm(), SECONDARY.epoch(), List.of("root"));
        assertThatThrownBy(() -> legs.makeReady(spec(ROOT)))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("root.active.e8.qcow2")
                .hasMessageContaining("Bring the file back");
    }

    @Test
    void overlaysThatAreThePartOfADiskAreNotDiscarded() throws IOException {
        var legs = new LegFiles(settings(dir, dir));
        legs.makeReady(spec(ROOT));
        var active = legs.active(SECONDARY.vm(), ROOT, SECONDARY.epoch());
        Files.createFile(active);
        legs.overlaid(SECONDARY.vm(), SECONDARY.epoch(), List.of("root"));
        legs.discard(spec(ROOT), SECONDARY.epoch());
        legs.sweep();
        assertThat(active).exists();
        legs.writtenBack(SECONDARY.vm(), SECONDARY.epoch(), ROOT);
        legs.discard(spec(ROOT), SECONDARY.epoch());
        assertThat(active).doesNotExist();
        legs.makeReady(spec(ROOT));
    }

    @Test
    void aDiskThatIsWrittenBackStaysSoWhileAnotherIsNot() throws IOException {
        var data = new DiskSpec("data", DiskKind.MIRRORED, Optional.empty(), "raw", 1);
        var legs = new LegFiles(settings(dir, dir));
        legs.makeReady(spec(ROOT));
        legs.makeReady(spec(data));
        var vm = SECONDARY.vm();
        var epoch = SECONDARY.epoch();
        assertThat(legs.overlaid(vm, epoch, List.of("root", "data")))
                .containsExactlyInAnyOrder("root", "data");
        legs.writtenBack(vm, epoch, ROOT);
        // The takeover is repeated, by a later process of the node.
        legs = new LegFiles(settings(dir, dir));
        assertThat(legs.overlaid(vm, epoch, List.of("data"))).containsExactly("data");
        assertThat(legs.overlaid(vm, epoch, List.of())).containsExactly("data");
        // Not even looked for: the guest has written over what they held.
        legs.makeReady(spec(ROOT));
    }

    @Test
    void aSecondInLockstepDoesNotUndoTheMarkOfItsTakeover() throws IOException {
        var legs = new LegFiles(settings(dir, dir));
        legs.makeReady(spec(ROOT));
        legs.overlaid(SECONDARY.vm(), SECONDARY.epoch(), List.of("root"));
        legs.filled(SECONDARY.vm(), SECONDARY.epoch());
        assertThat(legs.overlaid(SECONDARY.vm(), SECONDARY.epoch(), List.of()))
                .containsExactly("root");
    }

    @Test
    void aFolderThatIsNoVmsKeepsNoServerFromBeingClean() throws IOException {
        var legs = new LegFiles(settings(dir, dir));
        legs.makeReady(spec(ROOT));
        var left = Files.createFile(dir.resolve("legs/web/root.active.e7.qcow2"));
        var copied = Files.createDirectories(dir.resolve("legs/web.bak"));
        var theirs = Files.createFile(copied.resolve("root.active.e7.qcow2"));
        Files.createDirectories(dir.resolve("legs/lost+found"));
        var unread = Files.createDirectories(dir.resolve("legs/db"));
        Files.writeString(unread.resolve("mark.json"), "{");
        var perhaps = Files.createFile(unread.resolve("root.active.e7.qcow2"));
        legs.sweep();
        assertThat(left).doesNotExist();
        assertThat(theirs).exists();
        assertThat(perhaps).exists();
    }

    @Test
    void anIpv6AddressIsBracketedWhereAPortFollows() {
        assertThat(PairCommand.migrationUri("fd00::1", 4711)).isEqualTo("tcp:[fd00::1]:4711");
        assertThat(PairCommand.migrationUri("10.0.0.2", 0)).isEqualTo("tcp:10.0.0.2:0");
    }

    @Test
    void aDiskIsWrittenBackWhenNothingButItsLegIsBelow() {
        var pivoted = Map.of("childs0", Map.of("file", "parent0"));
        var before = Map.of("childs0", Map.of("file", "#block1", "secondary", "parent0"));
        assertThat(PairQmp.isWrittenBack(pivoted, 0)).isTrue();
        assertThat(PairQmp.isWrittenBack(Map.of(), 0)).isTrue();
        assertThat(PairQmp.isWrittenBack(before, 0)).isFalse();
    }
}
