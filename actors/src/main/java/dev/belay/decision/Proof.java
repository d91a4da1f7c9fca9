package dev.belay.decision;

import java.time.Instant;

/** Why we know that an incarnation of a server runs nothing any more. */
public record Proof(Kind kind, String detail, Instant at) {
    public enum Kind {
        /** Its lease ran out, waited for after the fencing was committed (safety.md 13). */
        LEASE,
        /** A fence agent switched it off and then saw it off (safety.md 15). */
        AGENT,
        /** The server came back with another boot: nothing survives a reboot. */
        REBOOTED,
        /** The server itself killed everything of that incarnation and said so. */
        CLEANED,
        /** A person saw it off after its lease had been waited out; trusted as an agent is. */
        PERSON
    }
}
