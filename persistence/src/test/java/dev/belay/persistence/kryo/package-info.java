/** Tests of the bytes of events and messages. */
@NullMarked
package dev.belay.persistence.kryo;

import org.jspecify.annotations.NullMarked;
