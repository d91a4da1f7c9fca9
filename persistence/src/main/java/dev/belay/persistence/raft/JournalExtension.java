package dev.belay.persistence.raft;

import dev.belay.cluster.JournalFeed;
import org.apache.pekko.actor.AbstractExtensionId;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.Extension;
import org.apache.pekko.actor.ExtensionIdProvider;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.SerializationExtension;

/**
 * Where an actor system finds the node's journal. The journal is older than the system: main hands
 * it over with {@link JournalSetup}, and closes it after the system has ended.
 */
public final class JournalExtension implements Extension {
    private static final Id ID = new Id();

    private final RaftJournal journal;
    private final JournalFeed feed;

    private JournalExtension(ExtendedActorSystem system) {
        journal =
                system.settings()
                        .setup()
                        .get(JournalSetup.class)
                        .orElseThrow(() ->
                                new IllegalStateException(
                                        "Expected a JournalSetup in the actor system's setup, but there is none"))
                        .journal();
        feed = new RaftFeed(journal, SerializationExtension.get(system));
    }

    public static JournalExtension get(ActorSystem<?> system) {
        return ID.get(Adapter.toClassic(system));
    }

    static JournalExtension get(org.apache.pekko.actor.ActorSystem system) {
        return ID.get(system);
    }

    /** The journal itself, which also answers for leases and formation. */
    public RaftJournal journal() {
        return journal;
    }

    /** The events of all of Belay's entities in one order. */
    public JournalFeed feed() {
        return feed;
    }

    /** How Pekko makes it. */
    public static final class Id extends AbstractExtensionId<JournalExtension>
            implements ExtensionIdProvider {
        @Override
        public JournalExtension createExtension(ExtendedActorSystem system) {
            return new JournalExtension(system);
        }

        @Override
        public Id lookup() {
            return ID;
        }
    }
}
