package dev.belay.explore;

import dev.belay.model.Level;

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
    HONEST_AGENT("15"),
    /** A primary without its secondary goes on by itself, before the journal says so. */
    HELD_FOR_THE_SECOND("2", Level.SYSTEM),
    /** Two are said to be in lockstep before the second one's disks are filled. */
    LEG_IN_AFTER_SYNC("2, 22", Level.SYSTEM),
    /** A wrong arbiter: both of a pair are told to go on alone. */
    ONE_GOES_ON("5", Level.SYSTEM),
    /** The arbiter takes the loser's disk to be as good as the winner's. */
    WINNERS_LEG_ONLY("5", Level.SYSTEM),
    /** A replica goes on alone without a live lease, and its leash is armed afresh. */
    LEASE_BEFORE_SOLO("11", Level.SYSTEM),
    /** In lockstep no lease, leash or gate counts. */
    LEASH_IN_LOCKSTEP("14, 22", Level.SYSTEM),
    /** A lease that is over counts as the end of a half that may live by the other one's word. */
    LEASE_PROOF_OF_A_PAIR("14", Level.SYSTEM),
    /** What a second one wrote before its overlays were written back is forgotten. */
    OVERLAYS_ARE_DISK("18", Level.SYSTEM),
    /** The loser still reaches the disk of the second one that took over. */
    LOCKED_OUT("19", Level.SYSTEM),
    /** After both were lost and one started, the other's disk still counts as up to date. */
    ONE_LEG_AFTER_A_START("20", Level.SYSTEM),
    /** A second one is told to take over although lockstep was never stored. */
    LOCKSTEP_BEFORE_PROMOTION("22", Level.SYSTEM),
    /** The second one's word that it is in lockstep is taken as given when it is asked for. */
    SEEN_AT_BOTH("22", Level.SYSTEM),
    /** IPv6, which COLO does not hold back, gets out of a primary. */
    ONLY_IPV4("23", Level.SYSTEM),
    /** A loser is ended by COLO's own clean-up with its output open: what it held gets out. */
    SILENT_END("23", Level.SYSTEM);

    private final String number;
    private final Level level;

    Rule(String number) {
        this(number, Level.RESTART);
    }

    Rule(String number, Level level) {
        this.number = number;
        this.level = level;
    }

    /** From which on it matters. */
    public Level level() {
        return level;
    }

    /** In safety.md. */
    public String number() {
        return number;
    }
}
