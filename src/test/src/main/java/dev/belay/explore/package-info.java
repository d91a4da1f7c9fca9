/**
 * Searches the shipped decisions for a way to break them: {@code docs/explorer.md}. The cores are
 * the ones that the nodes run; journal, network, servers and their processes are modelled.
 */
@NullMarked
package dev.belay.explore;

import org.jspecify.annotations.NullMarked;
