/** Failures of real nodes with real guests: one class for each thing that can break. */
@NullMarked
package dev.belay.system;

import org.jspecify.annotations.NullMarked;
