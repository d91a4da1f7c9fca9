/**
 * Plain values that every part speaks: names, epochs, specs, levels. No behaviour beyond
 * validation.
 */
@NullMarked
package dev.belay.model;

import org.jspecify.annotations.NullMarked;
