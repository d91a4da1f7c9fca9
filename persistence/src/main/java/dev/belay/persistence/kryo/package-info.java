/**
 * Bytes of events and messages: Kryo with explicit registration, for Pekko's serialization. What is
 * not registered is refused, in both directions.
 */
@NullMarked
package dev.belay.persistence.kryo;

import org.jspecify.annotations.NullMarked;
