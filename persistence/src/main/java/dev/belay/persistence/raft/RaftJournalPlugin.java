package dev.belay.persistence.raft;

import dev.belay.model.GuardedEvent;
import dev.belay.model.JournalGuard;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.pekko.persistence.AtomicWrite;
import org.apache.pekko.persistence.PersistentRepr;
import org.apache.pekko.persistence.journal.Tagged;
import org.apache.pekko.persistence.journal.japi.AsyncWriteJournal;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.FutureConverters;

/**
 * Pekko Persistence's journal on the {@link RaftJournal}.
 *
 * <p>A guard that does not hold, and an event that can not be serialized, <em>reject</em> the
 * write: the entity knows that nothing was stored. A taken sequence number or a time-out
 * <em>fail</em> it: the entity stops and replays before it decides anything (safety.md 4).
 */
public final class RaftJournalPlugin extends AsyncWriteJournal {
    private static final List<String> KINDS = List.of("vm|", "server|", "cluster|");

    private static final int PAGE_EVENTS = 500;
    private static final int PAGE_BYTES = 1 << 20;

    private final RaftJournal journal = JournalExtension.get(context().system()).journal();
    private final Serialization serialization = SerializationExtension.get(context().system());

    @Override
    public Future<Iterable<Optional<Exception>>> doAsyncWriteMessages(
            Iterable<AtomicWrite> writes) {
        // One after the other: later ones of the same entity need the earlier ones' numbers.
        CompletionStage<List<Optional<Exception>>> all =
                CompletableFuture.completedFuture(new ArrayList<>());
        for (var write : writes) {
            all =
                    all.thenCompose(results ->
                            store(write)
                                    .thenApply(result -> {
                                        results.add(result);
                                        return results;
                                    }));
        }
        return FutureConverters.asScala(all.thenApply(results -> results));
    }

    private CompletionStage<Optional<Exception>> store(AtomicWrite write) {
        Command.Append append;
        try {
            append = append(write);
        } catch (RuntimeException | java.io.NotSerializableException e) {
            return CompletableFuture.completedFuture(Optional.of(e));
        }
        return journal.append(append).thenApply(answer -> result(append, answer));
    }

    private Command.Append append(AtomicWrite write) throws java.io.NotSerializableException {
        var events = new ArrayList<StoredEvent>();
        var guards = new ArrayList<JournalGuard>();
        var writer = "";
        for (var repr : CollectionConverters.asJava(write.payload())) {
            writer = repr.writerUuid();
            if (payload(repr) instanceof GuardedEvent guarded) {
                guards.addAll(guarded.guards());
            }
            events.add(new StoredEvent(repr.sequenceNr(), bytes(repr)));
        }
        var id = write.persistenceId();
        return new Command.Append(id, writer, isListed(id), events, guards);
    }

    private static Object payload(PersistentRepr repr) {
        return repr.payload() instanceof Tagged tagged ? tagged.payload() : repr.payload();
    }

    private byte[] bytes(PersistentRepr repr) throws java.io.NotSerializableException {
        var bytes = serialization.serialize(repr);
        if (bytes.isSuccess()) {
            return bytes.get();
        }
        var failure = bytes.failed().get();
        if (failure instanceof java.io.NotSerializableException unknown) {
            throw unknown;
        }
        throw new IllegalArgumentException(
                "The event can not be serialized: " + failure.getMessage(), failure);
    }

    /** Belay's own entities; not what Pekko's sharding keeps for itself. */
    static boolean isListed(String persistenceId) {
        return KINDS.stream().anyMatch(persistenceId::startsWith);
    }

    private static Optional<Exception> result(Command.Append append, Reply answer) {
        return switch (answer) {
            case Reply.Done() -> Optional.empty();
            case Reply.GuardRefused(var why) ->
                    Optional.of(
                            new JournalException.GuardRefused(append.persistenceId() + ": " + why));
            case Reply.Malformed(var why) -> Optional.of(new JournalException.Refused(why));
            case Reply.Conflict(var highest) ->
                    throw new JournalException.SequenceConflict(
                            "Another writer of %s was faster: %d is taken, the highest is %d"
                                    .formatted(
                                            append.persistenceId(),
                                            append.events().getFirst().sequenceNr(),
                                            highest));
            default -> throw RaftJournal.refused(answer);
        };
    }

    @Override
    public Future<Void> doAsyncDeleteMessagesTo(String persistenceId, long toSequenceNr) {
        return FutureConverters.asScala(journal.deleteTo(persistenceId, toSequenceNr));
    }

    @Override
    public Future<Void> doAsyncReplayMessages(
            String persistenceId, long from, long to, long max, Consumer<PersistentRepr> replay) {
        return FutureConverters.asScala(page(persistenceId, from, to, max, replay));
    }

    private CompletionStage<Void> page(
            String persistenceId, long from, long to, long max, Consumer<PersistentRepr> replay) {
        if (max <= 0 || from > to) {
            return CompletableFuture.completedFuture(null);
        }
        int events = (int) Math.min(max, PAGE_EVENTS);
        return journal.events(new Query.Events(persistenceId, from, to, events, PAGE_BYTES))
                .thenCompose(found -> {
                    if (found.isEmpty()) {
                        return CompletableFuture.completedFuture(null);
                    }
                    found.forEach(event -> replay.accept(repr(event)));
                    long next = found.getLast().sequenceNr() + 1;
                    return page(persistenceId, next, to, max - found.size(), replay);
                });
    }

    private PersistentRepr repr(StoredEvent event) {
        return serialization.deserialize(event.bytes(), PersistentRepr.class).get();
    }

    @Override
    public Future<Long> doAsyncReadHighestSequenceNr(String persistenceId, long from) {
        return FutureConverters.asScala(journal.highest(persistenceId));
    }
}
