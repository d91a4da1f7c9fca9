/** One node: its main program and configuration. */
@NullMarked
package dev.belay.node;

import org.jspecify.annotations.NullMarked;
