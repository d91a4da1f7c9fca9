/** A cluster of real nodes on one machine, one network namespace each. */
@NullMarked
package dev.belay.lab;

import org.jspecify.annotations.NullMarked;
