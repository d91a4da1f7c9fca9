/** For tests of stored types, in any module. */
@NullMarked
package dev.belay.persistence.kryo.testing;

import org.jspecify.annotations.NullMarked;
