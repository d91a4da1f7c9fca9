package dev.belay.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.belay.http.Fields.Element;
import dev.belay.http.SpecParser.Fault;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.KernelBoot;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.Placement;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;

/** The rules of a VM's specification, field by field. */
final class SpecReader {
    private static final int MOST_CPUS = 64;
    private static final int LEAST_MEMORY_MIB = 16;
    private static final int MOST_MEMORY_MIB = 4 * 1024 * 1024;
    private static final int MOST_DISK_MIB = 64 * 1024 * 1024;
    private static final int LONGEST_PATH = 1024;
    private static final int LEAST_BUDGET_MILLIS = 50;
    private static final int MOST_BUDGET_MILLIS = 10_000;
    private static final String PATH_FORM =
            "an absolute path on the server, like /srv/vms/web.qcow2";
    private static final Pattern DISK_NAME = Pattern.compile("[a-zA-Z][a-zA-Z0-9-]{0,30}");
    private static final Pattern BRIDGE = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}");

    private final List<Fault> faults = new ArrayList<>();
    private final Fields vm;

    private SpecReader(JsonNode node) {
        vm = new Fields(node, "", faults);
    }

    static SpecParser.Result read(JsonNode node) {
        var reader = new SpecReader(node);
        var spec = reader.spec();
        return reader.faults.isEmpty()
                ? new SpecParser.Parsed(spec)
                : new SpecParser.Invalid(reader.faults);
    }

    private VmSpec spec() {
        var name = name();
        int cpus = vm.number("cpus", 1, MOST_CPUS, Optional.of(1));
        int memory = vm.number("memoryMiB", LEAST_MEMORY_MIB, MOST_MEMORY_MIB, Optional.empty());
        var level = vm.choice("level", Choice.LEVEL).orElse(Level.RESTART);
        int priority = vm.number("priority", 0, 1000, Optional.of(100));
        var placement = vm.object("placement").map(this::placement).orElse(Placement.ANYWHERE);
        var boot = boot();
        var disks = vm.list("disks", 16, this::disk);
        unique("disks", disks.stream().map(DiskSpec::name).toList());
        if (disks.isEmpty() && !vm.has("kernel") && !vm.faulty("kernel") && !vm.faulty("disks")) {
            vm.fault(
                    "disks",
                    "expected at least one, because there is no kernel: a VM boots from its first disk, or from kernel and initrd");
        }
        var nics = vm.list("nics", 8, element -> nic(element, name));
        unique("nics", nics.stream().map(NicSpec::mac).toList());
        var budget = latencyBudget();
        vm.refuseOthers();
        return new VmSpec(name, cpus, memory, boot, disks, nics, level, placement, priority)
                .withLatencyBudget(budget);
    }

    private Optional<Integer> latencyBudget() {
        var field = "latencyBudgetMillis";
        int millis = vm.number(field, LEAST_BUDGET_MILLIS, MOST_BUDGET_MILLIS, Optional.of(0));
        return Optional.of(millis).filter(_ -> vm.has(field));
    }

    private VmName name() {
        var text =
                vm.required(
                        "name",
                        vm.text("name", 200),
                        "1 to 40 characters a-z, 0-9 or '-' that start with a letter");
        return legal(vm, "name", text, VmName::new).orElse(new VmName("unnamed"));
    }

    private Placement placement(Fields fields) {
        var placement =
                new Placement(
                        servers(fields, "only"),
                        servers(fields, "prefer"),
                        servers(fields, "avoid"));
        fields.refuseOthers();
        return placement;
    }

    private static List<ServerName> servers(Fields fields, String field) {
        return fields.list(
                field,
                100,
                element -> {
                    if (element.node().isTextual()) {
                        return legal(
                                fields, element.field(), element.node().asText(), ServerName::new);
                    }
                    fields.fault(
                            element.field(),
                            "expected a server's name, but got " + SpecParser.kind(element.node()));
                    return Optional.empty();
                });
    }

    private Optional<KernelBoot> boot() {
        var kernel = path(vm, "kernel");
        var initrd = path(vm, "initrd");
        var commandLine = vm.text("commandLine", 2000);
        if (!vm.has("kernel")) {
            if (vm.has("initrd") || vm.has("commandLine")) {
                vm.fault("kernel", "missing; initrd and commandLine mean nothing without it");
            }
            return Optional.empty();
        }
        if (!vm.has("initrd")) {
            vm.fault("initrd", "missing; a kernel needs one, as " + PATH_FORM);
        }
        return kernel.flatMap(k -> initrd.map(i -> new KernelBoot(k, i, commandLine.orElse(""))));
    }

    private Optional<DiskSpec> disk(Element element) {
        return vm.object(element).map(SpecReader::disk);
    }

    private static DiskSpec disk(Fields disk) {
        var nameForm = "1 to 31 letters, digits or '-' that start with a letter";
        var name =
                disk.required(
                        "name",
                        disk.text("name", 200, nameForm, text -> DISK_NAME.matcher(text).matches()),
                        nameForm);
        var given = disk.choice("kind", Choice.DISK_KIND);
        if (!disk.has("kind")) {
            disk.fault("kind", "missing; expected " + Choice.DISK_KIND.expected());
        }
        var kind = given.orElse(DiskKind.SHARED);
        var path = path(disk, "path");
        var image = path(disk, "image");
        if (disk.has("path") && disk.has("image")) {
            disk.fault("image", "expected either path or image, but both are there");
        }
        boolean file = disk.has("path") || disk.has("image");
        if (kind == DiskKind.MIRRORED && disk.has("path")) {
            disk.fault(
                    "path",
                    "not for a mirrored disk: Belay keeps its bytes in each server's data folder; give image, what it begins as, or sizeMiB");
        }
        if (!file && given.isPresent() && !kind.isMade()) {
            disk.fault("path", "missing; a %s disk needs %s".formatted(word(kind), PATH_FORM));
        }
        var size = size(disk, kind, file);
        var where = path.or(() -> image);
        var format = format(disk, where);
        disk.refuseOthers();
        return new DiskSpec(name, kind, where, format, size);
    }

    private static int size(Fields disk, DiskKind kind, boolean file) {
        int size = disk.number("sizeMiB", 0, MOST_DISK_MIB, Optional.of(0));
        if (kind.isMade() && !file && size == 0 && !disk.faulty("sizeMiB")) {
            disk.fault(
                    "sizeMiB",
                    "missing; %s %s disk without image needs its size, 1 to %d"
                            .formatted(
                                    kind == DiskKind.EPHEMERAL ? "an" : "a",
                                    word(kind),
                                    MOST_DISK_MIB));
        }
        if (size > 0 && file) {
            disk.fault(
                    "sizeMiB",
                    "allowed only for an ephemeral or mirrored disk without image; this one is as large as its file");
        }
        return size;
    }

    /**
     * Never guessed from the content: a guest could write a header that makes its raw disk look
     * like qcow2.
     */
    private static String format(Fields disk, Optional<String> file) {
        var form = "raw or qcow2";
        var given =
                disk.text(
                        "format",
                        100,
                        form,
                        text -> text.equalsIgnoreCase("raw") || text.equalsIgnoreCase("qcow2"));
        if (given.isPresent()) {
            return given.get().toLowerCase(Locale.ROOT);
        }
        if (file.isEmpty() || disk.has("format")) {
            return "raw";
        }
        var name = file.get();
        if (name.endsWith(".qcow2")) {
            return "qcow2";
        }
        boolean raw =
                name.startsWith("/dev/")
                        || List.of(".raw", ".img", ".iso").stream().anyMatch(name::endsWith);
        if (!raw) {
            disk.fault(
                    "format",
                    "missing; expected %s, because the ending of '%s' does not tell (.qcow2, .raw, .img and .iso do)"
                            .formatted(form, Fields.shown(name)));
        }
        return "raw";
    }

    private Optional<NicSpec> nic(Element element, VmName name) {
        return vm.object(element)
                .map(nic -> {
                    var form =
                            "the name of a network bridge on the server, at most 15 letters, digits, '-', '_' or '.'";
                    var bridge =
                            nic.required(
                                    "bridge",
                                    nic.text(
                                            "bridge",
                                            200,
                                            form,
                                            text -> BRIDGE.matcher(text).matches()),
                                    form);
                    var mac =
                            nic.text("mac", 100, Addresses.MAC_FORM, Addresses::isMac)
                                    .map(text -> text.toLowerCase(Locale.ROOT))
                                    .orElseGet(() -> Addresses.mac(name, element.index()));
                    var address =
                            nic.text(
                                    "address",
                                    100,
                                    "an IP address like 192.0.2.7 or 2001:db8::7",
                                    Addresses::isIp);
                    nic.refuseOthers();
                    return new NicSpec(bridge, mac, address);
                });
    }

    private void unique(String field, List<String> keys) {
        var seen = new HashSet<String>();
        for (int i = 0; i < keys.size(); i++) {
            if (!keys.get(i).isEmpty() && !seen.add(keys.get(i))) {
                vm.fault(
                        "%s[%d].%s".formatted(field, i, field.equals("disks") ? "name" : "mac"),
                        "expected it to be unique in the VM, but '%s' is there twice"
                                .formatted(keys.get(i)));
            }
        }
    }

    private static Optional<String> path(Fields fields, String field) {
        return fields.text(
                field,
                LONGEST_PATH,
                PATH_FORM,
                text -> text.startsWith("/") && !text.endsWith("/"));
    }

    private static <T> Optional<T> legal(
            Fields fields, String field, String text, Function<String, T> make) {
        if (text.isEmpty() && !field.contains("[")) {
            // The fault was told when it was read.
            return Optional.empty();
        }
        try {
            return Optional.of(make.apply(text));
        } catch (IllegalArgumentException e) {
            var why = Faults.told(e);
            fields.fault(field, Character.toLowerCase(why.charAt(0)) + why.substring(1));
            return Optional.empty();
        }
    }

    private static String word(DiskKind kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }
}
