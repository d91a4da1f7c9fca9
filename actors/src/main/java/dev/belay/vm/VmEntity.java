package dev.belay.vm;

import dev.belay.decision.Context;
import dev.belay.decision.Decision;
import dev.belay.decision.Explanation;
import dev.belay.decision.VmAction;
import dev.belay.decision.VmEvent;
import dev.belay.decision.VmHistory;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmLife;
import dev.belay.decision.VmState;
import dev.belay.model.VmName;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;

/**
 * Runs {@link VmLife} for one VM: stores its events, then hands its actions out. No rule lives
 * here. One per VM in the cluster, on its arbiter. What survives a crash is the journal; whatever
 * was on its way is sent again from the state. A write that fails or is refused stops it, and it
 * replays.
 */
public final class VmEntity extends EventSourcedBehavior<VmEntity.Message, VmEvent, VmState> {
    public static final EntityTypeKey<Message> KEY = EntityTypeKey.create(Message.class, "vm");

    /** How often unanswered actions are repeated and the surroundings looked at. */
    private static final Duration TICK = Duration.ofSeconds(1);

    private static final int SNAPSHOT_EVERY = 200;

    public sealed interface Message {}

    /** A user's request; the sender waits for the outcome. */
    public record Request(VmInput.Request input, ActorRef<Reply> replyTo) implements Message {}

    /** News from a server or its entity; nobody waits. */
    public record News(VmInput input) implements Message {}

    public record Show(ActorRef<Shown> replyTo) implements Message {}

    /** Internal. */
    record Wake(VmInput input) implements Message {}

    public sealed interface Reply {}

    public record Done(VmState state) implements Reply {}

    public record Refused(Decision.Reason reason, String message) implements Reply {}

    public record Shown(VmState state) {}

    /**
     * @param shard told when there is no such VM, so that a mistyped name is not kept for ever
     */
    public static Behavior<Message> create(
            VmName name,
            VmSurroundings surroundings,
            ActorRef<ClusterSharding.ShardCommand> shard) {
        return Behaviors.<Message>supervise(
                        Behaviors.setup(context ->
                                Behaviors.withTimers(timers ->
                                        new VmEntity(context, timers, name, surroundings, shard))))
                .onFailure(
                        SupervisorStrategy.restartWithBackoff(
                                Duration.ofMillis(100), Duration.ofSeconds(2), 0.2));
    }

    private final ActorContext<Message> context;
    private final TimerScheduler<Message> timers;
    private final VmName name;
    private final VmSurroundings surroundings;
    private final ActorRef<ClusterSharding.ShardCommand> shard;

    private VmEntity(
            ActorContext<Message> context,
            TimerScheduler<Message> timers,
            VmName name,
            VmSurroundings surroundings,
            ActorRef<ClusterSharding.ShardCommand> shard) {
        super(
                PersistenceId.of("vm", name.value()),
                SupervisorStrategy.restartWithBackoff(
                        Duration.ofMillis(100), Duration.ofSeconds(2), 0.2));
        this.context = context;
        this.timers = timers;
        this.name = name;
        this.surroundings = surroundings;
        this.shard = shard;
    }

    @Override
    public VmState emptyState() {
        return VmHistory.NEW;
    }

    @Override
    public CommandHandler<Message, VmEvent, VmState> commandHandler() {
        return this::onMessage;
    }

    @Override
    public EventHandler<VmState, VmEvent> eventHandler() {
        return VmHistory::apply;
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(SNAPSHOT_EVERY, 2);
    }

    @Override
    public SignalHandler<VmState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(
                        RecoveryCompleted.class,
                        (state, _) -> {
                            context.getLog()
                                    .info("{} recovered in {}", name, Explanation.name(state));
                            timers.startTimerWithFixedDelay(new Wake(new VmInput.Tick()), TICK);
                            VmLife.pending(state).forEach(this::carryOut);
                        })
                .build();
    }

    private Effect<VmEvent, VmState> onMessage(VmState state, Message message) {
        return switch (message) {
            case Request(var input, var replyTo) -> run(state, input, replyTo::tell);
            case News(var input) -> run(state, input, _ -> {});
            case Wake(var input) -> {
                if (input instanceof VmInput.Tick && state instanceof VmState.Absent) {
                    shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
                } else if (input instanceof VmInput.Tick) {
                    VmLife.pending(state).forEach(this::carryOut);
                }
                yield run(state, input, _ -> {});
            }
            case Show(var replyTo) -> Effect().none().thenRun(() -> replyTo.tell(new Shown(state)));
        };
    }

    private Effect<VmEvent, VmState> run(VmState state, VmInput input, Consumer<Reply> answer) {
        var decision =
                VmLife.decide(
                        state,
                        new Context(
                                Instant.now(), surroundings.self().value(), surroundings.view()),
                        input);
        return switch (decision) {
            case Decision.Accepted<VmEvent, VmAction> accepted -> {
                if (!accepted.events().isEmpty()) {
                    context.getLog()
                            .info(
                                    "{}: {} in {} -> {}",
                                    name,
                                    brief(input),
                                    Explanation.name(state),
                                    accepted.events().stream().map(VmEntity::brief).toList());
                }
                var actions = accepted.actions();
                var effect =
                        accepted.events().isEmpty()
                                ? Effect().none()
                                : Effect().persist(accepted.events());
                yield effect.thenRun((VmState after) -> {
                    actions.forEach(this::carryOut);
                    answer.accept(new Done(after));
                });
            }
            case Decision.Ignored<VmEvent, VmAction> ignored -> {
                if (!(input instanceof VmInput.Tick)) {
                    context.getLog()
                            .debug(
                                    "{}: {} on {} -> ignored: {}",
                                    name,
                                    input,
                                    state,
                                    ignored.why());
                }
                yield Effect().none().thenRun((VmState same) -> answer.accept(new Done(same)));
            }
            case Decision.Rejected<VmEvent, VmAction>(var reason, var message) -> {
                context.getLog().info("{}: {} -> rejected: {}", name, input, message);
                yield Effect().none().thenRun(() -> answer.accept(new Refused(reason, message)));
            }
        };
    }

    private void carryOut(VmAction action) {
        switch (action) {
            case VmAction.WakeAfter(var pause, var epoch) ->
                    once(action, pause, new VmInput.BackOffOver(epoch));
            case VmAction.SettleAfter(var run, var epoch) ->
                    once(action, run, new VmInput.Settled(epoch));
            default -> surroundings.carryOut(name, action);
        }
    }

    /** Repeats of the same action while its timer runs must not set the timer back. */
    private void once(VmAction key, Duration delay, VmInput input) {
        if (!timers.isTimerActive(key)) {
            timers.startSingleTimer(key, new Wake(input), delay);
        }
    }

    /** A record without the specs and reports in it: for the log, which is read by people. */
    private static String brief(Object value) {
        return switch (value) {
            case VmInput.Create _,
                    VmEvent.VmCreated _,
                    VmEvent.FailoverAdvanced _,
                    VmEvent.FailoverEnded _ ->
                    value.getClass().getSimpleName();
            default -> value.toString();
        };
    }
}
