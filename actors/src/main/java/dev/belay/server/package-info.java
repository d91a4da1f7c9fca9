/** The server's entity and the actor on each server that carries orders out. */
@NullMarked
package dev.belay.server;

import org.jspecify.annotations.NullMarked;
