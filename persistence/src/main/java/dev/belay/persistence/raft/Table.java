package dev.belay.persistence.raft;

/** The store's tables. All go from text to bytes, so that one loop exports and imports them. */
enum Table {
    /** applied term and index, newest offset, newest generation. */
    META("meta"),
    /** persistence id, NUL, sequence number → offset in the global order (0: none), event. */
    EVENTS("events"),
    /** offset → key in {@link #EVENTS}. */
    ORDER("order"),
    /** persistence id → highest sequence number ever stored, deleted up to. */
    ENTITIES("entities"),
    /** persistence id, NUL, sequence number → timestamp, snapshot. */
    SNAPSHOTS("snapshots"),
    /** server → newest admitted incarnation, fenced up to. */
    SERVERS("servers"),
    /** node → its process in the formation of the cluster. */
    FORMATION("formation"),
    /** voter → how it stands, see {@link VoterRegister}. */
    VOTERS("voters"),
    /** request id → its answer. */
    REQUESTS("requests"),
    /** Raft index → request id; the oldest are forgotten first. */
    REQUEST_ORDER("request-order");

    private final String title;

    Table(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    /** Numbers in keys sort as text when they have one width. Never negative. */
    static String key(long number) {
        if (number < 0) {
            throw new IllegalArgumentException("Expected a number from 0, but got " + number);
        }
        var digits = Long.toHexString(number);
        return "0".repeat(16 - digits.length()) + digits;
    }

    static long number(String key) {
        return Long.parseLong(key, 16);
    }

    /** The key of one event or snapshot of an entity; NUL is in no persistence id. */
    static String key(String persistenceId, long number) {
        return persistenceId + '\0' + key(number);
    }

    static long sequenceNr(String key) {
        return number(key.substring(key.length() - 16));
    }
}
