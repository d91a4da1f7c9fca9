/**
 * The pure cores: what happened goes in, events and actions come out. JDK only; no clock, no dice,
 * no I/O.
 */
@NullMarked
package dev.belay.decision;

import org.jspecify.annotations.NullMarked;
