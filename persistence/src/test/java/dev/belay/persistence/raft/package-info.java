/** Tests of the replicated journal. */
@NullMarked
package dev.belay.persistence.raft;

import org.jspecify.annotations.NullMarked;
