/** Measurements on real processes, and the processes that they are taken on. */
@NullMarked
package dev.belay.bench;

import org.jspecify.annotations.NullMarked;
