package dev.belay.persistence.raft;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.persistence.SelectedSnapshot;
import org.apache.pekko.persistence.SnapshotMetadata;
import org.apache.pekko.persistence.SnapshotSelectionCriteria;
import org.apache.pekko.persistence.serialization.Snapshot;
import org.apache.pekko.persistence.snapshot.japi.SnapshotStore;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import scala.concurrent.Future;
import scala.jdk.javaapi.FutureConverters;

/** Pekko Persistence's snapshot store on the {@link RaftJournal}. A snapshot may take 4 MiB. */
public final class RaftSnapshotStore extends SnapshotStore {
    private final RaftJournal journal = JournalExtension.get(context().system()).journal();
    private final Serialization serialization = SerializationExtension.get(context().system());

    @Override
    public Future<Optional<SelectedSnapshot>> doLoadAsync(
            String persistenceId, SnapshotSelectionCriteria criteria) {
        return FutureConverters.asScala(
                journal.loadSnapshot(persistenceId, range(criteria))
                        .thenApply(answer ->
                                switch (answer) {
                                    case Reply.NoSnapshot() -> Optional.empty();
                                    case Reply.Snapshot found ->
                                            Optional.of(selected(persistenceId, found));
                                    default -> throw RaftJournal.refused(answer);
                                }));
    }

    private SelectedSnapshot selected(String persistenceId, Reply.Snapshot found) {
        var snapshot = serialization.deserialize(found.bytes(), Snapshot.class).get();
        return SelectedSnapshot.create(
                new SnapshotMetadata(persistenceId, found.sequenceNr(), found.timestamp()),
                snapshot.data());
    }

    @Override
    public Future<Void> doSaveAsync(SnapshotMetadata metadata, Object snapshot) {
        var bytes = serialization.serialize(new Snapshot(snapshot));
        if (bytes.isFailure()) {
            return FutureConverters.asScala(
                    CompletableFuture.<Void>failedFuture(bytes.failed().get()));
        }
        return FutureConverters.asScala(
                journal.saveSnapshot(
                        new Command.SaveSnapshot(
                                metadata.persistenceId(),
                                metadata.sequenceNr(),
                                metadata.timestamp(),
                                bytes.get())));
    }

    @Override
    public Future<Void> doDeleteAsync(SnapshotMetadata metadata) {
        // Pekko says timestamp 0 when it means any.
        boolean isAny = metadata.timestamp() == 0;
        var range =
                new SnapshotRange(
                        metadata.sequenceNr(),
                        metadata.sequenceNr(),
                        isAny ? Long.MIN_VALUE : metadata.timestamp(),
                        isAny ? Long.MAX_VALUE : metadata.timestamp());
        return FutureConverters.asScala(journal.deleteSnapshots(metadata.persistenceId(), range));
    }

    @Override
    public Future<Void> doDeleteAsync(String persistenceId, SnapshotSelectionCriteria criteria) {
        return FutureConverters.asScala(journal.deleteSnapshots(persistenceId, range(criteria)));
    }

    private static SnapshotRange range(SnapshotSelectionCriteria criteria) {
        return new SnapshotRange(
                criteria.minSequenceNr(),
                criteria.maxSequenceNr(),
                criteria.minTimestamp(),
                criteria.maxTimestamp());
    }
}
