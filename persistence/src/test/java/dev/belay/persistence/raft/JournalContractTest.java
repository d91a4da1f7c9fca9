package dev.belay.persistence.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.belay.persistence.raft.SampleTypes.Referred;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.LongStream;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.persistence.AtomicWrite;
import org.apache.pekko.persistence.DeleteMessagesSuccess;
import org.apache.pekko.persistence.JournalProtocol.DeleteMessagesTo;
import org.apache.pekko.persistence.JournalProtocol.RecoverySuccess;
import org.apache.pekko.persistence.JournalProtocol.ReplayMessages;
import org.apache.pekko.persistence.JournalProtocol.ReplayedMessage;
import org.apache.pekko.persistence.JournalProtocol.WriteMessageRejected;
import org.apache.pekko.persistence.JournalProtocol.WriteMessageSuccess;
import org.apache.pekko.persistence.JournalProtocol.WriteMessages;
import org.apache.pekko.persistence.JournalProtocol.WriteMessagesSuccessful$;
import org.apache.pekko.persistence.Persistence;
import org.apache.pekko.persistence.PersistentEnvelope;
import org.apache.pekko.persistence.PersistentRepr;
import org.apache.pekko.testkit.javadsl.TestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import scala.jdk.javaapi.CollectionConverters;

/**
 * What Pekko's own compatibility suite (JournalSpec) asks of a journal, case by case, on three
 * voters.
 */
class JournalContractTest {
    private static final Duration WAIT = Duration.ofSeconds(15);
    private static final long ALL = Long.MAX_VALUE;

    private static Peers peers;
    private static JournalSystem journals;
    private static ActorRef journal;

    private final String writer = UUID.randomUUID().toString();
    private final String id = "contract-" + writer;
    private TestKit sender;
    private TestKit receiver;

    @BeforeAll
    static void start(@TempDir Path folder) {
        peers = JournalSystem.peers(folder);
        journals = new JournalSystem(peers.journal("a"));
        journal = Persistence.get(journals.system).journalFor("", ConfigFactory.empty());
    }

    @AfterAll
    static void stop() {
        journals.close();
        peers.close();
    }

    @BeforeEach
    void writeFive() {
        sender = new TestKit(journals.system);
        receiver = new TestKit(journals.system);
        var writes = new ArrayList<PersistentEnvelope>();
        LongStream.rangeClosed(1, 3).forEach(i -> writes.add(AtomicWrite.apply(repr("a-" + i, i))));
        writes.add(
                AtomicWrite.apply(
                        CollectionConverters.asScala(List.of(repr("a-4", 4), repr("a-5", 5)))
                                .toList()));
        write(writes);
        for (long i = 1; i <= 5; i++) {
            assertWritten(i, "a-" + i);
        }
    }

    private PersistentRepr repr(Object payload, long sequenceNr) {
        return PersistentRepr.apply(payload, sequenceNr, id, "", false, sender.getRef(), writer);
    }

    private void write(List<PersistentEnvelope> writes) {
        journal.tell(
                new WriteMessages(
                        CollectionConverters.asScala(writes).toList(), sender.getRef(), 1),
                ActorRef.noSender());
        sender.expectMsg(WAIT, WriteMessagesSuccessful$.MODULE$);
    }

    private void assertWritten(long sequenceNr, Object payload) {
        var written = sender.expectMsgClass(WAIT, WriteMessageSuccess.class).persistent();
        assertThat(written.sequenceNr()).isEqualTo(sequenceNr);
        assertThat(written.payload()).isEqualTo(payload);
        assertThat(written.persistenceId()).isEqualTo(id);
        assertThat(written.writerUuid()).isEqualTo(writer);
    }

    private void replay(long from, long to, long max) {
        journal.tell(new ReplayMessages(from, to, max, id, receiver.getRef()), ActorRef.noSender());
    }

    private void expectReplayed(long... sequenceNrs) {
        for (long i : sequenceNrs) {
            var replayed = receiver.expectMsgClass(WAIT, ReplayedMessage.class).persistent();
            assertThat(replayed.sequenceNr()).isEqualTo(i);
            assertThat(replayed.payload()).isEqualTo("a-" + i);
            assertThat(replayed.persistenceId()).isEqualTo(id);
            assertThat(replayed.writerUuid()).isEqualTo(writer);
            assertThat(replayed.deleted()).isFalse();
        }
        receiver.expectMsg(WAIT, new RecoverySuccess(5));
    }

    @Test
    void replaysAll() {
        replay(1, ALL, ALL);
        expectReplayed(1, 2, 3, 4, 5);
    }

    @Test
    void replaysFromALowerBound() {
        replay(3, ALL, ALL);
        expectReplayed(3, 4, 5);
    }

