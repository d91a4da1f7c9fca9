package dev.belay.decision;

import dev.belay.decision.ClusterEvent.ClusterArmed;
import dev.belay.decision.ClusterEvent.ClusterDisarmed;
import dev.belay.decision.ClusterEvent.LeaseTermsSet;
import dev.belay.decision.ClusterState.Armed;
import dev.belay.decision.ClusterState.Disarmed;
import dev.belay.decision.Decision.Accepted;
import dev.belay.decision.Decision.Ignored;
import dev.belay.decision.Decision.Reason;
import dev.belay.decision.Decision.Rejected;
import dev.belay.model.LeaseTerms;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Whether Belay moves VMs by itself, as plain values.
 *
 * <pre>
 *  Armed --Disarm--> Disarmed --Arm, TimeOver--> Armed
 *                    ^    |
 *                    +----+ Disarm
 * </pre>
 *
 * <p>And which lease terms all its servers have: those of the first one that asked.
 *
 * <p>Others see it in their view and heed it as advice: a moment too late or too early costs a move
 * or delays one, and never a second copy.
 */
public final class ClusterLife {
    /** A cluster is never without its protection for longer than this. */
    public static final Duration LONGEST = Duration.ofHours(24);

    private ClusterLife() {}

    public static Decision<ClusterEvent, ClusterAction> decide(
            ClusterState state, Instant at, ClusterInput input) {
        return switch (input) {
            case ClusterInput.Disarm stop
                    when stop.length().compareTo(Duration.ofSeconds(1)) < 0
                            || stop.length().compareTo(LONGEST) > 0 ->
                    new Rejected<>(
                            Reason.UNSUPPORTED,
                            "The cluster is disarmed for 1 s to %d h at a time, not for %s"
                                    .formatted(LONGEST.toHours(), stop.length()));
            case ClusterInput.Disarm(var length, var by, var reason) -> {
                var disarm = new Disarming(at, length, by, reason);
                long number = state.number() + 1;
                yield new Accepted<>(
                        List.of(new ClusterDisarmed(at, number, disarm)),
                        List.of(new ClusterAction.AwaitEnd(number, disarm)));
            }
            case ClusterInput.OfferTerms(var terms, var change) ->
                    state.terms().isEmpty() || (change && !state.terms().get().equals(terms))
                            ? new Accepted<>(List.of(new LeaseTermsSet(at, terms)), List.of())
                            : new Ignored<>("the cluster has its lease terms");
            case ClusterInput.Arm _ -> arm(state, at, "an operator said so");
            case ClusterInput.TimeOver(var number) ->
                    number == state.number()
                            ? arm(state, at, "its time is over")
                            : new Ignored<>("of an earlier time");
        };
    }

    private static Decision<ClusterEvent, ClusterAction> arm(
            ClusterState state, Instant at, String why) {
        return switch (state) {
            case Armed _ -> new Ignored<>("armed already");
            case Disarmed _ -> new Accepted<>(List.of(new ClusterArmed(at, why)), List.of());
        };
    }

    /** Exhaustive over events and free of rules. */
    public static ClusterState apply(ClusterState state, ClusterEvent event) {
        return switch (event) {
            case ClusterDisarmed(_, var number, var disarm) ->
                    new Disarmed(number, disarm, state.terms());
            case ClusterArmed _ -> new Armed(state.number(), state.terms());
            case LeaseTermsSet(_, var terms) -> state.with(terms);
        };
    }

    /** Why a node with these terms is not admitted; empty: it is, as far as they go. */
    public static Optional<String> refusal(LeaseTerms cluster, LeaseTerms node) {
        return cluster.equals(node)
                ? Optional.empty()
                : Optional.of(
                        "its lease terms differ from the cluster's. It has belay.lease { %s }, the cluster { %s }. Give it the cluster's in its configuration file and start it again (to change the cluster's: docs/configuration.md, Times)"
                                .formatted(node.inWords(), cluster.inWords()));
    }

    /** What to send again after a restart, from the state alone. */
    public static List<ClusterAction> pending(ClusterState state) {
        return switch (state) {
            case Armed _ -> List.of();
            case Disarmed(var number, var disarm, _) ->
                    List.of(new ClusterAction.AwaitEnd(number, disarm));
        };
    }
}
