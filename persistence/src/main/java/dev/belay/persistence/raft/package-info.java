/**
 * The journal: a state machine that a quorum of voters replicates by Raft, kept on disk, and the
 * Pekko Persistence plugin on top of it.
 */
@NullMarked
package dev.belay.persistence.raft;

import org.jspecify.annotations.NullMarked;
