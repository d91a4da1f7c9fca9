/** Tests of the test helpers. */
@NullMarked
package dev.belay.persistence.kryo.testing;

import org.jspecify.annotations.NullMarked;
