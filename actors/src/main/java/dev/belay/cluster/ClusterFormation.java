package dev.belay.cluster;

import dev.belay.model.ServerName;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/**
 * The journal's word on who may found a new Pekko cluster. Every process of a node says that it
 * booted, later that it joined. Founding is granted only while a majority of the voters are booted
 * and not joined; the grant itself counts as joined, so two nodes can never found side by side.
 */
public interface ClusterFormation {
    sealed interface Answer {
        /** Found the cluster: you are its first member. */
        record Granted(long generation) implements Answer {}

        /** Somebody else did, or may still: keep looking for members. */
        record Refused(String why) implements Answer {}
    }

    /** A fresh process ({@code run}) of this node is up and in no cluster. Repeats are harmless. */
    CompletionStage<Void> booted(ServerName node, UUID run);

    /**
     * May this process found a cluster? Refused also for a run that is not the node's newest.
     *
     * @param all granted only while every voter is booted and not joined: then there is no cluster
     *     to be looked for first
     */
    CompletionStage<Answer> found(ServerName node, UUID run, boolean all);

    /** This process is a member of the cluster of the newest generation. */
    CompletionStage<Void> joined(ServerName node, UUID run);

    /**
     * The newest generation that this node's copy of the journal knows: it was founded last. 0:
     * never.
     */
    long newestGeneration();
}
