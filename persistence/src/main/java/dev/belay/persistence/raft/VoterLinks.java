package dev.belay.persistence.raft;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;

/**
 * Gives connections to other voters up that have been silent for long, so that new ones are made.
 *
 * <p>Neither Ratis nor gRPC does. A machine that lost its power closes no connection, and when it
 * is back only the next repetition of a packet of the old connection learns that nobody knows it.
 * The kernel makes the pause between two of them as long as the machine was away, up to two
 * minutes. So long a voter that is back would hear of no leader.
 */
final class VoterLinks {
    /** More than a follower takes for the chunks of a snapshot, see {@link RatisConfig}. */
    private static final Duration SILENCE = Duration.ofSeconds(5);

    private final RaftServer server;
    private final Set<RaftPeerId> renewing = ConcurrentHashMap.newKeySet();
    private long ledAt = System.nanoTime();

    VoterLinks(RaftServer server) {
        this.server = server;
    }

    /** To be called again and again, by one thread at a time. */
    void watch() throws IOException {
        var division = server.getDivision(RatisConfig.GROUP);
        var info = division.getInfo();
        if (info.getLeaderId() != null) {
            ledAt = System.nanoTime();
        }
        var role = info.getRoleInfoProto();
        if (role.hasLeaderInfo()) {
            role.getLeaderInfo().getFollowerInfoList().stream()
                    .filter(voter -> voter.getLastRpcElapsedTimeMs() > SILENCE.toMillis())
                    .map(voter -> RaftPeerId.valueOf(voter.getId().getId()))
                    .forEach(this::renew);
        } else if (System.nanoTime() - ledAt > SILENCE.toNanos()) {
            // Whoever is to vote for this one, or for whom it is to vote, may be back, too.
            others(division).forEach(this::renew);
        }
    }

    private List<RaftPeerId> others(RaftServer.Division division) {
        var others = new ArrayList<RaftPeerId>();
        division.getRaftConf().getCurrentPeers().forEach(peer -> others.add(peer.getId()));
        others.remove(server.getId());
        return others;
    }

    /**
     * The new connection is there at once, but Ratis gives the old one seconds to end, and uses it
     * meanwhile. The next renewal comes after that and another silence.
     */
    private void renew(RaftPeerId voter) {
        if (renewing.add(voter)) {
            Thread.ofVirtual()
                    .name("journal-link-" + voter)
                    .start(() -> {
                        try {
                            server.getServerRpc()
                                    .handleException(
                                            voter, new IOException(voter + " is silent"), true);
                            Thread.sleep(SILENCE);
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        } finally {
                            renewing.remove(voter);
                        }
                    });
        }
    }
}
