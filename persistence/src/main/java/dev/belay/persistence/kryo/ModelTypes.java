package dev.belay.persistence.kryo;

import dev.belay.model.Desired;
import dev.belay.model.DiskKind;
import dev.belay.model.DiskSpec;
import dev.belay.model.Epoch;
import dev.belay.model.Incarnation;
import dev.belay.model.KernelBoot;
import dev.belay.model.LeaseTerms;
import dev.belay.model.Level;
import dev.belay.model.NicSpec;
import dev.belay.model.PairAddress;
import dev.belay.model.Placement;
import dev.belay.model.RunRight;
import dev.belay.model.ServerName;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;

/** The values of {@code dev.belay.model}, parts of events and messages: ids 100 to 199. */
public final class ModelTypes implements KryoTypes {
    @Override
    public void register(Registry registry) {
        registry.part(100, VmName.class);
        registry.part(101, ServerName.class);
        registry.part(102, Epoch.class);
        registry.part(103, Incarnation.class);
        registry.part(104, RunRight.class);
        registry.part(105, VmSpec.class);
        registry.part(106, DiskSpec.class);
        registry.part(107, NicSpec.class);
        registry.part(108, KernelBoot.class);
        registry.part(109, Placement.class);
        registry.part(110, Level.class);
        registry.part(111, Desired.class);
        registry.part(112, DiskKind.class);
        registry.part(113, PairAddress.class);
        registry.part(114, PairAddress.NicPorts.class);
        registry.part(115, LeaseTerms.class);
    }
}
