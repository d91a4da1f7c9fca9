package dev.belay.persistence.raft;

import dev.belay.persistence.raft.VoterRegister.Part;
import dev.belay.persistence.raft.VoterRegister.Standing;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.exceptions.GroupMismatchException;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a voter that starts with an empty folder may vote. If it took part before, it
 * forgot what it acknowledged: with its vote a voter that lacks such an entry could be elected, and
 * the entry would be lost. The others' copies know.
 *
 * <p>In a cluster that is being founded nobody's copy knows anything, and some voters may not be
 * there yet. Then it waits no longer than {@link #PATIENCE} for them.
 */
final class VoterGuard {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofMillis(100);

    private final RaftCaller caller;
    private final String voter;
    private final long started = System.nanoTime();
    private final Map<RaftPeerId, Standing> answers = new ConcurrentHashMap<>();
    private final CompletableFuture<Part> result = new CompletableFuture<>();

    VoterGuard(RaftCaller caller, String voter) {
        this.caller = caller;
        this.voter = voter;
    }

    /** What part the voter had, as soon as enough of the others answered. */
    CompletableFuture<Part> ask() {
        caller.otherVoters().forEach(this::ask);
        look();
        return result;
    }

    private void look() {
        boolean waited = System.nanoTime() - started > PATIENCE.toNanos();
        decide(caller.voters().size(), answers.values(), waited).ifPresent(result::complete);
        if (!result.isDone()) {
            caller.later(PAUSE, this::look);
        }
    }

    /**
     * @param answers of the other voters, one each
     * @param waited whether those that did not answer had their time
     */
    static Optional<Part> decide(int voters, Collection<Standing> answers, boolean waited) {
        int majority = voters / 2 + 1;
        // Each majority that this voter was in has one of so many others, whichever they are.
        int enough = Math.min(voters - majority + 1, voters - 1);
        var newest =
                answers.stream()
                        .max(Comparator.comparingLong(Standing::changes))
                        .orElse(Standing.NEVER)
                        .part();
        if (answers.size() >= enough) {
            return Optional.of(newest);
        }
        return waited && isSafeToGuess(newest, answers.size(), majority)
                ? Optional.of(newest)
                : Optional.empty();
    }

    private static boolean isSafeToGuess(Part newest, int answered, int majority) {
        return switch (newest) {
            case TAKEN -> true;
            // With fewer there is no majority to found a cluster with.
            case NONE -> answered >= majority - 1;
            // It may have begun anew since, and been lost again.
            case READMITTED -> false;
        };
    }

    private void ask(RaftPeerId other) {
        caller.look(other, QueryCodec.encode(new Query.Standing(voter)))
                .whenComplete((answer, failure) -> {
                    standing(answer, failure).ifPresent(known -> answers.put(other, known));
                    if (!result.isDone()) {
                        caller.later(PAUSE, () -> ask(other));
                    }
                });
    }

    private static Optional<Standing> standing(byte @Nullable [] answer, @Nullable Throwable why) {
        if (answer != null && ReplyCodec.decode(answer) instanceof Reply.Standing(var standing)) {
            return Optional.of(standing);
        }
        // It runs, and has an empty folder, too: it asks the same.
        return knowsNoJournal(why) ? Optional.of(Standing.NEVER) : Optional.empty();
    }

    static boolean knowsNoJournal(@Nullable Throwable why) {
        for (var cause = why; cause != null; cause = cause.getCause()) {
            if (cause instanceof GroupMismatchException) {
                return true;
            }
        }
        return false;
    }
}
