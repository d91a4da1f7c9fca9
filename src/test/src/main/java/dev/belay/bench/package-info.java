/** What Belay's figures are measured with: {@code belay bench}. */
@NullMarked
package dev.belay.bench;

import org.jspecify.annotations.NullMarked;
