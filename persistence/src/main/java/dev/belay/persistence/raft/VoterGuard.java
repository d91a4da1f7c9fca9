package dev.belay.persistence.raft;

import dev.belay.persistence.raft.VoterRegister.Part;
import dev.belay.persistence.raft.VoterRegister.Standing;
import dev.belay.persistence.raft.WireReader.MalformedException;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.exceptions.GroupMismatchException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides whether a voter that starts with an empty folder may vote. If it took part before, it
 * forgot what it acknowledged: with its vote a voter that lacks such an entry could be elected, and
 * the entry would be lost. The others' copies know.
 *
 * <p>A copy knows only what is applied. After a start that can be less than what its voter stored:
 * the rest follows when there is a leader, and the others can elect one without this voter. Until
 * then such a copy can say that this voter took part, but not that it did not.
 *
 * <p>In a cluster that is being founded nobody's copy knows anything, and some voters may not be
 * there yet. Then it waits no longer than {@link #PATIENCE} for them.
 */
final class VoterGuard {
    private static final Logger LOG = LoggerFactory.getLogger(VoterGuard.class);
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofMillis(100);

    /** How much of what another voter stored is in its copy. */
    enum Extent {
        /** It never stored anything. */
        NOTHING_STORED,
        /** All that it had stored when this voter first asked, or later. */
        WHOLE,
        PARTIAL
    }

    /** What another voter says. */
    record Testimony(Standing standing, Extent extent) {}

    private final RaftCaller caller;
    private final String voter;
    private final long started = System.nanoTime();
    private final Map<RaftPeerId, Testimony> answers = new ConcurrentHashMap<>();

    /**
     * The least log end that each said. Up to there is all that this voter acknowledged with it, as
     * that was before this start. Not the newest one: the log of a busy cluster always ends a
     * little after what is applied.
     */
    private final Map<RaftPeerId, Long> logEnds = new ConcurrentHashMap<>();

    private boolean isWaitTold;
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
            if (waited && !isWaitTold) {
                LOG.warn(
                        "The folder of voter {} is empty. Expected the others to say whether it took part in the journal before, but heard only {}; it waits for the rest, and for those that have not applied all they stored: they need a leader",
                        voter,
                        answers);
                isWaitTold = true;
            }
            caller.later(PAUSE, this::look);
        }
    }

    /**
     * @param answers of the other voters, one each
     * @param waited whether those that did not answer had their time
     */
    static Optional<Part> decide(int voters, Collection<Testimony> answers, boolean waited) {
        int majority = voters / 2 + 1;
        // Each majority that this voter was in has one of so many others, whichever they are.
        int enough = Math.min(voters - majority + 1, voters - 1);
        var newest =
                answers.stream()
                        .map(Testimony::standing)
                        .max(Comparator.comparingLong(Standing::changes))
                        .orElse(Standing.NEVER)
                        .part();
        if (count(answers, Extent.NOTHING_STORED, Extent.WHOLE) >= enough) {
            return Optional.of(newest);
        }
        return waited && isSafeToGuess(newest, answers, majority)
                ? Optional.of(newest)
                : Optional.empty();
    }

    private static long count(Collection<Testimony> answers, Extent... extents) {
        var counted = List.of(extents);
        return answers.stream().filter(answer -> counted.contains(answer.extent())).count();
    }

    private static boolean isSafeToGuess(Part newest, Collection<Testimony> answers, int majority) {
        return switch (newest) {
            case TAKEN -> true;
            // With fewer there is no majority to found a cluster with. And one that has a journal
            // is not being founded: who is silent may know more of it.
            case NONE -> count(answers, Extent.NOTHING_STORED) >= majority - 1;
            // It may have begun anew since, and been lost again.
            case READMITTED -> false;
        };
    }

    private void ask(RaftPeerId other) {
        caller.testimony(other, QueryCodec.encode(new Query.Standing(voter)))
                .thenApply(answer -> testimony(other, answer))
                .whenComplete((answer, failure) -> {
                    if (answer != null) {
                        answers.put(other, answer);
                    } else if (knowsNoJournal(failure)) {
                        // It runs, and has an empty folder, too: it asks the same.
                        answers.put(other, new Testimony(Standing.NEVER, Extent.NOTHING_STORED));
                    }
                    if (!result.isDone()) {
                        caller.later(PAUSE, () -> ask(other));
                    }
                });
    }

    private Testimony testimony(RaftPeerId other, VoterAnswer.Testimony answer) {
        if (!(ReplyCodec.decode(answer.answer()) instanceof Reply.Standing(var standing))) {
            throw new MalformedException("Not an answer to how a voter stands");
        }
        long logEnd = logEnds.merge(other, answer.logEnd(), Math::min);
        return new Testimony(standing, extent(answer.applied(), logEnd));
    }

    /**
     * @param logEnd of the Raft log; negative: there is no entry
     */
    static Extent extent(long applied, long logEnd) {
        if (logEnd < 0) {
            return Extent.NOTHING_STORED;
        }
        return applied >= logEnd ? Extent.WHOLE : Extent.PARTIAL;
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
