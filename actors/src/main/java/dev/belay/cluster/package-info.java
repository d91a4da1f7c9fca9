/** Membership, arbiter placement, lease and journal ports. */
@NullMarked
package dev.belay.cluster;

import org.jspecify.annotations.NullMarked;
