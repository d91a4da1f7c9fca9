package dev.belay.model;

import java.util.Optional;

/**
 * One network card.
 *
 * @param bridge the server's bridge that the card's tap joins
 * @param mac like {@code 52:54:00:12:34:56}
 * @param address the guest's IP address, as the user tells it; shown, not configured
 */
public record NicSpec(String bridge, String mac, Optional<String> address) {}
