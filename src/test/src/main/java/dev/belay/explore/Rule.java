package dev.belay.explore;

/**
 * What keeps two copies of a VM from being active, and can be taken away to see what then happens.
 * Where a rule lives in a decision it is not switched there: what is around the decision stops
 * doing its part.
 */
public enum Rule {
    /** The journal stores an event whose sequence number is taken. */
    TEST_AND_SET("1, 4"),
    /** Actions go out before the journal has stored what they follow from. */
    STORE_FIRST("4"),
    /** The journal checks no guards across persistence ids. */
    GUARDS("3"),
    /** A start that failed is called cleared away although nothing was ended. */
    CLEAR_FAILED_STARTS("6"),
    /** An end that could not be carried out is called done. */
    END_BEFORE_GONE("6"),
    /** Leases are granted from what a granter remembers. */
    FRESH_GRANTS("8"),
    /** A lease counts from when its grant arrived, not from when it was asked for. */
    LEASE_FROM_SENDING("8"),
    /** The leash does nothing at its deadline. */
    LEASH("9"),
    /** A grant extends the leashes of every incarnation. */
    LEASH_BY_INCARNATION("9"),
    /** A process of the node that adopts a replica gives it a whole lease. */
    ADOPTION_EXTENDS_NOTHING("9"),
    /** Output stays open without a grant. */
    GATE("10"),
    /** A start does not look whether the lease is live, and arms the leash afresh. */
    LEASE_BEFORE_START("11"),
    /** The node passes on orders for any incarnation. */
    RIGHT_INCARNATION("1, 11"),
    /** A lease is called waited out at once. */
    WAIT_FOR_THE_LEASE("13"),
    /** A lease is waited out without the margin for clocks that run apart. */
    MARGIN("13"),
    /** The waiter counts from its suspicion, not from when the journal stored the fencing. */
    WAIT_FROM_THE_COMMIT("13"),
    /** The fence agent's word counts before the server is seen off. */
    SEEN_OFF("15"),
    /** A server is fenced although most of them vanished at once. */
    FREEZE("16"),
    /** What was begun on a server is forgotten with the node's process. */
    FLOOR_ON_DISK("19"),
    /** That an incarnation was declared clean is forgotten with the node's process. */
    CLEAN_ON_DISK("1"),
    /** A node says that it is clean before it has ended everything. */
    CLEAN_BEFORE_SUCCESSION("1"),
    /** A shared disk is written without its lock. */
    DISK_LOCK("21"),
    /** Not a rule, an assumption: the fence agent tells the truth. */
    HONEST_AGENT("15");

    private final String number;

    Rule(String number) {
        this.number = number;
    }

    /** In safety.md. */
    public String number() {
        return number;
    }
}
