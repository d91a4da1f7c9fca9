package dev.belay.persistence.raft;

import org.apache.pekko.actor.setup.Setup;

/**
 * Hands the journal to an actor system: {@code
 * ActorSystemSetup.create(BootstrapSetup.create(config), new JournalSetup(journal))}.
 */
public final class JournalSetup extends Setup {
    private final RaftJournal journal;

    public JournalSetup(RaftJournal journal) {
        this.journal = journal;
    }

    RaftJournal journal() {
        return journal;
    }
}
