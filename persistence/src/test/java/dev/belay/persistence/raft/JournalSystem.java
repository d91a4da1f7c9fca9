package dev.belay.persistence.raft;

import com.typesafe.config.ConfigFactory;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;

/** An actor system that persists to one of the peers. */
final class JournalSystem implements AutoCloseable {
    private static final String CONFIG =
            """
            pekko.actor.provider = local
            pekko.actor.serialization-bindings {
              "dev.belay.persistence.raft.SampleTypes$Sample" = belay-kryo
            }
            pekko.persistence.journal.plugin = "belay.persistence.journal"
            pekko.persistence.snapshot-store.plugin = "belay.persistence.snapshot-store"
            pekko.persistence.publish-plugin-commands = on
            pekko.coordinated-shutdown.run-by-jvm-shutdown-hook = off
            belay.kryo.types += "dev.belay.persistence.raft.SampleTypes"
            """;

    final ActorSystem system;

    JournalSystem(RaftJournal journal) {
        var config = ConfigFactory.parseString(CONFIG).withFallback(ConfigFactory.load());
        system =
                ActorSystem.create(
                        "Journal",
                        ActorSystemSetup.create(
                                BootstrapSetup.create(config.resolve()),
                                new JournalSetup(journal)));
    }

    static Peers peers(Path folder) {
        return Peers.start(folder, 3);
    }

    @Override
    public void close() {
        system.terminate();
        try {
            system.getWhenTerminated()
                    .toCompletableFuture()
                    .get(Peers.LONG.toSeconds(), TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException("The actor system did not end", e);
        }
    }
}
