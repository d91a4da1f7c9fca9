package dev.belay.explore;

/**
 * One thing that happens. As text {@code verb a b c}, numbers without a meaning left out at the
 * end.
 *
 * @param a a server, a node (0 is the witness, then the servers), a message's number or an entity
 */
record Step(Verb verb, int a, int b, int c) {
    enum Verb {
        /** A tick of time passes; leashes that are due act. */
        TICK,
        /** Message a arrives. b: the fate of the append that follows; c: at which instance. */
        DELIVER,
        /** Message a arrives, and comes again later. */
        DOUBLE,
        /** Message a is lost. */
        LOSE,
        /** Timer c of entity a's instance b ends. */
        TIMER,
        /** Entity a's instance b repeats what is unanswered and looks again. */
        RETRY,
        /** Entity a comes up on node b, from the journal. */
        RECOVER,
        /** Entity a's instance b stops. */
        STOP,
        /** The arbiters' view of the servers catches up. */
        LOOK,
        /** Server a's node asks to be admitted. */
        ASK,
        /** Server a asks for its lease. */
        RENEW,
        /** The granter that remembers catches up; only without FRESH_GRANTS. */
        CATCH_UP,
        /** Work b of server a's hypervisor ends. c: 0 done, 1 failed, 2 failed and left running. */
        WORK,
        /** Entity b's instance misses server a, whether it is there or not. */
        MISS,
        /** Call a of a fence agent ends. b: 0 off, 1 failed, 2 a lie. */
        AGENT,
        /** The process on node a. */
        CRASH,
        START,
        FREEZE,
        THAW,
        /** Server a loses power, or gets it back. */
        POWER_OFF,
        POWER_ON,
        /** All processes of server a stop, and go on: a suspend. */
        SUSPEND,
        RESUME,
        /** Node a. b: 1 what it sends, 2 what it should get, 3 both. */
        CUT,
        MEND,
        /** Replica b of server a. */
        STOP_QEMU,
        CONTINUE_QEMU,
        KILL_QEMU,
        STOP_LEASH,
        CONTINUE_LEASH,
        KILL_LEASH,
        PANIC,
        DISK_FAILS,
        POWERS_OFF,
        /** The clock of node a gains (b = 1) or loses (b = -1) a tick. */
        SLIP,
        /** An operator ends server a's quarantine. */
        RELEASE,
        /** An operator says that server a is off. */
        CONFIRM_OFF,
        /** VM a. b: see {@link Requests}. */
        REQUEST,
        /**
         * Server a's half of VM b's pair listens to the other. c: 1 what that said is lost, 2 that
         * it vouches is heard late.
         */
        LISTEN,
        /** Server a looks at its half b of a pair. c: 1 its connections fail for no reason. */
        NOTICE,
        /** The guest of server a's replica b writes. c: 1 and says so. */
        WRITE,
        /** The wire between servers a and b. */
        CUT_WIRE,
        MEND_WIRE,
        /** Node a is cut off with others; b = 1: it reaches those and the rest. MEND ends it. */
        ISLAND
    }

    static Step of(Verb verb, int... numbers) {
        return new Step(
                verb,
                numbers.length > 0 ? numbers[0] : 0,
                numbers.length > 1 ? numbers[1] : 0,
                numbers.length > 2 ? numbers[2] : 0);
    }

    static Step parse(String text) {
        var words = text.strip().split("\\s+");
        var numbers = new int[words.length - 1];
        for (int i = 1; i < words.length; i++) {
            numbers[i - 1] = Integer.parseInt(words[i]);
        }
        return of(
                Verb.valueOf(words[0].toUpperCase(java.util.Locale.ROOT).replace('-', '_')),
                numbers);
    }

    @Override
    public String toString() {
        var text = verb.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        if (c != 0) {
            return text + " " + a + " " + b + " " + c;
        }
        return b != 0 ? text + " " + a + " " + b : text + (verb == Verb.TICK ? "" : " " + a);
    }
}
