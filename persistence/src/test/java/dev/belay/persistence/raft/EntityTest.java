package dev.belay.persistence.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.belay.cluster.JournalFeed;
import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import dev.belay.persistence.raft.SampleTypes.Claimed;
import dev.belay.persistence.raft.SampleTypes.Said;
import dev.belay.persistence.raft.SampleTypes.Sample;
import dev.belay.persistence.raft.SampleTypes.Unknown;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Event-sourced actors on two nodes of one journal. */
class EntityTest {
    private static final Duration WAIT = Duration.ofSeconds(20);

    private static Peers peers;
    private static JournalSystem first;
    private static JournalSystem second;

    private final String id = "vm|" + UUID.randomUUID();

    @BeforeAll
    static void start(@TempDir Path folder) {
        peers = JournalSystem.peers(folder);
        first = new JournalSystem(peers.journal("a"));
        second = new JournalSystem(peers.journal("b"));
    }

    @AfterAll
    static void stop() {
        first.close();
        second.close();
        peers.close();
    }

    /** Stores the event, then answers. */
    private record Store(Sample event, ActorRef<Done> replyTo) {}

    /** Counts its events; its state is a snapshot-able number. */
    private static final class Counter extends EventSourcedBehavior<Store, Sample, Long> {
        Counter(String id) {
            super(PersistenceId.ofUniqueId(id));
        }

        @Override
        public Long emptyState() {
            return 0L;
        }

        @Override
        public CommandHandler<Store, Sample, Long> commandHandler() {
            return (_, store) ->
                    Effect()
                            .persist(store.event())
                            .thenRun(() -> store.replyTo().tell(Done.done()));
        }

        @Override
        public EventHandler<Long, Sample> eventHandler() {
            return (count, _) -> count + 1;
        }

        @Override
        public RetentionCriteria retentionCriteria() {
            return RetentionCriteria.snapshotEvery(5, 2);
        }
    }

    private ActorRef<Store> spawn(JournalSystem node) {
        Behavior<Store> counter = Behaviors.setup(_ -> new Counter(id));
        return Adapter.spawnAnonymous(node.system, counter);
    }

    private static TestProbe<Done> probe(JournalSystem node) {
        return TestProbe.create(Adapter.toTyped(node.system));
    }

    private static void store(JournalSystem node, ActorRef<Store> entity, Sample event) {
        var probe = probe(node);
        entity.tell(new Store(event, probe.ref()));
        probe.expectMessage(WAIT, Done.done());
    }

    @Test
    void theSecondWriterLosesAndStops() {
        var here = spawn(first);
        store(first, here, new Said("one"));
        var there = spawn(second);
        store(second, there, new Said("two"));

        // It replayed one event and does not know of the second.
        var probe = probe(first);
        here.tell(new Store(new Said("late"), probe.ref()));
        probe.expectTerminated(here, WAIT);

        store(second, there, new Said("three"));
        assertThat(words()).containsExactly("one", "two", "three");
    }

    @Test
    void aRefusedGuardRejectsTheEventAndNothingIsStored() {
        var entity = spawn(first);
        store(first, entity, new Said("one"));
        var probe = probe(first);
        var claim = new Claimed(new ServerName("ghost"), new Incarnation(1));
        entity.tell(new Store(claim, probe.ref()));
        probe.expectTerminated(entity, WAIT);
        assertThat(words()).containsExactly("one");
    }

    @Test
    void anUnregisteredEventIsRejected() {
        var entity = spawn(first);
        var probe = probe(first);
        entity.tell(new Store(new Unknown("x"), probe.ref()));
        probe.expectTerminated(entity, WAIT);
        assertThat(words()).isEmpty();
    }

    @Test
    void recoveryOnAnotherNodeSeesEveryAcknowledgedEventAndTheSnapshots() {
        var here = spawn(first);
        for (int i = 1; i <= 12; i++) {
            store(first, here, new Said("w" + i));
        }
        var there = spawn(second);
        store(second, there, new Said("w13"));
        assertThat(words()).hasSize(13).endsWith("w13");
    }

    @Test
    void theFeedTellsOfNewEventsInOrder() {
        var feed = JournalExtension.get(Adapter.toTyped(second.system)).feed();
        var calls = new AtomicInteger();
        var stop = feed.onAppend(calls::incrementAndGet);
        long before = feed.newestOffset();
        var entity = spawn(first);
        store(first, entity, new Said("x"));
        store(first, entity, new Said("y"));

        await().atMost(WAIT).until(() -> feed.newestOffset() >= before + 2);
        await().atMost(WAIT).until(() -> calls.get() > 0);
        assertThat(words()).containsExactly("x", "y");
        assertThat(entries(feed)).extracting(JournalFeed.Entry::sequenceNr).containsExactly(1L, 2L);
        stop.run();
    }

    private List<JournalFeed.Entry> entries(JournalFeed feed) {
        return Peers.get(feed.read(1, 10_000)).stream()
                .filter(entry -> entry.persistenceId().equals(id))
                .toList();
    }

    /** What the second node's copy holds, once it holds all that the quorum does. */
    private List<String> words() {
        long highest = Peers.get(peers.journal("b").highest(id));
        var feed = JournalExtension.get(Adapter.toTyped(second.system)).feed();
        await().atMost(WAIT)
                .until(() -> {
                    var all = entries(feed);
                    return highest == 0
                            || (!all.isEmpty() && all.getLast().sequenceNr() == highest);
                });
        return entries(feed).stream().map(entry -> ((Said) entry.event()).word()).toList();
    }
}
