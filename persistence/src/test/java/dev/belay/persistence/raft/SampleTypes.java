package dev.belay.persistence.raft;

import dev.belay.model.GuardedEvent;
import dev.belay.model.Incarnation;
import dev.belay.model.JournalGuard;
import dev.belay.model.ServerName;
import dev.belay.persistence.kryo.KryoTypes;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** Events for tests of the plugin. */
public final class SampleTypes implements KryoTypes {
    /** Bound to Kryo in the tests' configuration. */
    public sealed interface Sample {}

    public record Said(String word) implements Sample {}

    public record Referred(ActorRef<String> to) implements Sample {}

    public record Claimed(ServerName server, Incarnation incarnation)
            implements Sample, GuardedEvent {
        @Override
        public List<JournalGuard> guards() {
            return List.of(new JournalGuard.Grants(server, incarnation));
        }
    }

    /** Bound, but not registered. */
    public record Unknown(String word) implements Sample {}

    @Override
    public void register(Registry registry) {
        registry.persisted(1001, "sample.Said/1", Said.class);
        registry.persisted(1002, "sample.Referred/1", Referred.class);
        registry.persisted(1003, "sample.Claimed/1", Claimed.class);
    }
}
