/** The entity of the cluster as a whole: whether Belay moves VMs by itself. */
@NullMarked
package dev.belay.calm;

import org.jspecify.annotations.NullMarked;
