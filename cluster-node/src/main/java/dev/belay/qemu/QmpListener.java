package dev.belay.qemu;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Hears what a QMP server says unasked. Called by the connection's only reader, in order of
 * arrival: a slow listener delays replies, one that waits for a reply never gets it.
 */
public interface QmpListener {
    void onEvent(String name, JsonNode data);

    /** The connection is gone, for whatever reason. Called once, after the last event. */
    void onClose(String why);
}
