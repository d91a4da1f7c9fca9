/** What every event-sourced entity does around its decisions. */
@NullMarked
package dev.belay.entity;

import org.jspecify.annotations.NullMarked;
