package dev.belay.persistence.raft;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.StateMachineException;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;

/**
 * A voter's answers to reads and writes that come from other nodes or its own.
 *
 * <p>All of them arrive as what Ratis calls a stale read, which any voter answers. A write that
 * Ratis itself takes to a voter that does not lead ends the whole connection to it, and all that is
 * under way there; here it is an answer like others.
 */
final class VoterDesk {
    private static final byte READ = 1;
    private static final byte WRITE = 2;
    private static final byte LOOK = 3;
    private static final byte COUNT = 4;
    private static final byte DISCOUNT = 5;
    private static final byte TESTIFY = 6;

    private final RaftServer server;
    private final UnaryOperator<byte[]> copy;
    private final LongSupplier applied;
    private final BooleanSupplier beginsAnew;
    private final Executor threads = Executors.newVirtualThreadPerTaskExecutor();
    private final ClientId client = ClientId.randomId();
    private final AtomicLong callIds = new AtomicLong();

    /**
     * @param copy answers a query out of this voter's copy
     * @param applied the newest entry that is in it
     * @param beginsAnew whether this voter forgot what it stored, and is not counted again yet
     */
    VoterDesk(
            RaftServer server,
            UnaryOperator<byte[]> copy,
            LongSupplier applied,
            BooleanSupplier beginsAnew) {
        this.server = server;
        this.copy = copy;
        this.applied = applied;
        this.beginsAnew = beginsAnew;
    }

    static byte[] read(byte[] query) {
        return put(READ, query);
    }

    static byte[] write(byte[] command) {
        return put(WRITE, command);
    }

    static byte[] look(byte[] query) {
        return put(LOOK, query);
    }

    static byte[] testify(byte[] query) {
        return put(TESTIFY, query);
    }

    /** That this voter's voice counts among the others'. */
    static byte[] count(String voter, String address) {
        return put(COUNT, new WireWriter().text(voter).text(address).toBytes());
    }

    /** That it counts no longer. */
    static byte[] discount(String voter) {
        return put(DISCOUNT, new WireWriter().text(voter).toBytes());
    }

    private static byte[] put(byte kind, byte[] content) {
        var bytes = new byte[content.length + 1];
        bytes[0] = kind;
        System.arraycopy(content, 0, bytes, 1, content.length);
        return bytes;
    }

    CompletableFuture<VoterAnswer> handle(ByteString request) {
        if (request.isEmpty()) {
            return CompletableFuture.failedFuture(new IllegalArgumentException("Empty request"));
        }
        var content = request.substring(1);
        return switch (request.byteAt(0)) {
            case READ -> CompletableFuture.completedFuture(view(content.toByteArray()));
            case WRITE -> write(content);
            case LOOK ->
                    CompletableFuture.completedFuture(
                            new VoterAnswer.Copy(copy.apply(content.toByteArray())));
            case TESTIFY -> testimony(content.toByteArray());
            case COUNT -> count(new WireReader(content.toByteArray()));
            case DISCOUNT -> discount(new WireReader(content.toByteArray()));
            default ->
                    CompletableFuture.failedFuture(
                            new IllegalArgumentException(
                                    "Unknown kind of request " + request.byteAt(0)));
        };
    }

    /**
     * The term that this voter leads in is looked up before the copy is: whatever that leader
     * acknowledged before is in the copy then. And it is taken from the leader's own state, as a
     * leader that is being deposed may know a newer term already.
     */
    private VoterAnswer view(byte[] query) {
        var info = division().getInfo();
        var role = info.getRoleInfoProto();
        long led =
                role.hasLeaderInfo() && info.isLeaderReady() ? role.getLeaderInfo().getTerm() : 0;
        var answer = led > 0 ? copy.apply(query) : new byte[0];
        var leader = info.getLeaderId();
        return new VoterAnswer.View(
                info.getCurrentTerm(), led, leader == null ? "" : leader.toString(), answer);
    }

