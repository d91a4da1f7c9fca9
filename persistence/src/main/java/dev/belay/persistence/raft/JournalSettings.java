package dev.belay.persistence.raft;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How this node takes part in the journal.
 *
 * @param node this node's name; it is a voter if {@code voters} has it
 * @param voters name → {@code host:port} of every voter's Raft port, the same on all nodes
 * @param folder where a voter keeps log, store and snapshots
 * @param electionTimeoutMin a follower that hears nothing for a random time from here …
 * @param electionTimeoutMax … to here stands for election
 * @param attemptTimeout how long one voter is waited for before the next is asked
 * @param requestTimeout after this a write's outcome is unknown, and a read failed
 * @param snapshotThreshold Raft entries between two snapshot files
 */
public record JournalSettings(
        String node,
        Map<String, String> voters,
        Path folder,
        Duration electionTimeoutMin,
        Duration electionTimeoutMax,
        Duration attemptTimeout,
        Duration requestTimeout,
        long snapshotThreshold) {

    public JournalSettings {
        voters = Map.copyOf(voters);
        if (voters.isEmpty()) {
            throw new IllegalArgumentException("Expected at least one voter, but there is none");
        }
        if (electionTimeoutMin.compareTo(electionTimeoutMax) >= 0) {
            throw new IllegalArgumentException(
                    "Expected an election time-out range, but got %s to %s"
                            .formatted(electionTimeoutMin, electionTimeoutMax));
        }
        if (snapshotThreshold < 1) {
            throw new IllegalArgumentException(
                    "Expected a snapshot threshold from 1, but got " + snapshotThreshold);
        }
    }

    /** With the default times. */
    public static JournalSettings of(String node, Map<String, String> voters, Path folder) {
        return new JournalSettings(
                node,
                voters,
                folder,
                Duration.ofMillis(200),
                Duration.ofMillis(400),
                Duration.ofSeconds(1),
                Duration.ofSeconds(5),
                20_000);
    }

    /** From {@code belay.persistence.raft}; its keys are described in reference.conf. */
    public static JournalSettings from(Config raft) {
        var voters = new LinkedHashMap<String, String>();
        var configured = raft.getConfig("voters");
        raft.getObject("voters")
                .keySet()
                .forEach(name ->
                        voters.put(
                                name,
                                configured.getString(
                                        com.typesafe.config.ConfigUtil.joinPath(name))));
        return new JournalSettings(
                raft.getString("node"),
                voters,
                Path.of(raft.getString("folder")),
                raft.getDuration("election-timeout-min"),
                raft.getDuration("election-timeout-max"),
                raft.getDuration("attempt-timeout"),
                raft.getDuration("request-timeout"),
                raft.getLong("snapshot-threshold"));
    }

    /** The same with other election time-outs. */
    public JournalSettings withElectionTimeouts(Duration min, Duration max) {
        return new JournalSettings(
                node, voters, folder, min, max, attemptTimeout, requestTimeout, snapshotThreshold);
    }

    /** The same with other time-outs of one attempt and of a whole request. */
    public JournalSettings withRequestTimeouts(Duration attempt, Duration request) {
        return new JournalSettings(
                node,
                voters,
                folder,
                electionTimeoutMin,
                electionTimeoutMax,
                attempt,
                request,
                snapshotThreshold);
    }

    /** The same with another number of entries between snapshot files. */
    public JournalSettings withSnapshotThreshold(long entries) {
        return new JournalSettings(
                node,
                voters,
                folder,
                electionTimeoutMin,
                electionTimeoutMax,
                attemptTimeout,
                requestTimeout,
                entries);
    }

    public boolean isVoter() {
        return voters.containsKey(node);
    }
}
