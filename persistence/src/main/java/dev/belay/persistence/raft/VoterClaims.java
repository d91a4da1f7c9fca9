package dev.belay.persistence.raft;

import dev.belay.persistence.raft.VoterRegister.Part;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How this node's voter comes to take part: first the question whether it may, see {@link
 * VoterGuard}, then the journal is told that what it acknowledges counts, then the leader counts
 * it. All of that is repeated until it is done, and after each start.
 */
final class VoterClaims {
    private static final Logger LOG = LoggerFactory.getLogger(VoterClaims.class);
    private static final Duration PAUSE = Duration.ofMillis(500);

    private final JournalSettings settings;
    private final RaftCaller caller;
    private final VoterPeer peer;
    private final Consumer<String> onForgotten;
    private final Consumer<String> onFatal;

    private boolean isLackTold;

    /**
     * @param onForgotten called when the voter must not start, with what an operator is to know
     * @param onFatal called when it can not start
     */
    VoterClaims(
            JournalSettings settings,
            RaftCaller caller,
            VoterPeer peer,
            Consumer<String> onForgotten,
            Consumer<String> onFatal) {
        this.settings = settings;
        this.caller = caller;
        this.peer = peer;
        this.onForgotten = onForgotten;
        this.onFatal = onFatal;
    }

    void start() {
        if (!peer.isOpen()) {
            openWithRoom();
            return;
        }
        if (peer.takesPart()) {
            claim();
            return;
        }
        var _ =
                new VoterGuard(caller, settings.node())
                        .ask()
                        .thenAcceptAsync(this::begin, caller::soon);
    }

    private void openWithRoom() {
        var lack = peer.room().lackToStart();
        if (lack.isPresent()) {
            if (!isLackTold) {
                LOG.error("This voter does not start: {}; it waits for room", lack.get());
                isLackTold = true;
            }
            caller.later(PAUSE, this::openWithRoom);
            return;
        }
        try {
            peer.open();
            if (!peer.isOpen()) {
                return;
            }
            LOG.info("There is room in {}: this voter starts", settings.folder());
        } catch (IOException | RuntimeException e) {
            LOG.error("The Raft peer can not start", e);
            onFatal.accept("The Raft peer can not start: " + e);
            return;
        }
        start();
    }

    private void begin(Part part) {
        if (part == Part.TAKEN) {
            onForgotten.accept(forgotten());
            return;
        }
        try {
            LOG.info("The folder {} is empty; the others say: {}", settings.folder(), part);
            peer.begin(part == Part.READMITTED);
            claim();
        } catch (IOException | RuntimeException e) {
            LOG.error("The Raft peer can not start", e);
            onFatal.accept("The Raft peer can not start: " + e);
        }
    }

    private String forgotten() {
        return "Expected the data of voter %1$s in %2$s, but the folder is empty, and the other voters know that %1$s took part in the journal before. It does not vote without what it stored, as entries could be lost by that; the other voters go on. If another node has this name, give this one a name of its own. If the data is elsewhere (a disk that is not mounted?), bring it back; if it is lost, run 'belay server readmit %1$s' against another node. Then start this node again."
                .formatted(settings.node(), settings.folder());
    }

    private void claim() {
        again(caller.write(claimed()), this::count, this::claim);
    }

    private byte[] claimed() {
        return CommandCodec.encode(
                new CommandCodec.Request(
                        java.util.UUID.randomUUID(), new Command.TakesPart(settings.node())));
    }

    private void count() {
        var address = String.valueOf(settings.voters().get(settings.node()));
        again(caller.change(VoterDesk.count(settings.node(), address)), this::done, this::count);
    }

    private void done() {
        try {
            peer.isCounted();
        } catch (IOException e) {
            LOG.warn("Expected to forget that this voter began anew, but could not", e);
        }
    }

    private void again(CompletableFuture<byte[]> asked, Runnable next, Runnable repeat) {
        var _ =
                asked.whenComplete((_, failure) -> {
                    if (failure == null) {
                        caller.soon(next);
                    } else {
                        caller.later(PAUSE, repeat);
                    }
                });
    }
}
