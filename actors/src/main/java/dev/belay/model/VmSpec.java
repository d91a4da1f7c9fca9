package dev.belay.model;

import java.util.List;
import java.util.Optional;

/**
 * What the user asks for. Everything but the level is fixed while the VM exists.
 *
 * @param memoryMiB guest memory in MiB
 * @param priority 0 to 1000; the higher comes first when there is not room for all
 * @param latencyBudgetMillis how long what the guest says in lockstep may be held back at most for
 *     the next checkpoint; empty: as its servers are configured
 */
public record VmSpec(
        VmName name,
        int cpus,
        int memoryMiB,
        Optional<KernelBoot> boot,
        List<DiskSpec> disks,
        List<NicSpec> nics,
        Level level,
        Placement placement,
        int priority,
        Optional<Integer> latencyBudgetMillis) {
    public VmSpec {
        disks = List.copyOf(disks);
        nics = List.copyOf(nics);
    }

    /** Without a budget of its own. */
    public VmSpec(
            VmName name,
            int cpus,
            int memoryMiB,
            Optional<KernelBoot> boot,
            List<DiskSpec> disks,
            List<NicSpec> nics,
            Level level,
            Placement placement,
            int priority) {
        this(
                name,
                cpus,
                memoryMiB,
                boot,
                disks,
                nics,
                level,
                placement,
                priority,
                Optional.empty());
    }

    public VmSpec at(Level other) {
        return new VmSpec(
                name,
                cpus,
                memoryMiB,
                boot,
                disks,
                nics,
                other,
                placement,
                priority,
                latencyBudgetMillis);
    }

    public VmSpec withLatencyBudget(Optional<Integer> millis) {
        return new VmSpec(
                name, cpus, memoryMiB, boot, disks, nics, level, placement, priority, millis);
    }

    /** It has a disk of which each server that it runs on has a copy of its own. */
    public boolean isMirrored() {
        return disks.stream().anyMatch(disk -> disk.kind() == DiskKind.MIRRORED);
    }

    /** The address that the user gave the first card that has one. */
    public Optional<String> address() {
        return nics.stream().flatMap(nic -> nic.address().stream()).findFirst();
    }

    /** A local disk exists on one server only. */
    public boolean isPinned() {
        return disks.stream().anyMatch(disk -> disk.kind() == DiskKind.LOCAL);
    }
}
