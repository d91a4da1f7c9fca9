package dev.belay.server;

import dev.belay.cluster.Membership;
import dev.belay.decision.Decision;
import dev.belay.decision.ServerAction;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerLife;
import dev.belay.decision.ServerState;
import dev.belay.model.Incarnation;
import dev.belay.model.ServerName;
import java.time.Duration;
import java.time.Instant;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
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
 * Runs {@link ServerLife} for one server: stores its events, then hands its actions out. No rule
 * lives here. One per server in the cluster, on its arbiter. A new process waits a lease out afresh
 * (safety.md 13).
 */
public final class ServerEntity
        extends EventSourcedBehavior<ServerEntity.Message, ServerEvent, ServerState> {
    public static final EntityTypeKey<Message> KEY = EntityTypeKey.create(Message.class, "server");

    private static final int SNAPSHOT_EVERY = 200;

    public sealed interface Message {}

    /**
     * From the server's node.
     *
     * @param address where the node says that it is; a second node of the same name is somewhere
     *     else
     */
    public record Join(ServerInput.Join input, String address) implements Message {}

    /** From a VM's entity. */
    public record News(ServerInput input) implements Message {}

    /** Internal. */
    record Missed(Membership.Lost lost) implements Message {}

    record Told(ServerInput input) implements Message {}

    public static Behavior<Message> create(ServerName name, ServerSurroundings surroundings) {
        return Behaviors.<Message>supervise(
                        Behaviors.setup(context ->
                                Behaviors.withTimers(timers ->
                                        new ServerEntity(context, timers, name, surroundings))))
                .onFailure(
                        SupervisorStrategy.restartWithBackoff(
                                Duration.ofMillis(100), Duration.ofSeconds(2), 0.2));
    }

    private final ActorContext<Message> context;
    private final TimerScheduler<Message> timers;
    private final ServerName name;
    private final ServerSurroundings surroundings;
    private Incarnation agentCalledFor = Incarnation.NONE;

    private ServerEntity(
            ActorContext<Message> context,
            TimerScheduler<Message> timers,
            ServerName name,
            ServerSurroundings surroundings) {
        super(
                PersistenceId.of("server", name.value()),
                SupervisorStrategy.restartWithBackoff(
                        Duration.ofMillis(100), Duration.ofSeconds(2), 0.2));
        this.context = context;
        this.timers = timers;
        this.name = name;
        this.surroundings = surroundings;
    }

    @Override
    public ServerState emptyState() {
        return new ServerState.Unknown();
    }

    @Override
    public CommandHandler<Message, ServerEvent, ServerState> commandHandler() {
        return this::onMessage;
    }

    @Override
    public EventHandler<ServerState, ServerEvent> eventHandler() {
        return ServerLife::apply;
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(SNAPSHOT_EVERY, 2);
    }

    @Override
    public SignalHandler<ServerState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(
                        RecoveryCompleted.class,
                        (state, _) -> {
                            context.getLog().info("server {} recovered -> {}", name, state);
                            surroundings.watch(
                                    name,
                                    context.messageAdapter(Membership.Lost.class, Missed::new));
                            ServerLife.pending(state).forEach(this::carryOut);
                        })
                .build();
    }

    private Effect<ServerEvent, ServerState> onMessage(ServerState state, Message message) {
        return switch (message) {
            case Join(var input, var address) -> {
                var expected = surroundings.address(name);
                if (!expected.equals(address)) {
                    context.getLog()
                            .error(
                                    "a node at {} calls itself {}, but {} is at {}: not admitted. Give it a name of its own.",
                                    address,
                                    name,
                                    name,
                                    expected);
                    yield Effect().none();
                }
                yield run(state, input);
            }
            case News(var input) -> run(state, input);
            case Told(var input) -> run(state, input);
            case Missed(var lost) ->
                    run(
                            state,
                            new ServerInput.Lost(
                                    incarnation(state),
                                    lost.evidence(),
                                    lost.lost(),
                                    lost.known()));
        };
    }

    private Effect<ServerEvent, ServerState> run(ServerState state, ServerInput input) {
        var decision = ServerLife.decide(name, state, Instant.now(), input);
        return switch (decision) {
            case Decision.Accepted<ServerEvent, ServerAction> accepted -> {
                if (!accepted.events().isEmpty()) {
                    context.getLog()
                            .info("server {}: {} on {} -> {}", name, input, state, accepted);
                }
                var actions = accepted.actions();
                var effect =
                        accepted.events().isEmpty()
                                ? Effect().none()
                                : Effect().persist(accepted.events());
                yield effect.thenRun(() -> actions.forEach(this::carryOut));
            }
            case Decision.Ignored<ServerEvent, ServerAction>(var why) -> {
                context.getLog()
                        .debug("server {}: {} on {} -> ignored: {}", name, input, state, why);
                yield Effect().none();
            }
            case Decision.Rejected<ServerEvent, ServerAction>(_, var why) -> {
                context.getLog().warn("server {}: {} -> rejected: {}", name, input, why);
                yield Effect().none();
            }
        };
    }

    private void carryOut(ServerAction action) {
        switch (action) {
            case ServerAction.AwaitLease(var incarnation) -> {
                var wait = surroundings.leaseProofWait();
                if (!timers.isTimerActive(action)) {
                    var waited =
                            new ServerInput.LeaseWaited(
                                    incarnation,
                                    "its lease was waited out (%d ms)%s"
                                            .formatted(
                                                    wait.toMillis(),
                                                    // Had it, nobody would listen any more.
                                                    surroundings.fenceAgent().handles(name)
                                                            ? ", its fence agent had not confirmed by then"
                                                            : ""));
                    timers.startSingleTimer(action, new Told(waited), wait);
                }
            }
            case ServerAction.CallFenceAgent(var server, var incarnation) -> {
                if (!agentCalledFor.equals(incarnation)
                        && surroundings.fenceAgent().handles(server)) {
                    agentCalledFor = incarnation;
                    context.pipeToSelf(
                            surroundings.fenceAgent().off(server),
                            (result, failure) ->
                                    new Told(
                                            result != null
                                                    ? new ServerInput.AgentAnswered(
                                                            incarnation,
                                                            result.off(),
                                                            result.detail())
                                                    : new ServerInput.AgentAnswered(
                                                            incarnation,
                                                            false,
                                                            String.valueOf(failure))));
                }
            }
            default -> surroundings.carryOut(action);
        }
    }

    private static Incarnation incarnation(ServerState state) {
        return switch (state) {
            case ServerState.Unknown _ -> Incarnation.NONE;
            case ServerState.Live live -> live.server().incarnation();
            case ServerState.Fencing fencing -> fencing.server().incarnation();
            case ServerState.Fenced fenced -> fenced.server().incarnation();
        };
    }
}
