package dev.belay.entity;

import dev.belay.decision.Decision;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EffectFactories;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;

/**
 * Runs a pure core: stores the events that it decides, then hands its actions out. No rule lives
 * here. What survives a crash is the journal; whatever was on its way is sent again from the state.
 * A write that fails or is refused stops the entity, and it replays.
 *
 * @param <M> messages
 * @param <I> inputs of the core
 * @param <E> its events
 * @param <S> its states
 * @param <A> its actions
 */
public abstract class DecidingEntity<M, I, E, S, A> extends EventSourcedBehavior<M, E, S> {
    private static final int SNAPSHOT_EVERY = 200;

    private final ActorContext<M> context;
    private final TimerScheduler<M> timers;
    private final String name;

    /**
     * @param kind of entity, and the first part of its persistence id
     */
    protected DecidingEntity(Shell<M> shell, String kind, String id) {
        super(PersistenceId.of(kind, id), again());
        this.context = shell.context();
        this.timers = shell.timers();
        this.name = kind + " " + id;
    }

    /** What an entity gets from where it runs. */
    public record Shell<M>(ActorContext<M> context, TimerScheduler<M> timers) {}

    /** The entity, restarted with pauses whenever it fails. */
    protected static <M> Behavior<M> supervised(Function<Shell<M>, Behavior<M>> entity) {
        return Behaviors.<M>supervise(
                        Behaviors.setup(context ->
                                Behaviors.withTimers(
                                        timers -> entity.apply(new Shell<>(context, timers)))))
                .onFailure(again());
    }

    private static org.apache.pekko.actor.typed.BackoffSupervisorStrategy again() {
        return SupervisorStrategy.restartWithBackoff(
                Duration.ofMillis(100), Duration.ofSeconds(2), 0.2);
    }

    // ---- what the core and its surroundings say

    protected abstract Decision<E, A> decide(S state, I input);

    protected abstract S apply(S state, E event);

    protected abstract List<A> pending(S state);

    protected abstract void carryOut(A action);

    protected abstract Effect<E, S> onMessage(S state, M message);

    /** Called when the entity has replayed its history, before anything else happens. */
    protected void recovered(S state) {}

    /** Called with each new state, as soon as it is stored. */
    protected void stored(S state) {}

    /** For the log, which is read by people: without what is long and stands elsewhere. */
    protected String brief(Object value) {
        return value.toString();
    }

    /**
     * Called when actions were handed out whose events are stored.
     *
     * @param took since their input was taken up
     */
    protected void sent(List<A> actions, Duration took) {}

    /** Called when this instance ends: another one begins from the journal, here or elsewhere. */
    protected void stopping() {}

    /** Whether something as ordinary as this is left out of the log when nothing comes of it. */
    protected boolean isRoutine(I input) {
        return false;
    }

    // ---- the same for all

    @Override
    public final CommandHandler<M, E, S> commandHandler() {
        return this::onMessage;
    }

    @Override
    public final EventHandler<S, E> eventHandler() {
        return this::apply;
    }

    @Override
    public final RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(SNAPSHOT_EVERY, 2);
    }

    @Override
    public final SignalHandler<S> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(
                        RecoveryCompleted.class,
                        (state, _) -> {
                            context.getLog().info("{} recovered -> {}", name, brief(state));
                            stored(state);
                            recovered(state);
                            carryOutPending(state);
                        })
                .onSignal(PostStop.class, (_, _) -> stopping())
                .onSignal(PreRestart.class, (_, _) -> stopping())
                .build();
    }

    /**
     * Another instance of this entity has stored something: what this one believes is out of date.
     * Mostly its next write would be refused and it would replay; one that waits for nothing would
     * never write, and never know.
     *
     * @param newest event of this entity that the node has read
     */
    protected final void replayIfBehind(long newest) {
        long own = lastSequenceNumber(context);
        if (newest > own) {
            throw new IllegalStateException(
                    "Expected to know all events of %s, but the journal has %d and this instance %d; it replays"
                            .formatted(persistenceId().id(), newest, own));
        }
    }

    protected final void carryOutPending(S state) {
        pending(state).forEach(this::carryOut);
    }

    protected final Effect<E, S> run(S state, I input) {
        return run(state, input, _ -> {});
    }

    protected final Effect<E, S> run(S state, I input, Consumer<Reply<S>> answer) {
        long heard = System.nanoTime();
        return switch (decide(state, input)) {
            case Decision.Accepted<E, A>(var events, var actions) -> {
                if (!events.isEmpty()) {
                    context.getLog()
                            .info(
                                    "{}: {} in {} -> {}",
                                    name,
                                    brief(input),
                                    brief(state),
                                    events.stream().map(this::brief).toList());
                }
                EffectFactories<E, S> effects = Effect();
                var effect = events.isEmpty() ? effects.none() : effects.persist(events);
                yield effect.thenRun((S after) -> {
                    stored(after);
                    actions.forEach(this::carryOut);
                    sent(actions, Duration.ofNanos(System.nanoTime() - heard));
                    answer.accept(new Reply.Done<>(after));
                });
            }
            case Decision.Ignored<E, A>(var why) -> {
                if (!isRoutine(input)) {
                    context.getLog().debug("{}: {} on {} -> ignored: {}", name, input, state, why);
                }
                yield Effect().none().thenRun((S same) -> answer.accept(new Reply.Done<>(same)));
            }
            case Decision.Rejected<E, A>(var reason, var message) -> {
                context.getLog().info("{}: {} -> rejected: {}", name, brief(input), message);
                yield Effect()
                        .none()
                        .thenRun(() -> answer.accept(new Reply.Refused<>(reason, message)));
            }
        };
    }

    /**
     * Sends {@code message} to itself after {@code delay}. Repeats of the same action while its
     * timer runs do not set the timer back. Monotonic, and gone with the process.
     */
    protected final void once(A action, Duration delay, M message) {
        if (!timers.isTimerActive(action)) {
            timers.startSingleTimer(action, message, delay);
        }
    }
}
