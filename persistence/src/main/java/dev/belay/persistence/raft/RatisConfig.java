package dev.belay.persistence.raft;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.apache.ratis.client.RaftClientConfigKeys;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/** Our settings in the words of Ratis. */
final class RatisConfig {
    /** All clusters have this one; they are told apart by their voters' addresses. */
    static final RaftGroupId GROUP =
            RaftGroupId.valueOf(UUID.fromString("be1a9000-0000-4000-8000-000000000001"));

    /** The largest command, in bytes: events of one append, or one snapshot. */
    static final int MAX_COMMAND = 4 << 20;

    /** What Ratis adds to a command. */
    private static final int OVERHEAD = 64 << 10;

    private RatisConfig() {}

    static RaftGroup group(JournalSettings settings) {
        var peers =
                settings.voters().entrySet().stream()
                        .sorted(java.util.Map.Entry.comparingByKey())
                        .map(voter ->
                                RaftPeer.newBuilder()
                                        .setId(voter.getKey())
                                        .setAddress(voter.getValue())
                                        .build())
                        .toList();
        return RaftGroup.valueOf(GROUP, peers);
    }

    static RaftProperties client(JournalSettings settings) {
        var p = new RaftProperties();
        RaftClientConfigKeys.Rpc.setRequestTimeout(p, time(settings.attemptTimeout()));
        GrpcConfigKeys.setMessageSizeMax(p, SizeInBytes.valueOf(2L * MAX_COMMAND));
        return p;
    }

    static RaftProperties server(JournalSettings settings, String host, int port) {
        var p = client(settings);
        GrpcConfigKeys.Server.setHost(p, host);
        GrpcConfigKeys.Server.setPort(p, port);
        RaftServerConfigKeys.setStorageDir(p, List.of(settings.folder().resolve("raft").toFile()));
        elections(p, settings);
        log(p);
        // A leader whose first connection to a returning voter is refused waits for the answer to
        // its first chunks all the same: for the product of these two, by default 24 s.
        GrpcConfigKeys.Server.setInstallSnapshotRequestElementLimit(p, 4);
        GrpcConfigKeys.Server.setInstallSnapshotRequestTimeout(p, millis(1000));
        RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(p, true);
        RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(p, settings.snapshotThreshold());
        RaftServerConfigKeys.Snapshot.setRetentionFileNum(p, 2);
        RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(p, true);
        RaftServerConfigKeys.Log.setPurgeGap(p, (int) Math.min(1024, settings.snapshotThreshold()));
        RaftServerConfigKeys.ThreadPool.setServerSize(p, 8);
        RaftServerConfigKeys.ThreadPool.setProxySize(p, 8);
        RaftServerConfigKeys.ThreadPool.setClientSize(p, 4);
        return p;
    }

    private static void elections(RaftProperties p, JournalSettings settings) {
        var min = time(settings.electionTimeoutMin());
        var max = time(settings.electionTimeoutMax());
        RaftServerConfigKeys.Rpc.setTimeoutMin(p, min);
        RaftServerConfigKeys.Rpc.setTimeoutMax(p, max);
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(p, min);
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(p, max);
        long maxMillis = settings.electionTimeoutMax().toMillis();
        RaftServerConfigKeys.Rpc.setSleepTime(p, millis(Math.max(10, maxMillis / 12)));
        RaftServerConfigKeys.Rpc.setRequestTimeout(p, millis(2 * maxMillis));
        // A leader that lost its majority for that long says so, and its callers go elsewhere.
        RaftServerConfigKeys.LeaderElection.setLeaderStepDownWaitTime(p, millis(2 * maxMillis));
    }

    private static void log(RaftProperties p) {
        RaftServerConfigKeys.Log.setSegmentSizeMax(p, SizeInBytes.valueOf("8MB"));
        RaftServerConfigKeys.Log.setPreallocatedSize(p, SizeInBytes.valueOf("1MB"));
        // How long a leader waits before it tries an unreachable voter again. The default comes to
        // 7 s, in which a voter that is back hears nothing.
        RaftServerConfigKeys.Log.Appender.setRetryPolicy(p, "1ms,10, 200ms,10, 500ms,1000000000");
        RaftServerConfigKeys.Log.Appender.setBufferByteLimit(
                p, SizeInBytes.valueOf(MAX_COMMAND + OVERHEAD));
        // A chunk of a snapshot must fit into a message, which Ratis' default of 16 MB does not.
        RaftServerConfigKeys.Log.Appender.setSnapshotChunkSizeMax(p, SizeInBytes.valueOf("1MB"));
        RaftServerConfigKeys.Log.setWriteBufferSize(
                p, SizeInBytes.valueOf(MAX_COMMAND + 2L * OVERHEAD));
        // Entries are cached for followers that are a little behind; the default keeps 200 MB.
        RaftServerConfigKeys.Log.setSegmentCacheNumMax(p, 2);
        RaftServerConfigKeys.Log.setSegmentCacheSizeMax(p, SizeInBytes.valueOf("16MB"));
    }

    private static TimeDuration time(Duration duration) {
        return millis(duration.toMillis());
    }

    private static TimeDuration millis(long millis) {
        return TimeDuration.valueOf(millis, MILLISECONDS);
    }
}
