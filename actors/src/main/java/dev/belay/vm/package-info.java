/** The VM's entity: the event-sourced shell around the VM's decisions. */
@NullMarked
package dev.belay.vm;

import org.jspecify.annotations.NullMarked;
