package dev.belay.server;

import dev.belay.cluster.Membership;
import dev.belay.decision.ClusterLife;
import dev.belay.decision.Decision;
import dev.belay.decision.Losses;
import dev.belay.decision.ServerAction;
import dev.belay.decision.ServerEvent;
import dev.belay.decision.ServerHistory;
import dev.belay.decision.ServerInput;
import dev.belay.decision.ServerLife;
import dev.belay.decision.ServerState;
import dev.belay.entity.DecidingEntity;
import dev.belay.entity.Reply;
import dev.belay.model.Incarnation;
import dev.belay.model.LeaseTerms;
import dev.belay.model.ServerName;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.javadsl.Effect;

/**
 * Runs {@link ServerLife} for one server. One per server in the cluster, on its arbiter. A new
 * process waits everything out afresh (safety.md 13).
 */
public final class ServerEntity
        extends DecidingEntity<
                ServerEntity.Message, ServerInput, ServerEvent, ServerState, ServerAction> {
    public static final EntityTypeKey<Message> KEY = EntityTypeKey.create(Message.class, "server");

    public sealed interface Message {}

    /**
     * From the server's node.
     *
     * @param address where the node says that it is; a second node of the same name is somewhere
     *     else
     * @param change the terms of its leases shall be the cluster's
     */
    public record Join(ServerInput.Join input, String address, boolean change) implements Message {}

    /** From a VM's entity. */
    public record News(ServerInput input) implements Message {}

    /** An operator's request; the sender waits for the outcome. */
    public record Request(ServerInput.Request input, ActorRef<Reply<ServerState>> replyTo)
            implements Message {}

    /** Internal. {@code incarnation}: the one that was known when it was missed. */
    record Missed(Membership.Lost lost, Incarnation incarnation) implements Message {}

    record Told(ServerInput input) implements Message {}

    /** What the cluster's terms are, now that the node has said its own. */
    record Agreed(Join join, LeaseTerms cluster) implements Message {}

    /** The node asks again. */
    record NotAgreed(Throwable why) implements Message {}

    /** A call of the fence agent that has not ended. */
    private record Call(Incarnation incarnation, CompletableFuture<FenceAgent.Result> result) {}

    public static Behavior<Message> create(ServerName name, ServerSurroundings surroundings) {
        return supervised(shell -> new ServerEntity(shell, name, surroundings));
    }

    private final ActorContext<Message> context;
    private final ServerName name;
    private final ServerSurroundings surroundings;
    private Incarnation newest = Incarnation.NONE;
    private Optional<Call> call = Optional.empty();

    private ServerEntity(Shell<Message> shell, ServerName name, ServerSurroundings surroundings) {
        super(shell, "server", name.value());
        this.context = shell.context();
        this.name = name;
        this.surroundings = surroundings;
    }

    @Override
    public ServerState emptyState() {
        return ServerHistory.NEW;
    }

    @Override
    protected ServerState apply(ServerState state, ServerEvent event) {
        return ServerHistory.apply(state, event);
    }

    @Override
    protected List<ServerAction> pending(ServerState state) {
        return ServerLife.pending(state);
    }

    @Override
    protected Decision<ServerEvent, ServerAction> decide(ServerState state, ServerInput input) {
        return ServerLife.decide(name, state, Instant.now(), input);
    }

    /** What is missed while an admission is being stored was missed of the one before. */
    @Override
    protected void stored(ServerState state) {
        newest =
                state instanceof ServerState.Known known
                        ? known.server().incarnation()
                        : Incarnation.NONE;
    }

    @Override
    protected void recovered(ServerState state) {
        surroundings.watch(
                name,
                context.messageAdapter(Membership.Lost.class, lost -> new Missed(lost, newest)));
    }

    @Override
    protected Effect<ServerEvent, ServerState> onMessage(ServerState state, Message message) {
        return switch (message) {
            case Join join -> {
                replayIfBehind(surroundings.newest(persistenceId().id()));
                var expected = surroundings.address(name);
                var address = join.address();
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
                var terms =
                        surroundings
                                .agree(join.input().terms(), join.change())
                                .toCompletableFuture();
                if (terms.state() == Future.State.SUCCESS) {
                    yield agreed(state, join, terms.resultNow());
                }
                context.pipeToSelf(
                        terms,
                        (cluster, failure) ->
                                cluster != null
                                        ? new Agreed(join, cluster)
                                        : new NotAgreed(failure));
                yield Effect().none();
            }
            case Agreed(var join, var cluster) -> agreed(state, join, cluster);
            case NotAgreed(var why) -> {
                context.getLog()
                        .warn("the cluster's lease terms are not known yet: {}", why.toString());
                yield Effect().none();
            }
            case News(var input) -> run(state, input);
            case Told(var input) -> run(state, input);
            case Request(var input, var replyTo) -> run(state, seenFromHere(input), replyTo::tell);
            case Missed(var lost, var incarnation) ->
                    run(
                            state,
                            new ServerInput.Lost(
                                    incarnation,
                                    lost.evidence(),
                                    lost.vanished(),
                                    lost.before(),
                                    surroundings.isArmed(),
                                    surroundings.isFencingInVain(name)));
        };
    }

    private Effect<ServerEvent, ServerState> agreed(
            ServerState state, Join join, LeaseTerms cluster) {
        var refusal = ClusterLife.refusal(cluster, join.input().terms());
        refusal.ifPresent(why -> {
            context.getLog().warn("{} is not admitted: {}", name, why);
            surroundings.refuse(name, why);
        });
        return refusal.isPresent() ? Effect().none() : run(state, join.input());
    }

    private ServerInput.Request seenFromHere(ServerInput.Request request) {
        return switch (request) {
            case ServerInput.ConfirmOff(var incarnation, var answers) ->
                    new ServerInput.ConfirmOff(incarnation, answers || surroundings.answers(name));
            case ServerInput.EndQuarantine end -> end;
            case ServerInput.Maintain wish -> wish;
        };
    }

    @Override
    protected void carryOut(ServerAction action) {
        switch (action) {
            case ServerAction.AwaitLease(var incarnation, var told) -> {
                var wait = told.orElseGet(surroundings::longestLeaseWait);
                var why =
                        "its lease was waited out (%d ms)%s"
                                .formatted(
                                        wait.toMillis(),
                                        // Had it, nobody would listen any more.
                                        surroundings.fenceAgent().handles(name)
                                                ? ", no fence agent had confirmed by then"
                                                : "");
                once(action, wait, new Told(new ServerInput.LeaseWaited(incarnation, why)));
            }
            case ServerAction.AgeLoss(var number) ->
                    once(action, Losses.WINDOW, new Told(new ServerInput.LossAged(number)));
            case ServerAction.CoolDown(var incarnation) ->
                    once(
                            action,
                            surroundings.coolDown(),
                            new Told(new ServerInput.CooledDown(incarnation)));
            case ServerAction.CallFenceAgent(var server, var incarnation) ->
                    callFenceAgent(server, incarnation);
            case ServerAction.CallOffFenceAgent _ -> callOff();
            case ServerAction.Welcome _, ServerAction.TellClean _, ServerAction.TellVm _ ->
                    surroundings.carryOut(action);
        }
    }

    /** Nobody would hear its answer, and the server may be back by the time that it acts. */
    @Override
    protected void stopping() {
        callOff();
    }

    private void callOff() {
        call.ifPresent(c -> c.result().cancel(true));
    }

    private void callFenceAgent(ServerName server, Incarnation incarnation) {
        boolean called = call.filter(c -> c.incarnation().equals(incarnation)).isPresent();
        if (called || !surroundings.fenceAgent().handles(server)) {
            return;
        }
        var result = surroundings.fenceAgent().off(server);
        call = Optional.of(new Call(incarnation, result));
        context.pipeToSelf(
                result,
                (answer, failure) ->
                        new Told(
                                answer != null
                                        ? new ServerInput.AgentAnswered(
                                                incarnation, answer.off(), answer.detail())
                                        : new ServerInput.AgentAnswered(
                                                incarnation, false, String.valueOf(failure))));
    }
}
