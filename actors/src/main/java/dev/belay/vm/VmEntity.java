package dev.belay.vm;

import dev.belay.decision.Context;
import dev.belay.decision.Decision;
import dev.belay.decision.Explanation;
import dev.belay.decision.Failover;
import dev.belay.decision.VmAction;
import dev.belay.decision.VmEvent;
import dev.belay.decision.VmHistory;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmLife;
import dev.belay.decision.VmState;
import dev.belay.entity.DecidingEntity;
import dev.belay.entity.Reply;
import dev.belay.model.LeaseTerms;
import dev.belay.model.VmName;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.javadsl.Effect;

/** Runs {@link VmLife} for one VM. One per VM in the cluster, on its arbiter. */
public final class VmEntity
        extends DecidingEntity<VmEntity.Message, VmInput, VmEvent, VmState, VmAction> {
    public static final EntityTypeKey<Message> KEY = EntityTypeKey.create(Message.class, "vm");

    /** How often unanswered actions are repeated and the surroundings looked at. */
    private static final Duration TICK = Duration.ofSeconds(1);

    public sealed interface Message {}

    /** A user's request; the sender waits for the outcome. */
    public record Request(VmInput.Request input, ActorRef<Reply<VmState>> replyTo)
            implements Message {}

    /** News from a server or its entity; nobody waits. */
    public record News(VmInput input) implements Message {}

    public record Show(ActorRef<Shown> replyTo) implements Message {}

    /** Internal. */
    record Wake(VmInput input) implements Message {}

    public record Shown(VmState state) {}

    /**
     * Waits for the outcome of a switchover. Nothing is stored of it before it is decided: when
     * this instance ends, whoever asked hears nothing, and has to look.
     */
    private record Asked(VmState.Lockstep pair, ActorRef<Reply<VmState>> replyTo) {
        boolean isOver(VmState state) {
            return !(state instanceof VmState.Lockstep now
                    && now.primary().equals(pair.primary())
                    && now.secondary().equals(pair.secondary()));
        }

        Reply<VmState> outcome(VmState state) {
            return state instanceof VmState.GoingSolo solo && solo.winner().equals(pair.secondary())
                    ? new Reply.Done<>(state)
                    : stays("it is no longer in lockstep on the two");
        }

        Reply<VmState> stays(String why) {
            return new Reply.Refused<>(
                    Decision.Reason.CONFLICT,
                    "VM '%s' was not switched over to server %s: %s"
                            .formatted(pair.secondary().vm(), pair.secondary().server(), why));
        }
    }

    /**
     * @param shard told when there is no such VM, so that a mistyped name is not kept for ever
     */
    public static Behavior<Message> create(
            VmName name,
            VmSurroundings surroundings,
            ActorRef<ClusterSharding.ShardCommand> shard) {
        return supervised(shell -> new VmEntity(shell, name, surroundings, shard));
    }

    private final ActorContext<Message> context;
    private final TimerScheduler<Message> timers;
    private final VmName name;
    private final VmSurroundings surroundings;
    private final ActorRef<ClusterSharding.ShardCommand> shard;
    private final List<Asked> asked = new ArrayList<>();
    private List<Failover.Step> measured = List.of();

    private VmEntity(
            Shell<Message> shell,
            VmName name,
            VmSurroundings surroundings,
            ActorRef<ClusterSharding.ShardCommand> shard) {
        super(shell, "vm", name.value());
        this.context = shell.context();
        this.timers = shell.timers();
        this.name = name;
        this.surroundings = surroundings;
        this.shard = shard;
    }

    @Override
    public VmState emptyState() {
        return VmHistory.NEW;
    }

    @Override
    protected VmState apply(VmState state, VmEvent event) {
        return VmHistory.apply(state, event);
    }

    @Override
    protected List<VmAction> pending(VmState state) {
        return VmLife.pending(state);
    }

    @Override
    protected Decision<VmEvent, VmAction> decide(VmState state, VmInput input) {
        var now =
                new Context(
                        Instant.now(), surroundings.self().value(), surroundings.view(), measured);
        return VmLife.decide(state, now, input);
    }

    /** The order that ends a failover; it is in the report when its answer came. */
    @Override
    protected void sent(List<VmAction> actions, Duration took) {
        for (var action : actions) {
            if (action instanceof VmAction.Order order
                    && (order instanceof VmAction.GoSolo
                            || order instanceof VmAction.StartReplica)) {
                measured =
                        List.of(
                                new Failover.Step(
                                        Instant.now(),
                                        surroundings.self().value(),
                                        "stored that and told " + order.right().server(),
                                        Math.round(took.toNanos() / 1e6)));
            }
        }
    }

    @Override
    protected void recovered(VmState state) {
        timers.startTimerWithFixedDelay(new Wake(new VmInput.Tick()), TICK);
    }

    @Override
    protected Effect<VmEvent, VmState> onMessage(VmState state, Message message) {
        return switch (message) {
            case Request(VmInput.Switchover input, var replyTo)
                    when state instanceof VmState.Lockstep pair ->
                    run(
                            state,
                            input,
                            answer -> {
                                if (answer instanceof Reply.Done<VmState>(var after)) {
                                    asked.add(new Asked(pair, replyTo));
                                    stored(after);
                                } else {
                                    replyTo.tell(answer);
                                }
                            });
            case Request(var input, var replyTo) -> run(state, input, replyTo::tell);
            case News(VmInput.HandOver input) -> handOver(state, input);
            case Wake(VmInput.HandOver input) -> handOver(state, input);
            case News(var input) -> run(state, input);
            case Wake(var input) -> {
                if (input instanceof VmInput.Tick && state instanceof VmState.Absent) {
                    shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
                } else if (input instanceof VmInput.Tick) {
                    replayIfBehind(surroundings.newest(persistenceId().id()));
                    carryOutPending(state);
                }
                yield run(state, input);
            }
            case Show(var replyTo) -> Effect().none().thenRun(() -> replyTo.tell(new Shown(state)));
        };
    }

    /** Whoever still waits after that one waits in vain. */
    private Effect<VmEvent, VmState> handOver(VmState state, VmInput.HandOver input) {
        return run(
                state,
                input,
                _ ->
                        answer(
                                one ->
                                        input.asked()
                                                && one.pair().primary().equals(input.primary()),
                                one -> one.stays("that cannot be reached any more")));
    }

    @Override
    protected void stored(VmState state) {
        answer(one -> one.isOver(state), one -> one.outcome(state));
    }

    private void answer(Predicate<Asked> whom, Function<Asked, Reply<VmState>> reply) {
        asked.removeIf(one -> {
            var isMeant = whom.test(one);
            if (isMeant) {
                one.replyTo().tell(reply.apply(one));
            }
            return isMeant;
        });
    }

    @Override
    protected void carryOut(VmAction action) {
        switch (action) {
            case VmAction.WakeAfter(var pause, var epoch) ->
                    once(action, pause, new Wake(new VmInput.BackOffOver(epoch)));
            case VmAction.OutliveAfter(var partner) ->
                    once(
                            action,
                            LeaseTerms.outliveWait(surroundings.longestLeaseWait()),
                            new Wake(new VmInput.Outlived(partner)));
            case VmAction.SettleAfter(var run, var epoch) ->
                    once(action, run, new Wake(new VmInput.Settled(epoch)));
            case VmAction.OverdueAfter(var limit, var secondary) ->
                    once(action, limit, new Wake(new VmInput.RaiseOverdue(secondary)));
            case VmAction.HandOverAfter(var limit, var primary, var secondary, var asked) ->
                    once(action, limit, new Wake(new VmInput.HandOver(primary, secondary, asked)));
            case VmAction.InsistAfter(var patience, var epoch) ->
                    once(action, patience, new Wake(new VmInput.Insist(epoch)));
            case VmAction.Reserve _, VmAction.Release _, VmAction.AskStanding _, VmAction.Order _ ->
                    surroundings.carryOut(name, action);
        }
    }

    @Override
    protected boolean isRoutine(VmInput input) {
        return input instanceof VmInput.Tick;
    }

    /** Without the specs and reports in it. */
    @Override
    protected String brief(Object value) {
        return switch (value) {
            case VmState state -> Explanation.name(state);
            case VmInput.Create _,
                    VmEvent.VmCreated _,
                    VmEvent.FailoverAdvanced _,
                    VmEvent.FailoverEnded _ ->
                    value.getClass().getSimpleName();
            default -> value.toString();
        };
    }
}
