package dev.belay.persistence.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.belay.cluster.LeaseAuthority.Verdict;
import dev.belay.model.Incarnation;
import dev.belay.model.JournalGuard;
import dev.belay.model.ServerName;
import dev.belay.persistence.raft.WireReader.MalformedException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CodecTest {
    private static final UUID RUN = new UUID(1, 2);
    private static final byte[] BYTES = {1, 2, 3};
    private static final SnapshotRange RANGE = new SnapshotRange(1, 2, 3, 4);

    static List<Command> commands() {
        var server = new ServerName("alpha");
        var incarnation = new Incarnation(7);
        return List.of(
                new Command.Append(
                        "vm|ä",
                        "writer",
                        true,
                        List.of(new StoredEvent(1, BYTES), new StoredEvent(3, new byte[0])),
                        List.of(
                                new JournalGuard.Grants(server, incarnation),
                                new JournalGuard.Admits(server, incarnation),
                                new JournalGuard.Fences(server, incarnation))),
                new Command.DeleteTo("vm|a", Long.MAX_VALUE),
                new Command.SaveSnapshot("vm|a", 1, 2, BYTES),
                new Command.DeleteSnapshots("vm|a", RANGE),
                new Command.Booted("a", RUN),
                new Command.Found("a", RUN, true),
                new Command.Joined("a", RUN),
                new Command.TakesPart("a"),
                new Command.Readmits("a"));
    }

    static List<Query> queries() {
        return List.of(
                new Query.Events("vm|a", 1, 2, 3, 4),
                new Query.Highest("vm|a"),
                new Query.LoadSnapshot("vm|a", RANGE),
                new Query.Renew("alpha", 4),
                new Query.History(1, 2, 3),
                new Query.Status(),
                new Query.Standing("a"));
    }

    static List<Reply> replies() {
        var event = new StoredEvent(5, BYTES);
        return List.of(
                new Reply.Done(),
                new Reply.Conflict(9),
                new Reply.GuardRefused("no"),
                new Reply.FoundGranted(3),
                new Reply.FoundRefused("no"),
                new Reply.Events(List.of(event)),
                new Reply.Highest(4),
                new Reply.Snapshot(1, 2, BYTES),
                new Reply.NoSnapshot(),
                new Reply.Lease(Verdict.FENCED),
                new Reply.History(List.of(new HistoryEntry(8, "vm|a", event))),
                new Reply.Status(1, 2),
                new Reply.Standing(new VoterRegister.Standing(VoterRegister.Part.READMITTED, 2)),
                new Reply.Malformed("what"));
    }

    private static byte[] encode(Command command) {
        return CommandCodec.encode(new CommandCodec.Request(RUN, command));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void aCommandComesBackAndNothingLessDoes(Command command) {
        check(encode(command), bytes -> CommandCodec.decode(bytes).command(), command);
        assertThat(CommandCodec.decode(encode(command)).id()).isEqualTo(RUN);
    }

    @ParameterizedTest
    @MethodSource("queries")
    void aQueryComesBackAndNothingLessDoes(Query query) {
        check(QueryCodec.encode(query), QueryCodec::decode, query);
    }

    @ParameterizedTest
    @MethodSource("replies")
    void aReplyComesBackAndNothingLessDoes(Reply reply) {
        check(ReplyCodec.encode(reply), ReplyCodec::decode, reply);
    }

    static List<VoterAnswer> voterAnswers() {
        return List.of(
                new VoterAnswer.View(3, 2, "a", BYTES),
                new VoterAnswer.Applied(BYTES),
                new VoterAnswer.Elsewhere("b", "no"),
                new VoterAnswer.Failed("no"),
                new VoterAnswer.Copy(BYTES),
                new VoterAnswer.Testimony(6, -1, BYTES));
    }

    @ParameterizedTest
    @MethodSource("voterAnswers")
    void aVotersAnswerComesBackAndNothingLessDoes(VoterAnswer answer) {
        check(answer.toBytes(), VoterAnswer::of, answer);
    }

    private static void check(byte[] bytes, Function<byte[], Object> decode, Object expected) {
        assertThat(decode.apply(bytes)).usingRecursiveComparison().isEqualTo(expected);
        for (int length = 0; length < bytes.length; length++) {
            var cut = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> decode.apply(cut)).isInstanceOf(MalformedException.class);
        }
        var longer = Arrays.copyOf(bytes, bytes.length + 1);
        assertThatThrownBy(() -> decode.apply(longer)).isInstanceOf(MalformedException.class);
    }

    @Test
    void anyBytesEndInAMessageOrInMalformed() {
        var random = new Random(1);
        var seeds = commands().stream().map(CodecTest::encode).toList();
        for (int i = 0; i < 20_000; i++) {
            var bytes = seeds.get(i % seeds.size()).clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                CommandCodec.decode(bytes);
            } catch (MalformedException expected) {
                assertThat(expected.getMessage()).isNotEmpty();
            }
        }
    }

    @Test
    void aHugeLengthIsRefusedBeforeItIsAllocated() {
        var bytes = new WireWriter().i32(Integer.MAX_VALUE).toBytes();
        assertThatThrownBy(() -> new WireReader(bytes).bytes())
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining("2147483647 more bytes, but 0 are left");
        assertThatThrownBy(() -> new WireReader(bytes).list(8, () -> 0L))
                .isInstanceOf(MalformedException.class);
    }
}
