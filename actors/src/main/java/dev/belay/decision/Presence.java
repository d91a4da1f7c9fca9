package dev.belay.decision;

import dev.belay.model.ServerName;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What one node has seen of a server, and whether that makes the server lost. It weighs evidence,
 * and proves nothing: a firewall that rejects looks like a dead process. So its verdict lets Belay
 * fence, and what ran there counts as ended only with a {@link Proof}.
 *
 * @param everUp this node saw it as a member of the cluster
 * @param missing since when no heartbeats come from it, or it is no member; empty: they come
 * @param returned its process answered while it was missing: it lives, and is on its way back
 * @param node the last knocks at the node's own process
 * @param replicas the last knocks at what the server runs
 */
public record Presence(
        boolean everUp, Optional<Moment> missing, boolean returned, Run node, Run replicas) {

    /** How a knock at a port ended. */
    public enum Knock {
        /** A process is there and did its part. */
        ANSWERED,
        /** The machine's kernel says that nobody listens: no such process lives. */
        REFUSED,
        /** Nothing in time: a dead machine, a cut cable, a hung or an overloaded process. */
        SILENT
    }

    /**
     * @param since on the looker's own clock, which never jumps
     * @param at the same on the wall: told, never computed with
     */
    public record Moment(Duration since, Instant at) {}

    /** The same answer, several times in a row. */
    public record Run(Knock knock, Moment first, int times) {
        Run then(Knock next, Moment now) {
            return next == knock ? new Run(knock, first, times + 1) : new Run(next, now, 1);
        }

        /** Seen, and seen again at a second look. */
        boolean isSure(Knock wanted) {
            return knock == wanted && times >= 2;
        }
    }

    /**
     * @param silent how long a server that does not answer at all is waited for, beyond the failure
     *     detector
     * @param refused how long connections must be refused while something of it may live: a
     *     supervisor may bring its process back
     * @param absent how long a server may stay out of the cluster whatever else is seen of it
     */
    public record Limits(Duration silent, Duration refused, Duration absent) {}

    public sealed interface Verdict {
        record Fine() implements Verdict {}

        record Wait(String why) implements Verdict {}

        record Lost(String why) implements Verdict {}
    }

    /** Nothing seen yet. */
    public static Presence unseen(Moment now) {
        var nothing = new Run(Knock.SILENT, now, 0);
        return new Presence(false, Optional.empty(), false, nothing, nothing);
    }

    /**
     * @param come it is a member of the cluster, and its heartbeats arrive
     */
    public Presence heartbeats(boolean come, Moment now) {
        if (come) {
            return new Presence(true, Optional.empty(), false, node, replicas);
        }
        return new Presence(
                everUp, missing.isPresent() ? missing : Optional.of(now), returned, node, replicas);
    }

    public Presence knocked(Knock atNode, Knock atReplicas, Moment now) {
        return new Presence(
                everUp,
                missing,
                returned || (missing.isPresent() && atNode == Knock.ANSWERED),
                node.then(atNode, now),
                replicas.then(atReplicas, now));
    }

    /**
     * @param hasVms the journal knows of VMs there; without, there is nothing to hurry for
     */
    public Verdict judge(Duration now, boolean hasVms, Limits limits) {
        if (everUp && hasVms && isEmptied()) {
            return new Verdict.Lost("nothing that Belay started lives there");
        }
        if (missing.isEmpty()) {
            return new Verdict.Fine();
        }
        var gone = missing.get().since();
        var same = later(gone, node.first().since());
        return switch (node.knock()) {
            case ANSWERED ->
                    verdict(
                            isOver(now, same, limits.absent()),
                            "its process answers, but does not join the cluster");
            case REFUSED ->
                    verdict(
                            isOver(now, gone, limits.absent())
                                    || (everUp
                                            && isOver(now, node.first().since(), limits.refused())),
                            "its process is dead and did not come back yet");
            case SILENT ->
                    // A process that has only just started is not yet as quick as it will be.
                    verdict(
                            isOver(now, gone, limits.absent())
                                    || (everUp
                                            && isOver(
                                                    now,
                                                    same,
                                                    returned ? limits.refused() : limits.silent())),
                            "it is silent");
        };
    }

    private static Verdict verdict(boolean isLost, String why) {
        return isLost ? new Verdict.Lost(why) : new Verdict.Wait(why);
    }

    /**
     * Since when this server counts among those that do not answer (safety.md 16); empty: it does
     * not.
     */
    public Optional<Duration> missedSince() {
        if (missing.isPresent() && node.knock() != Knock.ANSWERED) {
            return missing.map(Moment::since);
        }
        return isEmptied() ? Optional.of(node.first().since()) : Optional.empty();
    }

    /** Neither the node's process nor anything that it started is there. */
    private boolean isEmptied() {
        return node.isSure(Knock.REFUSED) && replicas.isSure(Knock.REFUSED);
    }

    private static boolean isOver(Duration now, Duration since, Duration limit) {
        return now.minus(since).compareTo(limit) > 0;
    }

    private static Duration later(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }

    /** What was seen, in words, for the report. */
    public List<Evidence> evidence(ServerName server, String where) {
        var seen = new ArrayList<Evidence>();
        missing.ifPresent(moment ->
                seen.add(
                        new Evidence(
                                moment.at(),
                                where,
                                everUp
                                        ? "no heartbeats from " + server
                                        : server + " is not in the cluster")));
        if (node.times() == 0) {
            return seen;
        }
        seen.add(new Evidence(node.first().at(), where, nodeInWords(server)));
        if (node.knock() == Knock.REFUSED) {
            seen.add(new Evidence(replicas.first().at(), where, replicasInWords(server)));
        }
        seen.sort(java.util.Comparator.comparing(Evidence::at));
        return seen;
    }

    private String nodeInWords(ServerName server) {
        return switch (node.knock()) {
            case ANSWERED -> "the node process of " + server + " answers, but does not join";
            case REFUSED ->
                    "connections to the node of %s are refused: its process is dead"
                            .formatted(server);
            case SILENT -> "no answer from the node process of " + server;
        };
    }

    private String replicasInWords(ServerName server) {
        return switch (replicas.knock()) {
            case ANSWERED -> "what " + server + " ran may live: its leashes accept connections";
            case REFUSED ->
                    "connections to the replicas of %s are refused too: nothing that Belay started lives there"
                            .formatted(server);
            case SILENT -> "no answer from the replicas of " + server + ": they may live";
        };
    }
}
