package dev.belay.lab;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * A VM of the small test guest: it answers on port 9 once it is up and echoes lines on port 7.
 *
 * @param level {@code RESTART} or {@code SYSTEM}
 * @param boots false: QEMU starts with nothing to boot, and costs next to nothing
 * @param await how long to wait till the guest answers; zero: do not wait
 */
public record TestVm(
        String name,
        String level,
        int memoryMib,
        Disk disk,
        boolean boots,
        java.time.Duration await) {
    private static final int DISK_MIB = 64;
    private static final java.time.Duration PATIENCE = java.time.Duration.ofSeconds(60);

    /** What the guest finds as its disk. */
    public enum Disk {
        /** A file that all servers see. */
        SHARED,
        /** An empty disk at each start. */
        EPHEMERAL,
        /** A file on each server that it runs on, kept alike in lockstep. */
        MIRRORED,
        NONE
    }

    public TestVm {
        LabPlan.checkedVmName(name);
        level = level.toUpperCase(Locale.ROOT);
    }

    /** Level RESTART, 128 MiB, an empty disk; waited for up to a minute. */
    public static TestVm of(String name) {
        return new TestVm(name, "RESTART", 128, Disk.EPHEMERAL, true, PATIENCE);
    }

    public TestVm withLevel(String newLevel) {
        return new TestVm(name, newLevel, memoryMib, disk, boots, await);
    }

    public TestVm withMemoryMib(int newMemory) {
        return new TestVm(name, level, newMemory, disk, boots, await);
    }

    public TestVm withDisk(Disk newDisk) {
        return new TestVm(name, level, memoryMib, newDisk, boots, await);
    }

    /** Without a guest: for when it matters only that QEMU runs. Nobody is waited for. */
    public TestVm withoutGuest() {
        return new TestVm(name, level, memoryMib, disk, false, java.time.Duration.ZERO);
    }

    public TestVm withAwait(java.time.Duration newAwait) {
        return new TestVm(name, level, memoryMib, disk, boots, newAwait);
    }

    /** The request that creates it, in the words of the API. */
    ObjectNode spec(LabState lab, String address, Path sharedFolder) {
        var spec = LabStore.JSON.createObjectNode();
        spec.put("name", name);
        spec.put("cpus", 1);
        spec.put("memoryMiB", memoryMib);
        spec.put("level", level);
        if (boots) {
            boot(spec, lab, address);
        }
        var disks = spec.putArray("disks");
        switch (disk) {
            case NONE -> {}
            case EPHEMERAL ->
                    disks.addObject()
                            .put("name", "data")
                            .put("kind", "ephemeral")
                            .put("format", "raw")
                            .put("sizeMiB", DISK_MIB);
            case MIRRORED ->
                    disks.addObject()
                            .put("name", "data")
                            .put("kind", "mirrored")
                            .put("sizeMiB", DISK_MIB);
            case SHARED ->
                    disks.addObject()
                            .put("name", "data")
                            .put("kind", "shared")
                            .put("path", file(sharedFolder).toString())
                            .put("format", "raw");
        }
        spec.putArray("nics").addObject().put("bridge", "br0").put("address", address);
        spec.put("priority", 100);
        return spec;
    }

    /**
     * {@code no_timer_check}: an emulated guest on a busy machine gets too little of a processor,
     * while its kernel tries the timer, to hear it; it then ends with "IO-APIC + timer doesn't
     * work".
     */
    private void boot(ObjectNode spec, LabState lab, String address) {
        spec.put("kernel", image(lab, "BELAY_GUEST_KERNEL"));
        spec.put("initrd", image(lab, "BELAY_GUEST_INITRD"));
        spec.put(
                "commandLine",
                "console=ttyS0 quiet panic=-1 no_timer_check tsc=unstable sysctl.net.ipv4.tcp_syncookies=2"
                        + " belay.name="
                        + name
                        + " belay.ip="
                        + address
                        + "/24 belay.gw="
                        + LabPlan.gateway(lab.number()));
    }

    /** Makes the file of a shared disk, all of its blocks allocated, unless it is there. */
    void makeDisk(Path sharedFolder) {
        if (disk != Disk.SHARED || Files.exists(file(sharedFolder))) {
            return;
        }
        try {
            Files.createDirectories(sharedFolder);
            var mebibyte = new byte[1 << 20];
            try (var out = Files.newOutputStream(file(sharedFolder))) {
                for (int i = 0; i < DISK_MIB; i++) {
                    out.write(mebibyte);
                }
            }
        } catch (IOException e) {
            throw new LabException("cannot make the disk of " + name + ": " + e.getMessage(), e);
        }
    }

    private Path file(Path sharedFolder) {
        return sharedFolder.resolve(name + "-data.img");
    }

    private static String image(LabState lab, String variable) {
        var given = System.getenv(variable);
        var path = given == null || given.isBlank() ? lab.environment().get(variable) : given;
        if (path == null || path.isBlank()) {
            throw new LabException(
                    variable
                            + " is not set: it names a file of the test guest (`./belay lab` sets"
                            + " it)");
        }
        if (!Files.isReadable(Path.of(path))) {
            throw new LabException(variable + " names no readable file: " + path);
        }
        return path;
    }
}
