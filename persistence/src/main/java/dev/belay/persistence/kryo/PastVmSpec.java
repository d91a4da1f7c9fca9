package dev.belay.persistence.kryo;

import dev.belay.model.DiskSpec;
import dev.belay.model.KernelBoot;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.Placement;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import java.util.List;
import java.util.Optional;

/** What a user asked for before a VM could have a budget of its own for what lockstep costs. */
record PastVmSpec(
        VmName name,
        int cpus,
        int memoryMiB,
        Optional<KernelBoot> boot,
        List<DiskSpec> disks,
        List<NicSpec> nics,
        Level level,
        Placement placement,
        int priority) {
    static final PastPart<VmSpec, PastVmSpec> PART =
            new PastPart<>(VmSpec.class, PastVmSpec.class, PastVmSpec::present);

    private VmSpec present() {
        return new VmSpec(name, cpus, memoryMiB, boot, disks, nics, level, placement, priority);
    }
}
