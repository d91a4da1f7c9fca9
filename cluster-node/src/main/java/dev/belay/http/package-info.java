/**
 * The admin endpoint of one node: HTTP in front of {@link dev.belay.admin.Admin}. No rule about VMs
 * lives here.
 */
@NullMarked
package dev.belay.http;

import org.jspecify.annotations.NullMarked;
