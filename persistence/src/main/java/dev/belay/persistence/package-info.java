/** The journal: a Pekko Persistence plugin that a quorum replicates. */
@NullMarked
package dev.belay.persistence;

import org.jspecify.annotations.NullMarked;
