/** What the HTTP endpoint talks to. */
@NullMarked
package dev.belay.admin;

import org.jspecify.annotations.NullMarked;
