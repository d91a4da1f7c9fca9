package dev.belay.calm;

import dev.belay.decision.ClusterAction;
import dev.belay.decision.ClusterEvent;
import dev.belay.decision.ClusterInput;
import dev.belay.decision.ClusterLife;
import dev.belay.decision.ClusterState;
import dev.belay.decision.Decision;
import dev.belay.entity.DecidingEntity;
import dev.belay.entity.Reply;
import dev.belay.model.LeaseTerms;
import java.time.Instant;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.javadsl.Effect;

/**
 * Runs {@link ClusterLife}. One in the cluster, on any voter. While its process lives, a monotonic
 * timer counts the time of a disarming; a new process takes what its own clock says is left, within
 * the bounds of {@link dev.belay.decision.Disarming#left}.
 */
public final class ClusterEntity
        extends DecidingEntity<
                ClusterEntity.Message, ClusterInput, ClusterEvent, ClusterState, ClusterAction> {
    public static final EntityTypeKey<Message> KEY = EntityTypeKey.create(Message.class, "cluster");

    /** There is one cluster. */
    public static final String ID = "cluster";

    public sealed interface Message {}

    /** An operator's request; the sender waits for the outcome. */
    public record Request(ClusterInput.Request input, ActorRef<Reply<ClusterState>> replyTo)
            implements Message {}

    /** From a server's entity: with these terms its node asks to be admitted. */
    public record Offer(LeaseTerms terms, boolean change, ActorRef<Agreed> replyTo)
            implements Message {}

    /** The cluster's terms. */
    public record Agreed(LeaseTerms terms) {}

    /** Internal. */
    record Told(ClusterInput input) implements Message {}

    public static Behavior<Message> create(String id) {
        return supervised(shell -> new ClusterEntity(shell, id));
    }

    private ClusterEntity(Shell<Message> shell, String id) {
        super(shell, "cluster", id);
    }

    @Override
    public ClusterState emptyState() {
        return ClusterState.NEW;
    }

    @Override
    protected ClusterState apply(ClusterState state, ClusterEvent event) {
        return ClusterLife.apply(state, event);
    }

    @Override
    protected List<ClusterAction> pending(ClusterState state) {
        return ClusterLife.pending(state);
    }

    @Override
    protected Decision<ClusterEvent, ClusterAction> decide(ClusterState state, ClusterInput input) {
        return ClusterLife.decide(state, Instant.now(), input);
    }

    @Override
    protected Effect<ClusterEvent, ClusterState> onMessage(ClusterState state, Message message) {
        return switch (message) {
            case Request(var input, var replyTo) -> run(state, input, replyTo::tell);
            case Offer(var terms, var change, var replyTo) ->
                    run(
                            state,
                            new ClusterInput.OfferTerms(terms, change),
                            reply -> {
                                if (reply instanceof Reply.Done<ClusterState>(var after)) {
                                    after.terms().map(Agreed::new).ifPresent(replyTo::tell);
                                }
                            });
            case Told(var input) -> run(state, input);
        };
    }

    @Override
    protected void carryOut(ClusterAction action) {
        switch (action) {
            case ClusterAction.AwaitEnd(var number, var disarming) ->
                    once(
                            action,
                            disarming.left(Instant.now()),
                            new Told(new ClusterInput.TimeOver(number)));
        }
    }
}