    /** What is applied is looked up before the copy is, which then holds no less. */
    private CompletableFuture<VoterAnswer> testimony(byte[] query) {
        if (beginsAnew.getAsBoolean()) {
            return CompletableFuture.failedFuture(
                    new IllegalStateException("It begins anew: it forgot what it stored"));
        }
        long inCopy = applied.getAsLong();
        long logEnd = division().getRaftLog().getNextIndex() - 1;
        return CompletableFuture.completedFuture(
                new VoterAnswer.Testimony(inCopy, logEnd, copy.apply(query)));
    }

    private RaftServer.Division division() {
        try {
            return server.getDivision(RatisConfig.GROUP);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private CompletableFuture<VoterAnswer> write(ByteString command) {
        var request =
                RaftClientRequest.newBuilder()
                        .setClientId(client)
                        .setServerId(server.getId())
                        .setGroupId(RatisConfig.GROUP)
                        .setCallId(callIds.incrementAndGet())
                        .setMessage(Message.valueOf(command))
                        .setType(RaftClientRequest.writeRequestType())
                        .build();
        // Ratis works on a request in a few threads, and this is called in one of them: it must not
        // wait here for another of them.
        return CompletableFuture.supplyAsync(() -> submit(request), threads)
                .thenCompose(reply -> reply)
                .handle(VoterDesk::answer);
    }

    private CompletableFuture<RaftClientReply> submit(RaftClientRequest request) {
        try {
            return server.submitClientRequestAsync(request);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private CompletableFuture<VoterAnswer> count(WireReader in) {
        var voter =
                RaftPeer.newBuilder()
                        .setId(RaftPeerId.valueOf(in.text()))
                        .setAddress(in.text())
                        .build();
        var counted = counted();
        boolean isCounted = counted.stream().anyMatch(peer -> peer.getId().equals(voter.getId()));
        return configure(
                counted,
                isCounted ? counted : Stream.concat(counted.stream(), Stream.of(voter)).toList());
    }

    private CompletableFuture<VoterAnswer> discount(WireReader in) {
        var voter = RaftPeerId.valueOf(in.text());
        var counted = counted();
        return configure(
                counted, counted.stream().filter(peer -> !peer.getId().equals(voter)).toList());
    }

    private List<RaftPeer> counted() {
        return List.copyOf(division().getRaftConf().getCurrentPeers());
    }

    /** Also when nothing changes: only the leader knows whether what is known here is committed. */
    private CompletableFuture<VoterAnswer> configure(List<RaftPeer> from, List<RaftPeer> to) {
        var request =
                new SetConfigurationRequest(
                        client,
                        server.getId(),
                        RatisConfig.GROUP,
                        callIds.incrementAndGet(),
                        SetConfigurationRequest.Arguments.newBuilder()
                                .setMode(SetConfigurationRequest.Mode.COMPARE_AND_SET)
                                .setServersInCurrentConf(from)
                                .setServersInNewConf(to)
                                .build());
        return CompletableFuture.supplyAsync(() -> submit(request), threads)
                .thenCompose(reply -> reply)
                .handle(VoterDesk::answer);
    }

    private CompletableFuture<RaftClientReply> submit(SetConfigurationRequest request) {
        try {
            return server.setConfigurationAsync(request);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static VoterAnswer answer(
            @org.jspecify.annotations.Nullable RaftClientReply reply,
            @org.jspecify.annotations.Nullable Throwable failure) {
        if (reply != null && reply.isSuccess()) {
            // A change of who is counted has no answer but that it is done.
            var message = reply.getMessage();
            return new VoterAnswer.Applied(
                    message == null ? new byte[0] : message.getContent().toByteArray());
        }
        var why = failure != null ? unwrap(failure) : reply == null ? null : reply.getException();
        return switch (why) {
            case StateMachineException broken -> new VoterAnswer.Failed(broken.toString());
            case NotLeaderException not when not.getSuggestedLeader() != null ->
                    new VoterAnswer.Elsewhere(
                            not.getSuggestedLeader().getId().toString(), not.toString());
            case null, default -> new VoterAnswer.Elsewhere("", Objects.toString(why));
        };
    }

    private static Throwable unwrap(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
    }
}
