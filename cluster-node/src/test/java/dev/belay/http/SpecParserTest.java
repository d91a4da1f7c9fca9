package dev.belay.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.http.SpecParser.Fault;
import dev.belay.http.SpecParser.Invalid;
import dev.belay.http.SpecParser.Parsed;
import dev.belay.http.SpecParser.Syntax;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.KernelBoot;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.Placement;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpecParserTest {
    @Test
    void everyFieldIsRead() {
        var spec =
                parsed(
                        """
                        name: web
                        cpus: 2
                        memoryMiB: 512
                        level: Restart
                        priority: 900
                        latencyBudgetMillis: 250
                        placement: {only: [alpha, beta], prefer: [beta], avoid: []}
                        kernel: /boot/vmlinuz
                        initrd: /boot/initrd
                        commandLine: console=ttyS0
                        disks:
                          - {name: root, kind: SHARED, path: /srv/root.img}
                          - {name: tmp, kind: ephemeral, image: /srv/base.qcow2}
                          - {name: scratch, kind: ephemeral, sizeMiB: 64}
                          - {name: data, kind: local, path: /dev/vg/data}
                          - {name: odd, kind: local, path: /srv/odd, format: QCOW2}
                        nics:
                          - {bridge: br0, mac: "52:54:00:AB:CD:EF", address: 192.0.2.7}
                          - {bridge: br1, address: "2001:db8::7"}
                        """);

        assertThat(spec)
                .isEqualTo(
                        new VmSpec(
                                new VmName("web"),
                                2,
                                512,
                                Optional.of(
                                        new KernelBoot(
                                                "/boot/vmlinuz", "/boot/initrd", "console=ttyS0")),
                                List.of(
                                        new DiskSpec(
                                                "root",
                                                DiskKind.SHARED,
                                                Optional.of("/srv/root.img"),
                                                "raw",
                                                0),
                                        new DiskSpec(
                                                "tmp",
                                                DiskKind.EPHEMERAL,
                                                Optional.of("/srv/base.qcow2"),
                                                "qcow2",
                                                0),
                                        new DiskSpec(
                                                "scratch",
                                                DiskKind.EPHEMERAL,
                                                Optional.empty(),
                                                "raw",
                                                64),
                                        new DiskSpec(
                                                "data",
                                                DiskKind.LOCAL,
                                                Optional.of("/dev/vg/data"),
                                                "raw",
                                                0),
                                        new DiskSpec(
                                                "odd",
                                                DiskKind.LOCAL,
                                                Optional.of("/srv/odd"),
                                                "qcow2",
                                                0)),
                                List.of(
                                        new NicSpec(
                                                "br0",
                                                "52:54:00:ab:cd:ef",
                                                Optional.of("192.0.2.7")),
                                        new NicSpec(
                                                "br1",
                                                Addresses.mac(new VmName("web"), 1),
                                                Optional.of("2001:db8::7"))),
                                Level.RESTART,
                                new Placement(
                                        List.of(new ServerName("alpha"), new ServerName("beta")),
                                        List.of(new ServerName("beta")),
                                        List.of()),
                                900,
                                Optional.of(250)));
    }

    @Test
    void whatIsLeftAwayHasADefault() {
        var spec =
                parsed(
                        "{name: web, memoryMiB: 128, kernel: /k, initrd: /i, nics: [{bridge: br0}, {bridge: br0}]}");

        assertThat(spec.cpus()).isEqualTo(1);
        assertThat(spec.level()).isEqualTo(Level.RESTART);
        assertThat(spec.priority()).isEqualTo(100);
        assertThat(spec.placement()).isEqualTo(Placement.ANYWHERE);
        assertThat(spec.nics())
                .extracting(NicSpec::mac)
                .doesNotHaveDuplicates()
                .allMatch(mac -> mac.startsWith("52:54:00:"));
        assertThat(spec.nics())
                .isEqualTo(
                        parsed(
                                        "{name: web, memoryMiB: 64, kernel: /k, initrd: /i, nics: [{bridge: br0}, {bridge: br0}]}")
                                .nics());
    }

    @Test
    void aMacOfDigitsIsNoNumberEvenUnquoted() {
        var spec =
                parsed(
                        "{name: web, memoryMiB: 128, kernel: /k, initrd: /i, nics: [{bridge: br0, mac: 52:54:00:12:34:56}]}");

        assertThat(spec.nics().getFirst().mac()).isEqualTo("52:54:00:12:34:56");
    }

    @Test
    void nullCountsAsAbsent() {
        assertThat(
                        parsed(
                                        "{name: web, memoryMiB: 128, kernel: /k, initrd: /i, commandLine: null, disks: null, cpus: ~}")
                                .cpus())
                .isEqualTo(1);
    }

    @Test
    void allFaultsAreToldAtOnce() {
        assertThat(
                        faults(
                                "{name: Web, memoryMiB: 0, cpus: many, disks: [{kind: floppy}], colour: red}"))
                .extracting(Fault::field)
                .containsExactly(
                        "name", "cpus", "memoryMiB", "disks[0].name", "disks[0].kind", "colour");
    }

    /**
     * Each line: what is put over or into a specification that is right; the field; what is told.
     */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "name: ~ | name | missing",
                "name: Web | name | starts with a letter",
                "name: \"\" | name | 1 to",
                "name: 17 | name | the number 17",
                "name: [] | name | a list",
                "name: a2345678901234567890123456789012345678901 | name | 1 to 40",
                "name: ../etc | name | starts with a letter",
                "memoryMiB: ~ | memoryMiB | missing; expected a whole number from 16",
                "memoryMiB: 0 | memoryMiB | the number 0",
                "memoryMiB: -128 | memoryMiB | the number -128",
                "memoryMiB: 128.5 | memoryMiB | the number 128.5",
                "memoryMiB: \"128\" | memoryMiB | the text '128'",
                "memoryMiB: 99999999999999999999 | memoryMiB | from 16 to",
                "memoryMiB: true | memoryMiB | the value true",
                "cpus: 0 | cpus | from 1 to 64",
                "cpus: -1 | cpus | from 1 to 64",
                "cpus: 65 | cpus | from 1 to 64",
                "level: FULL | level | one of restart, system, but got",
                "level: 1 | level | text",
                "priority: 1001 | priority | from 0 to 1000",
                "latencyBudgetMillis: 1 | latencyBudgetMillis | from 50 to 10000",
                "placement: alpha | placement | an object",
                "placement: {only: alpha} | placement.only | a list",
                "placement: {only: [Alpha!]} | placement.only[0] | server name",
                "placement: {avoid: [\"\"]} | placement.avoid[0] | server name",
                "placement: {never: []} | placement.never | allowed here: only, prefer, avoid",
                "memory: 5 | memory | unknown field; allowed here: name, cpus, memoryMiB",
                "kernel: boot/vmlinuz | kernel | absolute",
                "initrd: ~ | initrd | missing",
                "kernel: ~ | kernel | initrd and commandLine mean nothing",
                "disks: {} | disks | a list",
                "disks: [root] | disks[0] | an object",
                "disks: [{kind: shared, path: /a.img}] | disks[0].name | missing",
                "disks: [{name: 'a b', kind: shared, path: /a.img}] | disks[0].name | letters",
                "disks: [{name: a, path: /a.img}] | disks[0].kind | missing; expected one of shared",
                "disks: [{name: a, kind: nfs, path: /a.img}] | disks[0].kind | one of shared, ephemeral, local",
                "disks: [{name: a, kind: shared}] | disks[0].path | missing; a shared disk needs",
                "disks: [{name: a, kind: local}] | disks[0].path | missing; a local disk needs",
                "disks: [{name: a, kind: ephemeral}] | disks[0].sizeMiB | missing",
                "disks: [{name: a, kind: ephemeral, sizeMiB: -1}] | disks[0].sizeMiB | from 0",
                "disks: [{name: a, kind: shared, path: a.img}] | disks[0].path | absolute",
                "disks: [{name: a, kind: shared, path: /a.img, image: /b.img}] | disks[0].image | either",
                "disks: [{name: a, kind: shared, path: /a.img, sizeMiB: 5}] | disks[0].sizeMiB | only for",
                "disks: [{name: a, kind: shared, path: /a.img, format: vmdk}] | disks[0].format | raw or qcow2",
                "disks: [{name: a, kind: shared, path: /a.vmdk}] | disks[0].format | raw or qcow2",
                "disks: [{name: a, kind: shared, path: /a.img, cache: none}] | disks[0].cache | unknown field",
                "disks: [{name: a, kind: shared, path: /a.img}, {name: a, kind: shared, path: /b.img}] | disks[1].name | unique",
                "nics: [{}] | nics[0].bridge | missing",
                "nics: [{bridge: this-name-is-too-long}] | nics[0].bridge | at most 15",
                "nics: [{bridge: br0, mac: nonsense}] | nics[0].mac | 52:54:00:12:34:56",
                "nics: [{bridge: br0, mac: '53:54:00:12:34:56'}] | nics[0].mac | first pair even",
                "nics: [{bridge: br0, mac: '00:00:00:00:00:00'}] | nics[0].mac | MAC",
                "nics: [{bridge: b, mac: '52:54:00:12:34:56'}, {bridge: b, mac: '52:54:00:12:34:56'}] | nics[1].mac | unique",
                "nics: [{bridge: br0, address: 300.1.1.1}] | nics[0].address | IP address",
                "nics: [{bridge: br0, address: \"10.1\"}] | nics[0].address | IP address",
                "nics: [{bridge: br0, address: web.example}] | nics[0].address | IP address",
                "nics: [{bridge: br0, ip: 10.0.0.1}] | nics[0].ip | unknown field; allowed here: bridge, mac, address",
            })
    void eachFaultNamesItsFieldAndWhatIsAllowed(String line, String field, String why) {
        var base =
                "name: web\nmemoryMiB: 128\nkernel: /k\ninitrd: /i\n"
                        .lines()
                        .filter(l -> !l.startsWith(line.substring(0, line.indexOf(':') + 1)))
                        .toList();

        var faults = faults(String.join("\n", base) + "\n" + line + "\n");

        assertThat(faults).hasSize(1);
        assertThat(faults.getFirst().field()).isEqualTo(field);
        assertThat(faults.getFirst().why()).contains(why);
    }

    @Test
    void aVmNeedsSomethingToBootFrom() {
        assertThat(faults("{name: web, memoryMiB: 128}").getFirst().field()).isEqualTo("disks");
        assertThat(faults("{name: web, memoryMiB: 128, disks: []}").getFirst().field())
                .isEqualTo("disks");
    }

    @Test
    void controlCharactersAreRefusedAndNotRepeated() {
        var result =
                SpecParser.parse(
                        "{\"name\":\"web\",\"memoryMiB\":128,\"kernel\":\"/k\\u0000\\n\",\"initrd\":\"/i\"}",
                        Syntax.JSON);

        assertThat(result)
                .isInstanceOfSatisfying(
                        Invalid.class,
                        invalid ->
                                assertThat(invalid.faults().getFirst().why())
                                        .contains("control characters")
                                        .doesNotContain("\n", "\0"));
    }

    private static VmSpec parsed(String yaml) {
        var result = SpecParser.parse(yaml, Syntax.YAML);
        assertThat(result).isInstanceOf(Parsed.class);
        return ((Parsed) result).spec();
    }

    private static List<Fault> faults(String yaml) {
        var result = SpecParser.parse(yaml, Syntax.YAML);
        assertThat(result).isInstanceOf(Invalid.class);
        return ((Invalid) result).faults();
    }
}
