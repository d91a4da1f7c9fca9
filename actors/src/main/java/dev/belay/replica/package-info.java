/** What runs a replica: the Hypervisor port and the actor that drives it. */
@NullMarked
package dev.belay.replica;

import org.jspecify.annotations.NullMarked;
