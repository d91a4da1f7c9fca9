package dev.belay.persistence.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.belay.persistence.raft.SampleTypes.Referred;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.persistence.DeleteSnapshotSuccess;
import org.apache.pekko.persistence.DeleteSnapshotsSuccess;
import org.apache.pekko.persistence.Persistence;
import org.apache.pekko.persistence.SaveSnapshotSuccess;
import org.apache.pekko.persistence.SelectedSnapshot;
import org.apache.pekko.persistence.SnapshotMetadata;
import org.apache.pekko.persistence.SnapshotProtocol.DeleteSnapshot;
import org.apache.pekko.persistence.SnapshotProtocol.DeleteSnapshots;
import org.apache.pekko.persistence.SnapshotProtocol.LoadSnapshot;
import org.apache.pekko.persistence.SnapshotProtocol.LoadSnapshotResult;
import org.apache.pekko.persistence.SnapshotProtocol.SaveSnapshot;
import org.apache.pekko.persistence.SnapshotSelectionCriteria;
import org.apache.pekko.testkit.javadsl.TestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import scala.Option;

/**
 * What Pekko's own compatibility suite (SnapshotStoreSpec) asks of a snapshot store, case by case,
 * on three voters.
 */
class SnapshotContractTest {
    private static final Duration WAIT = Duration.ofSeconds(15);
    private static final long ALL = Long.MAX_VALUE;
    private static final SnapshotSelectionCriteria LATEST = SnapshotSelectionCriteria.latest();

    private static Peers peers;
    private static JournalSystem journals;
    private static ActorRef store;

    private final String id = "snapshots-" + UUID.randomUUID();
    private final List<SnapshotMetadata> saved = new ArrayList<>();
    private TestKit sender;

    @BeforeAll
    static void start(@TempDir Path folder) {
        peers = JournalSystem.peers(folder);
        journals = new JournalSystem(peers.journal("a"));
        store = Persistence.get(journals.system).snapshotStoreFor("", ConfigFactory.empty());
    }

    @AfterAll
    static void stop() {
        journals.close();
        peers.close();
    }

    @BeforeEach
    void saveFive() {
        sender = new TestKit(journals.system);
        for (int i = 1; i <= 5; i++) {
            saved.add(save(SnapshotMetadata.apply(id, i + 10), "s-" + i));
        }
    }

    private SnapshotMetadata save(SnapshotMetadata metadata, Object snapshot) {
        tell(new SaveSnapshot(metadata, snapshot));
        return sender.expectMsgClass(WAIT, SaveSnapshotSuccess.class).metadata();
    }

    private void tell(Object message) {
        store.tell(message, sender.getRef());
    }

    private void expectNone(String persistenceId, SnapshotSelectionCriteria criteria, long to) {
        tell(new LoadSnapshot(persistenceId, criteria, to));
        sender.expectMsg(WAIT, new LoadSnapshotResult(Option.empty(), to));
    }

    private void expect(SnapshotSelectionCriteria criteria, long to, int number) {
        tell(new LoadSnapshot(id, criteria, to));
        var expected = SelectedSnapshot.create(saved.get(number - 1), "s-" + number);
        sender.expectMsg(WAIT, new LoadSnapshotResult(Option.apply(expected), to));
    }

    private static SnapshotSelectionCriteria upTo(long sequenceNr) {
        return SnapshotSelectionCriteria.create(sequenceNr, ALL);
    }

    private static SnapshotSelectionCriteria upTo(SnapshotMetadata metadata) {
        return SnapshotSelectionCriteria.create(metadata.sequenceNr(), metadata.timestamp());
    }

    @Test
    void loadsNothingForAnUnknownId() {
        expectNone("invalid", LATEST, ALL);
    }

    @Test
    void loadsNothingOutsideOfTheTimes() {
        expectNone(id, SnapshotSelectionCriteria.create(ALL, 100), ALL);
    }

    @Test
    void loadsNothingOutsideOfTheNumbers() {
        expectNone(id, upTo(7), ALL);
        expectNone(id, LATEST, 7);
    }

    @Test
    void loadsTheNewest() {
        expect(LATEST, ALL, 5);
    }

    @Test
    void loadsTheNewestUpToANumber() {
        expect(upTo(13), ALL, 3);
        expect(LATEST, 13, 3);
    }

    @Test
    void loadsTheNewestUpToANumberAndATime() {
        expect(upTo(saved.get(2)), ALL, 3);
        expect(SnapshotSelectionCriteria.create(ALL, saved.get(2).timestamp()), 13, 3);
    }

    @Test
    void deletesOneByItsNumber() {
        var watcher = new TestKit(journals.system);
        journals.system.eventStream().subscribe(watcher.getRef(), DeleteSnapshot.class);
        var metadata = SnapshotMetadata.apply(id, saved.get(2).sequenceNr(), 0);
        var delete = new DeleteSnapshot(metadata);
        tell(delete);
        watcher.expectMsg(WAIT, delete);
        sender.expectMsg(WAIT, new DeleteSnapshotSuccess(metadata));
        expect(upTo(metadata.sequenceNr()), ALL, 2);
    }

    @Test
    void deletesAllUpToANumberAndATime() {
        var watcher = new TestKit(journals.system);
        journals.system.eventStream().subscribe(watcher.getRef(), DeleteSnapshots.class);
        var delete = new DeleteSnapshots(id, upTo(saved.get(2)));
        tell(delete);
        watcher.expectMsg(WAIT, delete);
        sender.expectMsg(WAIT, new DeleteSnapshotsSuccess(upTo(saved.get(2))));
        expectNone(id, upTo(saved.get(2)), ALL);
        expect(upTo(saved.get(3)), ALL, 4);
    }

    @Test
    void doesNotDeleteWhatIsYounger() {
        var fourth = saved.get(3);
        var criteria =
                SnapshotSelectionCriteria.create(fourth.sequenceNr(), fourth.timestamp() - 1);
        tell(new DeleteSnapshots(id, criteria));
        sender.expectMsg(WAIT, new DeleteSnapshotsSuccess(criteria));
        expect(upTo(fourth), ALL, 4);
    }

    @Test
    void overwritesOneOfTheSameNumber() {
        var fifth = saved.get(4);
        var again = save(fifth, "s-5-modified");
        assertThat(again.sequenceNr()).isEqualTo(fifth.sequenceNr());
        var loaded = load(upTo(fifth.sequenceNr()));
        assertThat(loaded.snapshot()).isEqualTo("s-5-modified");
        assertThat(loaded.metadata().sequenceNr()).isEqualTo(fifth.sequenceNr());
    }

    private SelectedSnapshot load(SnapshotSelectionCriteria criteria) {
        tell(new LoadSnapshot(id, criteria, ALL));
        return sender.expectMsgClass(WAIT, LoadSnapshotResult.class).snapshot().get();
    }

    @Test
    void savesABigOne() {
        var big = "0".repeat(1 << 20);
        save(SnapshotMetadata.apply(id, 100), big);
        assertThat(load(LATEST).snapshot()).isEqualTo(big);
    }

    @Test
    void serializesSnapshots() {
        org.apache.pekko.actor.typed.ActorRef<String> ref = Adapter.toTyped(sender.getRef());
        save(SnapshotMetadata.apply(id, 100), new Referred(ref));
        assertThat(load(LATEST).snapshot()).isEqualTo(new Referred(ref));
    }
}