    @Test
    void replaysToAnUpperBound() {
        replay(1, 3, ALL);
        expectReplayed(1, 2, 3);
    }

    @Test
    void replaysUpToACount() {
        replay(1, ALL, 3);
        expectReplayed(1, 2, 3);
    }

    @Test
    void replaysBetweenBounds() {
        replay(2, 3, ALL);
        expectReplayed(2, 3);
    }

    @Test
    void replaysBetweenBoundsUpToACount() {
        replay(2, 5, 2);
        expectReplayed(2, 3);
    }

    @Test
    void replaysOneWhenBoundsAreEqual() {
        replay(2, 2, ALL);
        expectReplayed(2);
    }

    @Test
    void replaysOneWhenTheCountIsOne() {
        replay(2, 4, 1);
        expectReplayed(2);
    }

    @Test
    void replaysNothingWhenTheCountIsZero() {
        replay(2, 4, 0);
        expectReplayed();
    }

    @Test
    void replaysNothingWhenTheLowerBoundIsAboveTheUpper() {
        replay(3, 2, ALL);
        expectReplayed();
    }

    @Test
    void replaysNothingWhenNothingWasWritten() {
        journal.tell(
                new ReplayMessages(0, ALL, ALL, "non-existing-pid", receiver.getRef()),
                ActorRef.noSender());
        receiver.expectMsg(WAIT, new RecoverySuccess(0));
    }

    @Test
    void doesNotReplayWhatWasDeleted() {
        var answers = new TestKit(journals.system);
        var watcher = new TestKit(journals.system);
        journals.system.eventStream().subscribe(watcher.getRef(), DeleteMessagesTo.class);
        var delete = new DeleteMessagesTo(id, 3, answers.getRef());

        journal.tell(delete, ActorRef.noSender());

        watcher.fishForMessage(WAIT, "the command", delete::equals);
        answers.expectMsg(WAIT, new DeleteMessagesSuccess(3));
        replay(1, ALL, ALL);
        expectReplayed(4, 5);
        answers.expectNoMessage(Duration.ofMillis(200));
    }

    @Test
    void deletionDoesNotResetTheHighestNumber() {
        replay(0, ALL, ALL);
        expectReplayed(1, 2, 3, 4, 5);
        journal.tell(new DeleteMessagesTo(id, 3, receiver.getRef()), ActorRef.noSender());
        receiver.expectMsg(WAIT, new DeleteMessagesSuccess(3));
        replay(0, ALL, ALL);
        expectReplayed(4, 5);
    }

    @Test
    void deletionOfAllDoesNotResetTheHighestNumber() {
        replay(0, ALL, ALL);
        expectReplayed(1, 2, 3, 4, 5);
        journal.tell(new DeleteMessagesTo(id, ALL, receiver.getRef()), ActorRef.noSender());
        receiver.expectMsg(WAIT, new DeleteMessagesSuccess(ALL));
        replay(0, ALL, ALL);
        expectReplayed();
    }

    @Test
    void rejectsAnEventThatCanNotBeSerialized() {
        var notSerializable =
                new Object() {
                    @Override
                    public String toString() {
                        return "not serializable";
                    }
                };
        write(
                List.of(
                        AtomicWrite.apply(repr("b-6", 6)),
                        AtomicWrite.apply(repr(notSerializable, 7)),
                        AtomicWrite.apply(repr("b-8", 8))));
        assertWritten(6, "b-6");
        var rejected = sender.expectMsgClass(WAIT, WriteMessageRejected.class);
        assertThat(rejected.message().sequenceNr()).isEqualTo(7);
        assertThat(rejected.message().payload()).isSameAs(notSerializable);
        assertThat(rejected.cause()).isInstanceOf(java.io.NotSerializableException.class);
        assertWritten(8, "b-8");
    }

    @Test
    void serializesEvents() {
        org.apache.pekko.actor.typed.ActorRef<String> ref = Adapter.toTyped(sender.getRef());
        write(List.of(AtomicWrite.apply(repr(new Referred(ref), 6))));
        assertWritten(6, new Referred(ref));
        replay(6, ALL, ALL);
        assertThat(receiver.expectMsgClass(WAIT, ReplayedMessage.class).persistent().payload())
                .isEqualTo(new Referred(ref));
        receiver.expectMsg(WAIT, new RecoverySuccess(6));
    }

    @Test
    void returnsMetadata() {
        write(List.of(AtomicWrite.apply(repr("m-6", 6).withMetadata("meta-data"))));
        assertWritten(6, "m-6");
        replay(6, 6, 1);
        var replayed = receiver.expectMsgClass(WAIT, ReplayedMessage.class).persistent();
        assertThat(replayed.metadata().get()).isEqualTo("meta-data");
        receiver.expectMsg(WAIT, new RecoverySuccess(6));
    }
}
