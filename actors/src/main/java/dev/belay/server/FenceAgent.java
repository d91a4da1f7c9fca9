package dev.belay.server;

import dev.belay.model.ServerName;
import java.util.concurrent.CompletableFuture;

/** Switches servers off for good: an IPMI board, a switched power strip, a hypervisor below. */
public interface FenceAgent {
    /**
     * @param off it was switched off and then seen off; anything less is no proof (safety.md 15)
     */
    record Result(boolean off, String detail) {}

    /** Whether there is an agent for this server at all. */
    boolean handles(ServerName server);

    /**
     * Bounded in time; ends with a result in any case, unless it is cancelled: then whatever was
     * not done yet is not done any more.
     */
    CompletableFuture<Result> off(ServerName server);
}
