package dev.belay.persistence.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.belay.cluster.LeaseAuthority.Verdict;
import dev.belay.model.Incarnation;
import dev.belay.model.JournalGuard;
import dev.belay.model.JournalGuard.Admits;
import dev.belay.model.JournalGuard.Fences;
import dev.belay.model.JournalGuard.Grants;
import dev.belay.model.ServerName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The rules of the replicated state, on one store, without Raft. */
class JournalLogicTest {
    private static final ServerName ALPHA = new ServerName("alpha");

    @TempDir Path folder;
    private JournalStore store;
    private JournalLogic logic;
    private long index;

    @BeforeEach
    void open() throws IOException {
        store = JournalStore.open(folder.resolve("journal.mv"));
        logic = new JournalLogic(store, List.of("a", "b", "c"));
    }

    @AfterEach
    void close() {
        store.close();
    }

    private Reply apply(UUID id, Command command) {
        return ReplyCodec.decode(
                logic.apply(++index, CommandCodec.encode(new CommandCodec.Request(id, command))));
    }

    private Reply apply(Command command) {
        return apply(UUID.randomUUID(), command);
    }

    private Reply append(String id, long first, int count, JournalGuard... guards) {
        var events =
                java.util.stream.LongStream.range(first, first + count)
                        .mapToObj(i -> new StoredEvent(i, bytes(id + "-" + i)))
                        .toList();
        return apply(new Command.Append(id, "w", id.startsWith("vm|"), events, List.of(guards)));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private long highest(String id) {
        return ((Reply.Highest) logic.query(new Query.Highest(id))).sequenceNr();
    }

    private List<HistoryEntry> history(long from, int max, int maxBytes) {
        return ((Reply.History) logic.query(new Query.History(from, max, maxBytes))).entries();
    }

    private Verdict renew(long incarnation) {
        return ((Reply.Lease) logic.query(new Query.Renew("alpha", incarnation))).verdict();
    }

    private static JournalGuard grants(long incarnation) {
        return new Grants(ALPHA, new Incarnation(incarnation));
    }

    private static JournalGuard admits(long incarnation) {
        return new Admits(ALPHA, new Incarnation(incarnation));
    }

    private static JournalGuard fences(long incarnation) {
        return new Fences(ALPHA, new Incarnation(incarnation));
    }

    private static final Reply DONE = new Reply.Done();

    @Nested
    class Appending {
        @Test
        void aTakenNumberIsAConflictAndAGapIsNot() {
            assertThat(append("vm|a", 1, 3)).isEqualTo(DONE);
            assertThat(append("vm|a", 3, 1)).isEqualTo(new Reply.Conflict(3));
            assertThat(append("vm|a", 5, 1)).isEqualTo(DONE);
            assertThat(append("vm|a", 4, 1)).isEqualTo(new Reply.Conflict(5));
            assertThat(highest("vm|a")).isEqualTo(5);
        }

        @Test
        void entitiesWhoseNamesBeginAlikeAreApart() {
            append("vm|a", 1, 2);
            append("vm|ab", 1, 2);
            var query = new Query.Events("vm|a", 0, Long.MAX_VALUE, 100, 1 << 20);
            assertThat(((Reply.Events) logic.query(query)).events()).hasSize(2);
            apply(new Command.DeleteTo("vm|a", Long.MAX_VALUE));
            assertThat(((Reply.Events) logic.query(query)).events()).isEmpty();
            assertThat(highest("vm|a")).isEqualTo(2);
            assertThat(history(1, 100, 1 << 20))
                    .extracting(HistoryEntry::persistenceId)
                    .containsExactly("vm|ab", "vm|ab");
        }

        @Test
        void pagesEndByCountOrByBytes() {
            append("vm|a", 1, 10);
            var byCount = new Query.Events("vm|a", 3, 8, 4, 1 << 20);
            assertThat(((Reply.Events) logic.query(byCount)).events())
                    .extracting(StoredEvent::sequenceNr)
                    .containsExactly(3L, 4L, 5L, 6L);
            var byBytes = new Query.Events("vm|a", 3, 8, 100, 1);
            assertThat(((Reply.Events) logic.query(byBytes)).events()).hasSize(1);
        }

        @Test
        void whatIsNotBelaysHasNoPlaceInTheGlobalOrder() {
            append("/sharding/vmCoordinator", 1, 2);
            append("vm|a", 1, 1);
            append("/sharding/vmCoordinator", 3, 2);
            append("vm|b", 1, 1);
            assertThat(history(1, 100, 1 << 20))
                    .extracting(HistoryEntry::offset, HistoryEntry::persistenceId)
                    .containsExactly(
                            org.assertj.core.groups.Tuple.tuple(1L, "vm|a"),
                            org.assertj.core.groups.Tuple.tuple(2L, "vm|b"));
            assertThat(history(2, 100, 1 << 20)).hasSize(1);
            assertThat(history(3, 100, 1 << 20)).isEmpty();
        }

        @Test
        void aRetryOfARefusedRequestStaysRefused() {
            var id = UUID.randomUUID();
            var claim =
                    new Command.Append(
                            "vm|a",
                            "w",
                            true,
                            List.of(new StoredEvent(1, bytes("x"))),
                            List.of(grants(1)));
            var refused = apply(id, claim);
            assertThat(refused).isInstanceOf(Reply.GuardRefused.class);
            append("server|alpha", 1, 1, admits(1));
            // The entity was told that nothing is stored, so a late twin must not store it.
            assertThat(apply(id, claim)).isEqualTo(refused);
            assertThat(highest("vm|a")).isZero();
        }

        @Test
        void onlyTheNewestRequestsAreRemembered() {
            for (int i = 1; i <= 5000; i++) {
                append("vm|a", i, 1);
            }
            assertThat(store.map(Table.REQUESTS)).hasSize(4096);
            assertThat(store.map(Table.REQUEST_ORDER)).hasSize(4096);
        }

        @Test
        void nonsenseIsAnsweredAndChangesNothing() {
            assertThat(ReplyCodec.decode(logic.apply(1, new byte[] {9})))
                    .isInstanceOf(Reply.Malformed.class);
            assertThat(append("vm|a", 0, 1)).isInstanceOf(Reply.Malformed.class);
            assertThat(append("vm|\0", 1, 1)).isInstanceOf(Reply.Malformed.class);
            assertThat(store.map(Table.EVENTS)).isEmpty();
        }
    }

    @Nested
    class Guarding {
        @Test
        void aRightIsGrantedOnlyToTheNewestAdmittedIncarnation() {
            assertThat(append("vm|a", 1, 1, grants(1))).isInstanceOf(Reply.GuardRefused.class);
            assertThat(append("server|alpha", 1, 1, admits(1))).isEqualTo(DONE);
            assertThat(append("vm|a", 1, 1, grants(1))).isEqualTo(DONE);
            assertThat(append("server|alpha", 2, 1, admits(2))).isEqualTo(DONE);
            assertThat(append("vm|a", 2, 1, grants(1))).isInstanceOf(Reply.GuardRefused.class);
            assertThat(append("vm|a", 2, 1, grants(3))).isInstanceOf(Reply.GuardRefused.class);
            assertThat(append("vm|a", 2, 1, grants(2))).isEqualTo(DONE);
        }

        @Test
        void aFencedIncarnationGetsNoRightAndANewOneDoes() {
            append("server|alpha", 1, 1, admits(1));
            assertThat(append("server|alpha", 2, 1, fences(1))).isEqualTo(DONE);
            assertThat(append("vm|a", 1, 1, grants(1)))
                    .isEqualTo(
                            new Reply.GuardRefused(
                                    "Grants[server=alpha, incarnation=#1] does not hold: alpha is fenced up to #1"));
            assertThat(append("server|alpha", 3, 1, admits(1)))
                    .isInstanceOf(Reply.GuardRefused.class);
            assertThat(append("server|alpha", 3, 1, admits(2))).isEqualTo(DONE);
            assertThat(append("vm|a", 1, 1, grants(2))).isEqualTo(DONE);
        }

        @Test
        void fencingIsNeverRefusedAndNeverTakenBack() {
            assertThat(append("server|alpha", 1, 1, fences(5))).isEqualTo(DONE);
            assertThat(append("server|alpha", 2, 1, fences(3))).isEqualTo(DONE);
            assertThat(append("server|alpha", 3, 1, admits(5)))
                    .isInstanceOf(Reply.GuardRefused.class);
            assertThat(append("server|alpha", 3, 1, admits(6))).isEqualTo(DONE);
        }

        @Test
        void guardsOfOneAppendSeeEachOtherInOrder() {
            assertThat(append("vm|a", 1, 1, admits(1), grants(1))).isEqualTo(DONE);
            assertThat(append("vm|a", 2, 1, fences(1), grants(1)))
                    .isInstanceOf(Reply.GuardRefused.class);
            // Nothing of the refused append is kept, not even its fence.
            assertThat(append("vm|a", 2, 1, grants(1))).isEqualTo(DONE);
        }

        @Test
        void leasesFollowTheSameFacts() {
            assertThat(renew(1)).isEqualTo(Verdict.UNKNOWN);
            append("server|alpha", 1, 1, admits(2));
            assertThat(renew(1)).isEqualTo(Verdict.FENCED);
            assertThat(renew(2)).isEqualTo(Verdict.GRANTED);
            assertThat(renew(3)).isEqualTo(Verdict.UNKNOWN);
            append("server|alpha", 2, 1, fences(2));
            assertThat(renew(2)).isEqualTo(Verdict.FENCED);
            assertThat(renew(0)).isEqualTo(Verdict.UNKNOWN);
        }
    }

    @Nested
    class Founding {
        private final UUID runA = UUID.randomUUID();
        private final UUID runB = UUID.randomUUID();

        private void boot(String... nodes) {
            for (var node : nodes) {
                apply(new Command.Booted(node, UUID.randomUUID()));
            }
        }

        private Reply found(String node, UUID run) {
            return apply(new Command.Found(node, run, false));
        }

        @Test
        void needsAMajorityOfBootedVoters() {
            apply(new Command.Booted("a", runA));
            boot("x", "y"); // not voters
            assertThat(found("a", runA)).isInstanceOf(Reply.FoundRefused.class);
            boot("b");
            assertThat(found("a", runA)).isEqualTo(new Reply.FoundGranted(1));
            assertThat(logic.generation()).isEqualTo(1);
        }

        @Test
        void beforeOneHasLookedAroundItNeedsAllVoters() {
            apply(new Command.Booted("a", runA));
            boot("b");
            assertThat(apply(new Command.Found("a", runA, true)))
                    .isInstanceOf(Reply.FoundRefused.class);
            boot("c");
            assertThat(apply(new Command.Found("a", runA, true)))
                    .isEqualTo(new Reply.FoundGranted(1));
        }

        @Test
        void isGrantedToOneOfThreeThatBootedTogether() {
            apply(new Command.Booted("a", runA));
            apply(new Command.Booted("b", runB));
            boot("c");
            assertThat(found("a", runA)).isEqualTo(new Reply.FoundGranted(1));
            assertThat(found("b", runB)).isInstanceOf(Reply.FoundRefused.class);
        }

        @Test
        void isGrantedAgainToTheSameRunWhoseAnswerGotLost() {
            apply(new Command.Booted("a", runA));
            boot("b");
            assertThat(found("a", runA)).isEqualTo(new Reply.FoundGranted(1));
            assertThat(found("a", runA)).isEqualTo(new Reply.FoundGranted(1));
            apply(new Command.Joined("a", runA));
            assertThat(found("a", runA)).isInstanceOf(Reply.FoundRefused.class);
        }

        @Test
        void isRefusedToARunThatIsNotTheNewest() {
            apply(new Command.Booted("a", runA));
            boot("a", "b", "c");
            assertThat(found("a", runA)).isInstanceOf(Reply.FoundRefused.class);
        }

        @Test
        void isRefusedWhileAMajorityIsJoinedAndGrantedAfterAllRebooted() {
            apply(new Command.Booted("a", runA));
            apply(new Command.Booted("b", runB));
            found("a", runA);
            apply(new Command.Joined("a", runA));
            apply(new Command.Joined("b", runB));
            var again = UUID.randomUUID();
            apply(new Command.Booted("c", again));
            assertThat(found("c", again)).isInstanceOf(Reply.FoundRefused.class);
            boot("a", "b");
            assertThat(found("c", again)).isEqualTo(new Reply.FoundGranted(2));
        }

        @Test
        void aLateRepeatOfAnEarlierBootIsIgnored() {
            apply(new Command.Booted("a", runA));
            boot("b");
            found("a", runA);
            apply(new Command.Joined("a", runA));
            apply(new Command.Booted("a", runA));
            boot("b");
            assertThat(found("a", runA)).isInstanceOf(Reply.FoundRefused.class);
            apply(new Command.Booted("a", runB));
            apply(new Command.Joined("a", runB));
            apply(new Command.Booted("a", runA));
            var runOfB = UUID.randomUUID();
            apply(new Command.Booted("b", runOfB));
            assertThat(found("b", runOfB)).isInstanceOf(Reply.FoundRefused.class);
        }
    }
}
