package dev.belay.replica;

import dev.belay.decision.ReplicaCommand;
import dev.belay.decision.ReplicaInput;
import dev.belay.decision.ReplicaLife;
import dev.belay.decision.ReplicaState;
import dev.belay.decision.VmInput;
import dev.belay.decision.VmInput.Cause;
import dev.belay.model.Epoch;
import dev.belay.model.RunRight;
import dev.belay.model.VmName;
import dev.belay.model.VmSpec;
import dev.belay.replica.Hypervisor.HypervisorException;
import dev.belay.replica.Hypervisor.ReplicaEvent;
import dev.belay.replica.Hypervisor.ReplicaStatus;
import dev.belay.replica.Hypervisor.StopMode;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * One VM's replica on this server: asks {@link ReplicaLife} and carries out what it says. Of what
 * it knows only the floor survives the process; the rest comes from what the hypervisor found
 * running. It waits for the disk, so it runs on threads for that.
 */
public final class ReplicaActor extends AbstractBehavior<ReplicaActor.Message> {
    public sealed interface Message {}

    public record Start(RunRight right, VmSpec spec, boolean leaseLive) implements Message {}

    public record Stop(RunRight right, boolean kill) implements Message {}

    public record Confirm(RunRight right) implements Message {}

    public record Happened(ReplicaEvent event) implements Message {}

    /** What the hypervisor found when the process came up. */
    public record Found(ReplicaStatus status) implements Message {}

    /** The hypervisor's answer. */
    record Answered(ReplicaInput input) implements Message {}

    private final Hypervisor hypervisor;
    private final FloorFiles floors;
    private final Consumer<VmInput> entity;
    private ReplicaState state;

    /**
     * @param floor as {@code floors} has it
     * @param entity sends to the VM's entity
     */
    public static Behavior<Message> create(
            VmName vm,
            Epoch floor,
            Hypervisor hypervisor,
            FloorFiles floors,
            Consumer<VmInput> entity) {
        return Behaviors.setup(context ->
                new ReplicaActor(context, ReplicaState.of(vm, floor), hypervisor, floors, entity));
    }

    private ReplicaActor(
            ActorContext<Message> context,
            ReplicaState state,
            Hypervisor hypervisor,
            FloorFiles floors,
            Consumer<VmInput> entity) {
        super(context);
        context.setLoggerName(ReplicaActor.class);
        this.state = state;
        this.hypervisor = hypervisor;
        this.floors = floors;
        this.entity = entity;
    }

    @Override
    public Receive<Message> createReceive() {
        return newReceiveBuilder().onAnyMessage(this::onMessage).build();
    }

    private Behavior<Message> onMessage(Message message) {
        var input = input(message);
        var turn = ReplicaLife.decide(state, input);
        try {
            turn.commands().forEach(this::carryOut);
            state = turn.state();
        } catch (RuntimeException e) {
            getContext().getLog().error("{} is not done; it has to come again", input, e);
        }
        return this;
    }

    private ReplicaInput input(Message message) {
        return switch (message) {
            case Start(var right, var spec, var leaseLive) ->
                    new ReplicaInput.Start(right, spec, leaseLive);
            case Stop(var right, var kill) -> new ReplicaInput.Stop(right, kill);
            case Confirm(var right) ->
                    new ReplicaInput.Confirm(
                            right,
                            hypervisor.replicas().stream()
                                    .anyMatch(status -> status.right().equals(right)));
            case Found(var status) ->
                    new ReplicaInput.Found(status.right(), status.running(), status.detail());
            case Happened(var event) -> input(event);
            case Answered(var answer) -> answer;
        };
    }

    private static ReplicaInput input(ReplicaEvent event) {
        return switch (event) {
            case ReplicaEvent.Exited(var right, var lease, var how) ->
                    new ReplicaInput.Gone(right, lease ? Cause.LEASE : Cause.DIED, how);
            case ReplicaEvent.PoweredOff(var right) ->
                    new ReplicaInput.Gone(right, Cause.POWERED_OFF, "the guest powered off");
            case ReplicaEvent.Panicked(var right) ->
                    new ReplicaInput.InTrouble(right, new VmInput.GuestPanicked(right));
            case ReplicaEvent.DiskFailed(var right, var disk, var why) ->
                    new ReplicaInput.InTrouble(right, new VmInput.DiskFailed(right, disk, why));
            case ReplicaEvent.PartnerLost _, ReplicaEvent.Hung _ ->
                    throw new IllegalStateException("Nothing was raised, but got " + event);
        };
    }

    private void carryOut(ReplicaCommand command) {
        switch (command) {
            case ReplicaCommand.KeepFloor(var floor) -> floors.keep(state.vm(), floor);
            case ReplicaCommand.Launch(var right, var spec) -> launch(right, spec);
            case ReplicaCommand.End(var right, var kill) -> end(right, kill);
            case ReplicaCommand.Tell(var news) -> entity.accept(news);
        }
    }

    private void launch(RunRight right, VmSpec spec) {
        long began = System.nanoTime();
        getContext()
                .pipeToSelf(
                        hypervisor.start(right, spec),
                        (status, failure) ->
                                new Answered(
                                        status == null
                                                ? failed(right, failure)
                                                : started(
                                                        status,
                                                        (System.nanoTime() - began) / 1_000_000)));
    }

    private static ReplicaInput started(ReplicaStatus status, long tookMs) {
        return status.running()
                ? new ReplicaInput.Started(status.right(), tookMs, status.detail())
                : new ReplicaInput.StartedAndEnded(status.right(), status.detail());
    }

    private ReplicaInput failed(RunRight right, @Nullable Throwable failure) {
        var cause = cause(failure);
        getContext().getLog().warn("{} could not be started", right, cause);
        return new ReplicaInput.StartFailed(
                right,
                String.valueOf(cause == null ? null : cause.getMessage()),
                !(cause instanceof HypervisorException expected)
                        || expected.worthTryingElsewhere());
    }

    private void end(RunRight right, boolean kill) {
        getContext()
                .pipeToSelf(
                        hypervisor.stop(
                                right.vm(),
                                right.epoch(),
                                kill ? StopMode.KILL : StopMode.SHUTDOWN),
                        (_, failure) ->
                                new Answered(
                                        failure == null
                                                ? new ReplicaInput.StopDone(right)
                                                : stopFailed(right, failure)));
    }

    private ReplicaInput stopFailed(RunRight right, Throwable failure) {
        var cause = cause(failure);
        getContext().getLog().error("{} could not be ended; it is tried again", right, cause);
        return new ReplicaInput.StopFailed(right, String.valueOf(cause));
    }

    private static @Nullable Throwable cause(@Nullable Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
    }
}
