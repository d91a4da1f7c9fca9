/**
 * The command line: a client of the API like any other. It knows nothing that the API does not
 * tell.
 */
@NullMarked
package dev.belay.cli;

import org.jspecify.annotations.NullMarked;
