/**
 * Runs replicas with QEMU: one storage daemon and one QEMU per replica, each under a leash of its
 * own. {@link QemuHypervisor} is the way in.
 */
@NullMarked
package dev.belay.qemu;

import org.jspecify.annotations.NullMarked;
