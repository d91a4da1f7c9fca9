package dev.belay.decision;

import java.util.Optional;

/**
 * What a server runs VMs with, as its node found it.
 *
 * @param version as QEMU tells it, {@code 11.1.3} say
 * @param machine the versioned machine type that a VM gets which starts there
 * @param accelerator what runs a guest's code there, {@code kvm} say
 * @param cpu the model that a guest sees; where that is the server's own, its name too
 * @param unproven why no VM may run in lockstep with it, in a clause; empty: it was seen to do so
 */
public record Qemu(
        String version,
        String machine,
        String accelerator,
        String cpu,
        Optional<String> unproven) {}
