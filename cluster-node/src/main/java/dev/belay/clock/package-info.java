/** The clock that leases are counted on. */
@NullMarked
package dev.belay.clock;

import org.jspecify.annotations.NullMarked;
