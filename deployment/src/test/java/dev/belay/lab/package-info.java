@NullMarked
package dev.belay.lab;

import org.jspecify.annotations.NullMarked;
